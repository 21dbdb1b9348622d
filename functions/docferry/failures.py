"""Documents that keep failing: how often each one did, and from when on it is no longer sent.

A document that the index refuses is sent again by every run, for the index, its fields or its limits may have changed.
After so many runs it is quarantined: left out until its content or metadata changes, or a person releases it.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from docferry import lines
from docferry.access import Exposed
from docferry.changes import Change, Outcome, Unchanged, same_but_for_time
from docferry.model import Document, Skipped
from docferry.runs import FAILED, QUARANTINED
from docferry.store import FAILURES, Store, run_key

RUNS = 5
"""How many runs a document may fail in, as it is, before it is quarantined."""


class Failing(Struct, frozen=True):
    """A document that failed, as it was sent: in how many runs, why the last time, and in which run that was."""

    id: str
    document: Document
    reason: str
    runs: int
    last_run: str

    @property
    def quarantined(self) -> bool:
        """Whether it has failed often enough."""
        return self.runs >= RUNS


def read(store: Store) -> Iterator[Failing]:
    """Every document that fails, sorted by id."""
    return _stream(store, store.held(FAILURES))


def of_run(store: Store, run: str) -> Iterator[Outcome]:
    """The outcomes of a run that the index did not acknowledge, sorted by id."""
    return (lines.decode(line, Outcome) for line in _lines(store, run_key(run, FAILED)))


def release(store: Store, ids: frozenset[str] | None) -> int:
    """Forget the failures of these documents, or of all; the next run sends them. Returns how many there were."""
    released = 0
    with store.writing(store.held(FAILURES)) as stream:
        for failing in read(store):
            if ids is None or failing.id in ids:
                released += 1
            else:
                stream.add(failing)
    return released


def quarantine(
    events: Iterable[Change | Skipped | Unchanged | Exposed], failing: Iterator[Failing]
) -> Iterator[Change | Skipped | Unchanged | Exposed | Failing]:
    """Put the record of a quarantined document in the place of the change that would send it. Pure.

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


def update(store: Store, run: str) -> None:
    """Count the failures of a run. May be repeated: a run counts once.

    What did not fail in the run is forgotten, but for what it held in quarantine.
    """
    poisoned = (outcome for outcome in of_run(store, run) if outcome.poison and outcome.kind != "deleted")
    with store.writing(store.held(FAILURES)) as stream:
        for failing in counted(run, poisoned, read(store), _stream(store, run_key(run, QUARANTINED))):
            stream.add(failing)


def counted(
    run: str, failed: Iterator[Outcome], before: Iterator[Failing], held: Iterator[Failing]
) -> Iterator[Failing]:
    """The failures after a run, sorted by id. Pure.

    All three must be sorted by id; no id may be both in ``failed`` and in ``held``.
    """
    known, kept = next(before, None), next(held, None)
    for outcome in failed:
        while kept is not None and kept.id < outcome.id:
            yield kept
            kept = next(held, None)
        while known is not None and known.id < outcome.id:
            known = next(before, None)
        runs = 0
        if known is not None and known.id == outcome.id and same_but_for_time(known.document, outcome.document):
            runs = known.runs - (known.last_run == run)
        yield Failing(outcome.id, outcome.document, outcome.reason, runs + 1, run)
    while kept is not None:
        yield kept
        kept = next(held, None)


def _stream(store: Store, key: str) -> Iterator[Failing]:
    return (lines.decode(line, Failing) for line in _lines(store, key))


def _lines(store: Store, key: str) -> Iterator[bytes]:
    return store.lines(key) if store.exists(key) else iter(())
