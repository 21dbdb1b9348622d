"""The ledger of runs: one entry a run, in the order that the runs themselves took.

``ledger.json`` names the newest run and its number; it moves by compare-and-swap. A run's entry is one of its own
objects, ``runs/<run>/run.json``, and names the run before it. So the newest run, or one by its name, is found with one
or two calls, however many runs there are, and entries age out with the runs. No time decides anything here.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct, structs

from docferry.errors import Conflict
from docferry.reporting.report import Report
from docferry.state.keys import ENTRY, LEDGER, run_key
from docferry.state.objects import Moved, Record
from docferry.state.runs import Counts, Input, Run
from docferry.state.store import Store

# Runs of a connector are minutes apart; two that begin in one moment swap twice at most.
ATTEMPTS = 20


class Newest(Struct, frozen=True):
    """The newest run, its number, and the run before it (``ledger.json``)."""

    number: int
    run: str
    previous: str | None = None


class Entry(Counts, frozen=True, kw_only=True):
    """What is known of one run (``run.json``).

    ``status`` is RUNNING until the run has ended; of a run that died and left no report, until the next run begins.
    ``data_source`` is the index data source that it works on. Counts are in documents, and ``keys`` are as
    in the report.
    """

    number: int
    run: str
    previous: str | None
    execution: str = ""
    data_source: str = ""
    trigger: str = "manual"
    mode: str = "sync"
    began: datetime | None = None
    ended: datetime | None = None
    status: Literal["RUNNING", "SUCCEEDED", "FAILED", "ABORTED"] = "RUNNING"
    execution_id: str | None = None
    error: str = ""
    keys: int | None = None


def register(store: Store, run: Run, asked: Input) -> Entry:
    """Give a run its place in the ledger, or find the one that it has. May be repeated. Raises StateInvalid."""
    for _ in range(ATTEMPTS):
        if (known := find(store, run.run)) is not None and known.execution:
            return known
        newest = store.read(LEDGER, Newest)
        mine = newest.value if newest else None
        if mine is None or (mine.run != run.run and known is None):
            mine = _append(store, newest, run.run)
            if mine is None:
                continue
        elif known is not None:
            mine = Newest(known.number, known.run, known.previous)
        entry = Entry(
            number=mine.number,
            run=run.run,
            previous=mine.previous,
            execution=run.execution,
            data_source=store.data_source,
            trigger=asked.trigger,
            mode=_mode(asked),
            began=datetime.now(UTC),
        )
        store.write(run_key(run.run, ENTRY), entry)
        return entry
    raise Conflict(f"{LEDGER} is written by too many runs at a time; try again")


def _append(store: Store, newest: Record[Newest] | None, run: str) -> Newest | None:
    """Make a run the newest one; None when another was quicker.

    The run before it may have died between the two writes: then its entry is written for it, so that the list of
    runs has no gap.
    """
    before = newest.value if newest else None
    if before is not None:
        stub = Entry(number=before.number, run=before.run, previous=before.previous, data_source=store.data_source)
        with suppress(Moved):
            store.create(run_key(before.run, ENTRY), stub)
    following = Newest(before.number + 1 if before else 1, run, before.run if before else None)
    try:
        store.swap(LEDGER, following, newest.etag if newest else None)
    except Moved:
        return None
    return following


def finish(store: Store, report: Report) -> None:
    """Note how a run has ended. A run that never came into the ledger is left out of it."""
    entry = find(store, report.run)
    if entry is None:
        return
    counts = {count.name: getattr(report, count.name) for count in structs.fields(Counts)}
    ended = structs.replace(
        entry,
        **counts,
        ended=entry.ended or datetime.now(UTC),
        status=report.status,
        execution_id=report.execution_id,
        error=report.error,
        keys=report.keys,
    )
    store.write(run_key(report.run, ENTRY), ended)


def abandon(store: Store, run: str) -> None:
    """Note that a run is over which could not say so itself."""
    entry = find(store, run)
    if entry is not None and entry.status == "RUNNING":
        store.write(run_key(run, ENTRY), structs.replace(entry, status="ABORTED", ended=datetime.now(UTC)))


def find(store: Store, run: str) -> Entry | None:
    """The entry of a run, or None. Raises StateInvalid."""
    record = store.read(run_key(run, ENTRY), Entry)
    return record.value if record else None


def newest(store: Store) -> Iterator[Entry]:
    """The runs, newest first, as far back as they are kept. Each costs one call. Raises StateInvalid."""
    head = store.read(LEDGER, Newest)
    run = head.value.run if head else None
    if head is not None and find(store, head.value.run) is None:
        run = head.value.previous  # the newest run has died before it could write its entry
    while run is not None and (entry := find(store, run)) is not None:
        yield entry
        run = entry.previous


def _mode(asked: Input) -> str:
    if asked.apply is not None:
        return "apply"
    if asked.approve is not None and asked.sends:
        return "approve"
    return asked.compares if asked.sends else "plan"
