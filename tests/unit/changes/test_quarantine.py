"""Documents that keep failing are counted, quarantined and released."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from msgspec import structs

from docferry.changes.detection import UNCHANGED
from docferry.changes.quarantine import RUNS, Failing, counted, quarantine, read, release, update
from docferry.model import Change, Outcome
from docferry.state.keys import FAILED, FAILURES, QUARANTINED, run_key
from docferry.state.store import Store
from docferry.state.stream import Stream
from tests.unit.fakes import document


def failing(id_: str, runs: int = RUNS, last_run: str = "before") -> Failing:
    """A document that failed in so many runs."""
    return Failing(id_, document(id_), "InvalidRequest: bad", runs, last_run)


def failed(id_: str) -> Outcome:
    """The outcome of a document that failed once more."""
    return Outcome(id_, "added", document(id_), "rejected", "InvalidRequest: bad", poison=True)


def after(run: str, outcomes: list[Outcome], before: list[Failing], held: list[Failing]) -> dict[str, int]:
    """How often each document has failed after a run."""

    def stream(records: list[Failing]) -> Iterator[Failing]:
        return iter(records)

    return {one.id: one.runs for one in counted(run, iter(outcomes), stream(before), stream(held))}


def test_each_run_counts_once() -> None:
    """Also when its settlement is repeated."""
    first = list(counted("run-1", iter([failed("a")]), iter([]), iter([])))
    again = list(counted("run-1", iter([failed("a")]), iter(first), iter([])))
    second = list(counted("run-2", iter([failed("a")]), iter(again), iter([])))

    assert [one.runs for one in (*first, *again, *second)] == [1, 1, 2]


def test_what_did_not_fail_is_forgotten_and_what_was_held_is_kept() -> None:
    """A document that got through, or is gone, starts anew."""
    before = [failing("a"), failing("b", 2), failing("c", 2)]

    assert after("now", [failed("b"), failed("d")], before, [failing("a")]) == {"a": RUNS, "b": 3, "d": 1}


def test_a_failure_that_nobody_saw_is_kept_for_one_run_more() -> None:
    """The next run takes the document for indexed, as the one before did, until it is looked at once more."""
    unseen = list(counted("run-1", iter([failed("a")]), iter([]), iter([]), frozenset("a")))
    second = list(counted("run-2", iter([]), iter(unseen), iter([])))
    repeated = list(counted("run-2", iter([]), iter(second), iter([])))

    assert [one.runs for one in (*unseen, *second, *repeated)] == [1, 1, 1]
    assert [one.runs for one in counted("run-2", iter([failed("a")]), iter(repeated), iter([]), frozenset("a"))] == [2]
    assert list(counted("run-3", iter([]), iter(repeated), iter([]))) == []


def test_a_document_that_changed_starts_anew() -> None:
    """It failed as another."""
    before = [structs.replace(failing("a", 4), document=structs.replace(document("a"), version="other"))]

    assert after("now", [failed("a")], before, []) == {"a": 1}


def test_only_a_document_that_failed_too_often_as_it_is_is_held_back() -> None:
    """One that changed is sent; one that failed less often is sent; a delete always is."""
    changes = [Change(id_, "added", document(id_)) for id_ in "abc"]
    deleted = Change("d", "deleted", document("d"))
    known = [
        failing("a"),
        structs.replace(failing("b"), document=structs.replace(document("b"), version="other")),
        failing("c", RUNS - 1),
        failing("d"),
    ]

    events = list(quarantine([changes[0], UNCHANGED, *changes[1:], deleted], iter(known)))

    assert events == [known[0], UNCHANGED, changes[1], changes[2], deleted]


def test_documents_are_released_by_id_or_all(store: Store) -> None:
    """What is released is forgotten."""
    with store.writing(store.held(FAILURES)) as stream:
        for id_ in "abc":
            stream.add(failing(id_))

    assert release(store, frozenset({"b", "x"})) == 1
    assert [one.id for one in read(store)] == ["a", "c"]
    assert release(store, None) == 2
    assert list(read(store)) == []


def test_a_document_that_is_released_while_a_run_is_going_stays_released(store: Store) -> None:
    """The run that held it back writes the failures at its end."""
    with store.writing(store.held(FAILURES)) as stream:
        stream.add(failing("a"))
        stream.add(failing("b"))
    with store.writing(run_key("now", QUARANTINED)) as stream:
        stream.add(failing("a"))
        stream.add(failing("b"))
    with store.writing(run_key("now", FAILED)):
        pass

    assert release(store, frozenset("a")) == 1
    update(store, "now")

    assert [one.id for one in read(store)] == ["b"]


def test_a_release_and_the_end_of_a_run_at_the_same_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second begins anew from what the first has written."""
    with store.writing(store.held(FAILURES)) as stream:
        stream.add(failing("a"))
    with store.writing(run_key("now", QUARANTINED)) as stream:
        stream.add(failing("a"))
    with store.writing(run_key("now", FAILED)) as stream:
        stream.add(failed("b"))
    plain, once = Store.rewriting, iter([True])

    def rewriting(of: Store, key: str) -> AbstractContextManager[Stream]:
        opened = plain(of, key)
        if next(once, False):
            update(store, "now")
        return opened

    monkeypatch.setattr(Store, "rewriting", rewriting)

    assert release(store, frozenset("a")) == 1
    assert [one.id for one in read(store)] == ["b"]
