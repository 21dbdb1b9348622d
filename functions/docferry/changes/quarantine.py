"""Counts how often each document failed. Stops sending it after five runs.

A document that the index refuses is sent again by the next run, because the index, its fields or its limits may have
changed. After five runs it is quarantined: not sent until its content or metadata changes, or a person releases it.
"""

from collections.abc import Callable, Container, Iterable, Iterator
from heapq import merge as merged
from itertools import islice

from msgspec import Struct, structs

from docferry.changes.access import Exposed
from docferry.changes.detection import Unchanged, same_but_for_time
from docferry.errors import Conflict
from docferry.model import Change, Document, Outcome, Skipped
from docferry.state import lines
from docferry.state.keys import FAILED, FAILURES, KEPT_FAILURES, QUARANTINED, run_key
from docferry.state.merge import align
from docferry.state.objects import Moved
from docferry.state.store import Store

RUNS = 5
"""How many runs a document may fail in, as it is, before it is quarantined."""
# The end of a run and a person write at the same time, at most.
ATTEMPTS = 5


# The record is written whole by each run, in one object: 1,000,000 lines of some 500 bytes are 70 MB, and take 20 s.
MOST = 1_000_000
"""Documents whose failures are remembered."""


class Failing(Struct, frozen=True, omit_defaults=True):
    """A document that failed, as it was sent: in how many runs, why the last time, and in which run that was.

    ``unseen``: that run was over before anybody could see it, so what the next run says of the document is not the last
    word either: that run, ``kept_by``, keeps the record.
    """

    id: str
    document: Document
    reason: str
    runs: int
    last_run: str
    unseen: bool = False
    kept_by: str = ""

    @property
    def quarantined(self) -> bool:
        """Whether it has failed often enough."""
        return self.runs >= RUNS


def read(store: Store, *, after: str = "") -> Iterator[Failing]:
    """Every document that fails, sorted by id, or those whose id comes ``after`` another one."""
    return _stream(store, store.held(FAILURES), after)


def of_run(store: Store, run: str, *, after: str = "") -> Iterator[Outcome]:
    """The outcomes of a run that the index did not acknowledge, sorted by id, or those ``after`` an id."""
    return (lines.decode(line, Outcome) for line in store.lines_if_any(run_key(run, FAILED), after=after))


def release(store: Store, ids: frozenset[str] | None) -> int:
    """Forget the failures of these documents, or of all; the next run sends them. Returns how many there were.

    Safe beside a run, which does not bring back what was released. Raises Conflict.
    """
    released: set[str] = set()

    def kept() -> Iterator[Failing]:
        for failing in read(store):
            if ids is None or failing.id in ids:
                released.add(failing.id)
            else:
                yield failing

    _replace(store, kept)
    return len(released)


def quarantine(
    events: Iterable[Change | Skipped | Unchanged | Exposed], failing: Iterator[Failing]
) -> Iterator[Change | Skipped | Unchanged | Exposed | Failing]:
    """Replace each change to a quarantined document by the record of its failures, so that it is not sent. Pure.

    Both must be sorted by id.
    """
    record = next(failing, None)
    for event in events:
        if not isinstance(event, Change):
            yield event
            continue
        while record is not None and record.id < event.id:
            record = next(failing, None)
        held = record is not None and record.id == event.id and record.quarantined and event.kind != "deleted"
        if held and record is not None and same_but_for_time(record.document, event.document):
            yield record
        else:
            yield event


def update(store: Store, run: str, *, unseen: Callable[[], Container[str]] = frozenset) -> None:
    """Count the failures of a run. May be repeated: a run counts once. Raises Conflict.

    What did not fail in the run is forgotten, but for what it held in quarantine, what it has not looked at, and what
    may fail unseen once more. ``unseen`` gives the failures that show only now that the run is over; they are asked for
    in order of id. Of more than MOST documents the first are remembered; the others are sent again until they are among
    them.
    """

    def after() -> Iterator[Failing]:
        poisoned = (outcome for outcome in of_run(store, run) if outcome.poison and outcome.kind != "deleted")
        held = merged(*(_stream(store, run_key(run, name)) for name in (QUARANTINED, KEPT_FAILURES)), key=_id)
        return islice(counted(run, poisoned, read(store), held, unseen()), MOST)

    _replace(store, after)


def counted(
    run: str,
    failed: Iterator[Outcome],
    before: Iterator[Failing],
    held: Iterator[Failing],
    unseen: Container[str] = frozenset(),
) -> Iterator[Failing]:
    """The failures after a run, sorted by id. Pure.

    All three must be sorted by id; no id may be both in ``failed`` and in ``held``. A document in ``held`` that is not
    in ``before`` any more was released while the run was going.
    """
    both: tuple[Iterator[Outcome | Failing], ...] = (failed, held)
    now = merged(*both, key=lambda one: one.id)
    for one, known in align(now, before, lambda one: one.id, lambda known: known.id):
        if isinstance(one, Failing):
            if known is not None:
                yield one
        elif one is not None:
            same = known is not None and same_but_for_time(known.document, one.document)
            runs = known.runs - (known.last_run == run) if known is not None and same else 0
            yield Failing(one.id, one.document, one.reason, runs + 1, run, one.id in unseen)
        elif known is not None and known.unseen and known.kept_by in {"", run}:
            yield structs.replace(known, kept_by=run)


def _replace(store: Store, records: Callable[[], Iterable[Failing]]) -> None:
    """Write the failures anew from what is there now, again when somebody else was quicker. Raises Conflict."""
    key = store.held(FAILURES)
    for _ in range(ATTEMPTS):
        try:
            with store.rewriting(key) as stream:
                for failing in records():
                    stream.add(failing)
        except Moved:
            continue
        return
    raise Conflict(f"{key} is written by others all the time; try again")


def _id(failing: Failing) -> str:
    return failing.id


def _stream(store: Store, key: str, after: str = "") -> Iterator[Failing]:
    return (lines.decode(line, Failing) for line in store.lines_if_any(key, after=after))
