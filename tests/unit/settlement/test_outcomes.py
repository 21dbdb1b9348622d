"""Outcomes: what the shards recorded, and what is assumed of those that recorded nothing."""

import pytest

from docferry.delivery.progress import Progress
from docferry.delivery.shards import write_result
from docferry.model import Change, Kind, Outcome
from docferry.settlement import outcomes
from docferry.settlement.outcomes import Left
from docferry.state import lines
from docferry.state.keys import shard_key
from docferry.state.runs import Operation, Shard
from docferry.state.store import Store
from tests.unit.fakes import document
from tests.unit.s3_calls import watched

LINE = len(lines.encode(Outcome("a", "added", document("a", "v2"))))


def shard(store: Store, operation: Operation, number: int, *ids: str, done: bool = True) -> Shard:
    """A shard of the change set, with or without its result."""
    name = f"{operation}-{number:05}"
    kind: Kind = "added" if operation == "put" else "deleted"
    with store.writing(shard_key("run", name)) as stream:
        for id_ in ids:
            stream.add(Change(id_, kind, document(id_)))
    made = Shard("run", operation, name, len(ids), stream.written.sha256)
    if done:
        write_result(store, made, [Outcome(id_, kind, document(id_, "v2")) for id_ in ids])
    return made


def test_the_results_of_one_operation_are_one_sorted_stream(store: Store) -> None:
    """Shards are in order of id, and deletes are not among the puts."""
    parts = [shard(store, "put", 0, "a", "c"), shard(store, "put", 1, "d"), shard(store, "delete", 0, "b")]

    found = all_of(store, parts)

    puts = [one for one in found if one.kind == "added"]
    assert [(one.id, one.document.version, one.state) for one in puts] == [
        ("a", "v2", "acknowledged"),
        ("c", "v2", "acknowledged"),
        ("d", "v2", "acknowledged"),
    ]
    assert [one.id for one in found if one.kind == "deleted"] == ["b"]


def test_every_document_of_a_shard_without_a_result_is_doubtful(store: Store) -> None:
    """It may have been sent in part, so nothing can be said of any of them."""
    parts = [shard(store, "put", 0, "a"), shard(store, "put", 1, "b", "c", done=False), shard(store, "put", 2, "d")]

    found = all_of(store, parts)

    assert [(one.id, one.state) for one in found] == [
        ("a", "acknowledged"),
        ("b", "doubtful"),
        ("c", "doubtful"),
        ("d", "acknowledged"),
    ]
    assert found[1] == Outcome("b", "added", document("b"), "doubtful", "shard put-00001 left no result")
    assert outcomes.missing(store, "run", parts) == ["put-00001"]


def left(store: Store, parts: list[Shard], after: str = "", reached: tuple[int, int] = (0, 0)) -> Left:
    """The outcomes of a run that come after an id."""
    return Left(store, parts, outcomes.missing(store, "run", parts), after, reached)


def all_of(store: Store, parts: list[Shard]) -> list[Outcome]:
    """All outcomes of a run."""
    with left(store, parts) as rest:
        return rest.take(None, asks=lambda _: False)


def test_what_a_shard_without_a_result_has_recorded_counts(store: Store) -> None:
    """What it recorded became of a document is true; of the others nothing can be said."""
    part = shard(store, "put", 0, "a", "b", "c", done=False)
    progress = Progress(store, part, lambda: 0)
    progress.add([Outcome("b", "added", document("b", "v2")), Outcome("a", "added", document("a"), "rejected", "why")])
    progress.record()
    progress.add([Outcome("c", "added", document("c", "v2"))])  # and the process died

    found = all_of(store, [part])

    assert [(one.id, one.document.version, one.state) for one in found] == [
        ("a", "v1", "rejected"),
        ("b", "v2", "acknowledged"),
        ("c", "v1", "doubtful"),
    ]
    assert outcomes.missing(store, "run", [part]) == [part.shard]


def test_operations_merge_in_order_of_id(store: Store) -> None:
    """The manifest is written from both in one pass."""
    parts = [shard(store, "put", 0, "a", "c"), shard(store, "delete", 0, "b", "d")]

    with left(store, parts) as rest:
        taken = rest.take(None, asks=lambda _: False)

    assert [(one.id, one.kind) for one in taken] == [
        ("a", "added"),
        ("b", "deleted"),
        ("c", "added"),
        ("d", "deleted"),
    ]
    assert rest.next_id is None


def test_outcomes_go_on_after_an_id(store: Store) -> None:
    """In the shards that were reached, whatever their number."""
    parts = [shard(store, "put", 0, "a"), shard(store, "put", 1, "c", "e"), shard(store, "delete", 0, "b", "d")]
    with left(store, parts) as rest:
        before = rest.take("c", asks=lambda _: False)

    with left(store, parts, after=before[-1].id, reached=rest.reached) as rest_of_it:
        later = rest_of_it.take(None, asks=lambda _: False)

    assert [one.id for one in (*before, *later)] == list("abcde")
    assert rest.reached == (1, 0)


@pytest.mark.parametrize(("limit", "value"), [("STEP_OUTCOMES", 2), ("STEP_ASKED", 1), ("STEP_BYTES", 2 * LINE)])
def test_a_step_takes_so_many_outcomes(store: Store, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """As many as memory holds, or as the index can be asked about in time."""
    monkeypatch.setattr(outcomes, limit, value)

    with left(store, [shard(store, "put", 0, "a", "b", "c")]) as rest:
        taken = rest.take(None, asks=lambda one: one.id == "b")

    assert [one.id for one in taken] == ["a", "b"]


def test_each_result_is_read_once(store: Store) -> None:
    """However many steps take from it."""
    parts = [shard(store, "put", number, f"{number:02}a", f"{number:02}b") for number in range(40)]
    through, calls = watched(store)

    with left(through, parts) as rest:
        for part in parts:
            number = part.shard[-2:]
            assert [one.id for one in rest.take(f"{number}a", asks=lambda _: False)] == [f"{number}a"]
            assert [one.id for one in rest.take(f"{number}b", asks=lambda _: False)] == [f"{number}b"]

    assert set(calls.on("get_object", lambda _: True).values()) == {1}
    assert calls.of("get_object") == len(parts)
    assert calls.of("head_object") == 0


def test_a_change_set_without_shards_has_no_outcomes(store: Store) -> None:
    """Nothing to do is nothing missing."""
    assert all_of(store, []) == []
    assert outcomes.missing(store, "run", []) == []
