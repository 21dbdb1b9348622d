"""Shards: the change set in parts that one invocation can handle."""

from itertools import pairwise

import pytest
from msgspec import structs

from docferry.delivery import shards
from docferry.delivery.shards import Begun, ShardWriter
from docferry.errors import ChangeSetInvalid
from docferry.model import Change, Kind, Outcome
from docferry.state import lines
from docferry.state.ahead import behind
from docferry.state.keys import shard_key
from docferry.state.runs import Operation, Shard
from docferry.state.store import Store
from tests.unit.fakes import document


def changes(sizes: list[int], kind: Kind = "added") -> list[Change]:
    """Changes of documents of these sizes."""
    return [Change(f"d{n}", kind, document(f"d{n}", size=size)) for n, size in enumerate(sizes)]


def written(store: Store, made: list[Shard]) -> list[list[str]]:
    """The ids in each shard, as they lie on S3."""
    return [[change.id for change in shards.changes(store, one)] for one in made]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 100)


def writer_of(store: Store, operation: Operation, run: str = "run") -> ShardWriter:
    """A writer of shards of three documents."""
    return ShardWriter(store, run, operation, exact=False, documents=3)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1], [["d0"]]),
        ([1] * 3, [["d0", "d1", "d2"]]),
        ([1] * 4, [["d0", "d1", "d2"], ["d3"]]),
        ([60, 40, 1], [["d0", "d1"], ["d2"]]),  # exactly full
        ([60, 41], [["d0"], ["d1"]]),
        ([500, 1], [["d0"], ["d1"]]),  # larger than a shard on its own
        ([1, 500, 1], [["d0"], ["d1"], ["d2"]]),
    ],
)
def test_a_shard_ends_when_it_has_enough_documents_or_bytes(
    store: Store, sizes: list[int], expected: list[list[str]]
) -> None:
    """Documents stay in order, none is lost, and a document is measured before it is added."""
    writer = writer_of(store, "put")
    for change in changes(sizes):
        writer.add(change)

    made = writer.close()

    assert written(store, made) == expected
    assert [one.documents for one in made] == [len(ids) for ids in expected]


def test_shards_are_named_by_operation_and_number(store: Store) -> None:
    """The names say the order in which they were written."""
    writer = writer_of(store, "delete")
    for change in changes([1] * 4, "deleted"):
        writer.add_line(lines.encode(change))

    assert [(one.shard, one.documents) for one in writer.close()] == [("delete-00000", 3), ("delete-00001", 1)]


@pytest.mark.parametrize("stops", [[], [1], [2, 3], [1, 2, 3, 4, 5, 6]])
def test_shards_are_the_same_wherever_another_writer_goes_on(store: Store, stops: list[int]) -> None:
    """It gets the shards and the lines of the one that is not full, through JSON; the writes are behind."""
    found = changes([1, 40, 1, 70, 1, 1, 1])
    begun = shards.NOTHING
    for first, end in pairwise([0, *stops, len(found)]):
        with behind(2) as sending:
            writer = ShardWriter(store, "run", "put", exact=False, documents=3, begun=begun, behind=sending)
            for change in found[first:end]:
                writer.add(change)
        begun = lines.decode(lines.encode(writer.begun()), Begun)

    made = ShardWriter(store, "run", "put", exact=False, documents=3, begun=begun).close()

    assert written(store, made) == [["d0", "d1", "d2"], ["d3", "d4", "d5"], ["d6"]]
    assert [one.shard for one in made] == ["put-00000", "put-00001", "put-00002"]


def test_the_size_of_what_is_deleted_does_not_matter(store: Store) -> None:
    """A delete sends an id, not the document."""
    writer = writer_of(store, "delete")
    for change in changes([500] * 3, "deleted"):
        writer.add_line(lines.encode(change))

    assert written(store, writer.close()) == [["d0", "d1", "d2"]]


def test_a_shard_ends_when_its_lines_are_long(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker holds what became of each document, with all that describes it."""
    made = changes([1] * 4)
    monkeypatch.setattr(shards, "SHARD_LINES_BYTES", 2 * len(lines.encode(made[0])))
    writer = writer_of(store, "put")
    for change in made:
        writer.add(change)

    assert written(store, writer.close()) == [["d0", "d1"], ["d2", "d3"]]


@pytest.mark.parametrize(
    ("listed", "documents"), [(0, 500), (200_000, 500), (600_000, 1_500), (1_000_000, 2_500), (10_000_000, 2_500)]
)
def test_a_large_run_has_larger_shards(listed: int, documents: int) -> None:
    """Each shard has a price: ten million documents are 4,000 of them."""
    assert shards.shard_documents(listed) == documents


def one_shard(store: Store, run: str = "run") -> Shard:
    """A shard of two documents to put."""
    writer = writer_of(store, "put", run)
    for change in changes([1] * 2):
        writer.add(change)
    (made,) = writer.close()
    return made


def test_a_shard_that_somebody_has_changed_is_refused(store: Store) -> None:
    """Before anything of it is read: what is sent is what the crawl has written."""
    made = one_shard(store)
    with store.writing(shard_key("run", made.shard)) as stream:
        stream.add(Change("other", "added", document("other")))

    with pytest.raises(ChangeSetInvalid, match="somebody has changed the change set"):
        next(shards.changes(store, made))


def test_what_is_to_be_put_is_never_deleted(store: Store) -> None:
    """Whatever batches.json says of it."""
    made = structs.replace(one_shard(store), operation="delete")

    with pytest.raises(ChangeSetInvalid, match="not a shard to delete"):
        next(shards.changes(store, made))


def test_the_result_of_another_run_or_change_set_is_none(store: Store) -> None:
    """A result is found under the run, the shard and the digest that it answers."""
    made, other = one_shard(store), one_shard(store, "other")
    shards.write_result(store, other, [Outcome("d0", "added", document("d0"))])
    (key,) = store.keys("runs/other/results/")
    content = store.content(key)
    assert content is not None
    store.put_content(key.replace("runs/other/", "runs/run/"), content)

    assert shards.finished(store, "other", [other]) == [other]
    assert shards.finished(store, "run", [made]) == []


def test_a_shard_that_is_gone_is_named(store: Store) -> None:
    """With the cure: nobody can say any more what was in it."""
    made = one_shard(store)
    store.delete(shard_key("run", made.shard))

    with pytest.raises(ChangeSetInvalid, match=r"put-00000.* is missing.*docferry rebuild"):
        next(shards.changes(store, made))
