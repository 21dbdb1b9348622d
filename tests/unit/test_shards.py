"""Shards: the change set in parts that one invocation can handle."""

import pytest

from docferry import lines, shards
from docferry.changes import Change
from docferry.runs import Shard
from docferry.shards import ShardWriter
from docferry.store import Store, shard_key
from tests.unit.fakes import document


def changes(sizes: list[int]) -> list[Change]:
    """Changes of documents of these sizes."""
    return [Change(f"d{n}", "added", document(f"d{n}", size=size)) for n, size in enumerate(sizes)]


def written(store: Store, made: list[Shard]) -> list[list[str]]:
    """The ids in each shard, as they lie on S3."""
    return [
        [lines.decode(line, Change).id for line in store.lines(shard_key(one.run, "changes", one.shard))]
        for one in made
    ]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_DOCUMENTS", 3)
    monkeypatch.setattr(shards, "SHARD_BYTES", 100)


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
    writer = ShardWriter(store, "run", "put")
    for change in changes(sizes):
        writer.add(change)

    made = writer.close()

    assert written(store, made) == expected
    assert [one.documents for one in made] == [len(ids) for ids in expected]


def test_shards_are_named_by_operation_and_number(store: Store) -> None:
    """The names say the order in which they were written."""
    writer = ShardWriter(store, "run", "delete")
    for change in changes([1] * 4):
        writer.add_line(lines.encode(change))

    assert writer.close() == [Shard("run", "delete", "delete-00000", 3), Shard("run", "delete", "delete-00001", 1)]


def test_the_size_of_what_is_deleted_does_not_matter(store: Store) -> None:
    """A delete sends an id, not the document."""
    writer = ShardWriter(store, "run", "delete")
    for change in changes([500] * 3):
        writer.add_line(lines.encode(change))

    assert written(store, writer.close()) == [["d0", "d1", "d2"]]
