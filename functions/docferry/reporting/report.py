"""The report of a run (``report.json``): what a person, or a program, reads of it."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from docferry.groups.snapshot import GroupsReport
from docferry.model import Outcome, Skipped
from docferry.state import lines
from docferry.state.keys import EXPOSED, FAILED, REPORT, SKIPPED, WITHHELD, run_key
from docferry.state.runs import Counts
from docferry.state.store import Store


class Report(Counts, frozen=True, kw_only=True):
    """How a run ended. ``execution_id`` is None when there was nothing to change, and so no sync job.

    In a ``dry_run`` the counts are what a run would do. ``keys`` is how many keys a run of uploads has looked at;
    it counts only the documents that are, or were, at them. None: the run has crawled the whole source.
    ``withheld_because`` is why the guard kept deletes back; ``held_back`` counts withheld and exposed documents, and
    withheld groups, together. ``groups`` is None for a connector without groups. ``foreign_jobs`` counts sync jobs of
    the data source that this connector did not start, since the run before; ``foreign_job_ids`` are the first of them.
    ``notes`` are sentences for a person to read.
    """

    run: str
    connector: str
    status: Literal["SUCCEEDED", "FAILED"]
    withheld_because: str = ""
    held_back: int = 0
    groups: GroupsReport | None = None
    foreign_jobs: int = 0
    foreign_job_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    execution_id: str | None = None
    job_status: str | None = None
    error: str = ""
    dry_run: bool = False
    keys: int | None = None


class Failure(Struct, frozen=True):
    """A document that was not indexed, or not deleted, and why."""

    id: str
    reason: str


def write(store: Store, report: Report) -> None:
    """Write the report of a run."""
    store.write(run_key(report.run, REPORT), report)


def read(store: Store, run: str) -> Report | None:
    """The report of a run, or None while it has not ended."""
    record = store.read(run_key(run, REPORT), Report)
    return record.value if record else None


def failures(store: Store, run: str) -> Iterator[Failure]:
    """The documents that failed, sorted by id."""
    for line in _stream(store, run, FAILED):
        outcome = lines.decode(line, Outcome)
        yield Failure(outcome.id, outcome.reason)


def skipped(store: Store, run: str) -> Iterator[Failure]:
    """What the source holds that cannot be indexed, sorted by id."""
    for line in _stream(store, run, SKIPPED):
        entry = lines.decode(line, Skipped)
        yield Failure(entry.id, entry.skipped)


def withheld(store: Store, run: str) -> Iterator[str]:
    """The ids of the deletes that were withheld, sorted."""
    return map(lines.line_id, _stream(store, run, WITHHELD))


def exposed(store: Store, run: str) -> Iterator[str]:
    """The ids of the documents that have lost their access control, sorted."""
    return map(lines.line_id, _stream(store, run, EXPOSED))


def _stream(store: Store, run: str, name: str) -> Iterator[bytes]:
    return store.lines_if_any(run_key(run, name))
