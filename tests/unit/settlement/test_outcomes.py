"""Outcomes: what the shards recorded, and what is assumed of those that recorded nothing."""

from docferry.delivery.progress import Progress
from docferry.delivery.shards import write_result
from docferry.model import Change, Kind, Outcome
from docferry.settlement import outcomes
from docferry.state.keys import shard_key
from docferry.state.runs import Operation, Shard
from docferry.state.store import Store
from tests.unit.fakes import document


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

    puts, deletes = (list(outcomes.recorded(store, parts, operation)) for operation in ("put", "delete"))

    assert [(one.id, one.document.version, one.state) for one in puts] == [
        ("a", "v2", "acknowledged"),
        ("c", "v2", "acknowledged"),
        ("d", "v2", "acknowledged"),
    ]
    assert [one.id for one in deletes] == ["b"]


def test_every_document_of_a_shard_without_a_result_is_doubtful(store: Store) -> None:
    """It may have been sent in part, so nothing can be said of any of them."""
    parts = [shard(store, "put", 0, "a"), shard(store, "put", 1, "b", "c", done=False), shard(store, "put", 2, "d")]

    found = list(outcomes.recorded(store, parts, "put"))

    assert [(one.id, one.state) for one in found] == [
        ("a", "acknowledged"),
        ("b", "doubtful"),
        ("c", "doubtful"),
        ("d", "acknowledged"),
    ]
    assert found[1] == Outcome("b", "added", document("b"), "doubtful", "shard put-00001 left no result")
    assert outcomes.missing(store, parts) == ["put-00001"]


def test_what_a_shard_without_a_result_has_recorded_counts(store: Store) -> None:
    """What it recorded became of a document is true; of the others nothing can be said."""
    part = shard(store, "put", 0, "a", "b", "c", done=False)
    progress = Progress(store, part, lambda: 0)
    progress.add([Outcome("b", "added", document("b", "v2")), Outcome("a", "added", document("a"), "rejected", "why")])
    progress.record()
    progress.add([Outcome("c", "added", document("c", "v2"))])  # and the process died

    found = list(outcomes.recorded(store, [part], "put"))

    assert [(one.id, one.document.version, one.state) for one in found] == [
        ("a", "v1", "rejected"),
        ("b", "v2", "acknowledged"),
        ("c", "v1", "doubtful"),
    ]
    assert outcomes.missing(store, [part]) == [part.shard]


def test_operations_merge_in_order_of_id(store: Store) -> None:
    """The manifest is written from both in one pass."""
    parts = [shard(store, "put", 0, "a", "c"), shard(store, "delete", 0, "b", "d")]

    streams = (outcomes.recorded(store, parts, operation) for operation in ("put", "delete"))
    merged = outcomes.merged(*streams)

    assert [(one.id, one.kind) for one in merged] == [
        ("a", "added"),
        ("b", "deleted"),
        ("c", "added"),
        ("d", "deleted"),
    ]


def test_a_change_set_without_shards_has_no_outcomes(store: Store) -> None:
    """Nothing to do is nothing missing."""
    assert list(outcomes.recorded(store, [], "put")) == []
    assert outcomes.missing(store, []) == []
