"""The external sort: chunks on S3 come back as one sorted stream."""

from typing import IO, Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from docferry.model import Document
from docferry.state import lines, sorting
from docferry.state.parts import PARTS_AHEAD
from docferry.state.sorting import Chunk, Chunks
from docferry.state.store import Store
from tests.unit.fakes import IDS, document

few = settings(max_examples=20)


def written(store: Store, chunks: list[list[str]]) -> list[Chunk]:
    """Chunks of documents with these ids."""
    run = uuid4()
    return [
        sorting.write_chunk(store, f"{run}/{number}", map(document, ids)) for number, ids in enumerate(chunks) if ids
    ]


@few
@given(chunks=st.lists(st.lists(IDS, max_size=5), max_size=4))
def test_chunks_in_any_order_merge_to_what_sorting_everything_gives(
    shared_store: Store, chunks: list[list[str]]
) -> None:
    """Overlapping, disjoint, with ids more than once: the order is that of the bytes of the ids."""
    merged = [lines.line_id(line) for line in sorting.merge(shared_store, written(shared_store, chunks))]

    assert merged == sorted((id_ for chunk in chunks for id_ in chunk), key=str.encode)


@few
@given(ids=st.lists(IDS, unique=True, max_size=10), size=st.integers(1, 4), shuffle=st.randoms())
def test_chunks_of_an_ordered_source_merge_in_order(
    shared_store: Store, ids: list[str], size: int, shuffle: Any
) -> None:
    """The chunks follow each other; in which order they are given does not matter."""
    ordered = sorted(ids)
    chunks = written(shared_store, [ordered[start : start + size] for start in range(0, len(ordered), size)])
    shuffle.shuffle(chunks)

    assert [lines.line_id(line) for line in sorting.merge(shared_store, chunks)] == ordered


class Counting(Store):
    """A store that counts how many streams are open to be read."""

    files: list[IO[bytes]]
    most = 0

    def _downloaded(self, key: str, sha256: str | None) -> IO[bytes]:
        file = super()._downloaded(key, sha256)
        self.files = [file, *(one for one in self.files if not one.closed)]
        self.most = max(self.most, len(self.files))
        return file


@pytest.fixture
def counting(s3: Any, store: Store) -> Counting:
    """The store, with the counter."""
    counting = Counting(store.bucket, s3, store.data_source)
    counting.files = []
    return counting


def test_chunks_that_follow_each_other_are_read_in_turn(counting: Counting) -> None:
    """A source that lists in order needs memory for one chunk, and for those that are fetched ahead."""
    list(sorting.merge(counting, written(counting, [[str(number)] for number in range(9)])))

    assert counting.most <= 1 + PARTS_AHEAD


def test_chunks_that_overlap_are_read_side_by_side(counting: Counting) -> None:
    """But only as many as overlap: one that comes after another takes its place."""
    list(sorting.merge(counting, written(counting, [["a", "d"], ["b", "e"], ["c"], ["f"], ["g"]])))

    assert counting.most == 3


def test_however_many_chunks_overlap_few_are_read_side_by_side(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are merged some at a time before, in as few steps as that takes, and nothing is lost."""
    monkeypatch.setattr(sorting, "FAN_IN", 3)
    chunks = written(counting, [[f"{number:02}", f"{99 - number}"] for number in range(20)])

    left = sorting.few(counting, str, chunks)

    assert len(sorting.in_rows(left)) <= 3
    assert sum(chunk.lines for chunk in left) == 40
    merged = [lines.line_id(line) for line in sorting.merge(counting, left)]
    assert merged == sorted(merged)
    assert len(merged) == 40
    assert counting.most == 3


def test_chunks_in_reverse_order_need_no_merge(store: Store) -> None:
    """A source that lists backwards is as cheap as one that lists in order."""
    chunks = written(store, [["e"], ["c", "d"], ["a", "b"]])

    assert [len(row) for row in sorting.in_rows(chunks)] == [3]
    assert sorting.fewer(store, str, chunks) is None


@few
@given(chunks=st.lists(st.lists(IDS, max_size=5), max_size=4), after=IDS)
def test_a_merge_goes_on_after_an_id(shared_store: Store, chunks: list[list[str]], after: str) -> None:
    """With the rest of the lines, and no other."""
    rest = sorting.merge(shared_store, written(shared_store, chunks), after=after)

    assert [lines.line_id(line) for line in rest] == sorted(id_ for chunk in chunks for id_ in chunk if id_ > after)


def test_chunks_end_by_lines_and_by_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long lines make short chunks; each is sorted."""
    monkeypatch.setattr(sorting, "CHUNK_LINES", 3)
    monkeypatch.setattr(sorting, "CHUNK_BYTES", 2_000)
    chunks = Chunks(store, "k{}".format)
    for id_, title in [("d", ""), ("b", ""), ("c", ""), ("a", "x" * 2_000), ("e", "")]:
        chunks.add(document(id_, title=title))
    chunks.end()

    parts = [("k0", "b", "d", 3), ("k1", "a", "a", 1), ("k2", "e", "e", 1)]
    assert chunks.written == [Chunk(*part, distinct=True) for part in parts]


def test_chunks_that_share_one_id_are_merged(store: Store) -> None:
    """The last id of one chunk may be the first of the next: both lines stay next to each other."""
    chunks = written(store, [["a", "c"], ["c", "d"], ["c", "c"]])

    merged = [lines.line_id(line) for line in sorting.merge(store, chunks)]

    assert merged == ["a", "c", "c", "c", "c", "d"]


def test_lines_of_one_id_have_an_order_of_their_own(store: Store) -> None:
    """Which of two documents with one id counts does not depend on where a chunk ended."""
    twins = [document("c", locator=locator) for locator in ("/2", "/1")]
    chunks = [sorting.write_chunk(store, f"k{number}", [twin]) for number, twin in enumerate(twins)]

    locators = [lines.decode(line, Document).locator for line in sorting.merge(store, chunks)]

    assert locators == ["/1", "/2"]


def test_a_chunk_knows_its_first_and_last_id(store: Store) -> None:
    """What decides whether chunks overlap."""
    assert sorting.write_chunk(store, "k", map(document, ["b", "a", "c"])) == Chunk("k", "a", "c", 3, distinct=True)


def test_nothing_merges_to_nothing(store: Store) -> None:
    """An empty source has no chunks."""
    assert list(sorting.merge(store, [])) == []


@few
@given(ids=st.lists(st.lists(st.text("abc", max_size=2), min_size=1, max_size=4), max_size=4))
def test_chunks_are_called_distinct_only_when_no_id_is_there_twice(shared_store: Store, ids: list[list[str]]) -> None:
    """Then nobody has to look for one."""
    chunks = written(shared_store, ids)

    if sorting.distinct(chunks):
        everything = [id_ for some in ids for id_ in some]
        assert len(everything) == len(set(everything))


def test_chunks_of_a_source_in_order_are_distinct(shared_store: Store) -> None:
    """Within a chunk, and from one to the next."""
    made = written(shared_store, [["a", "b"], ["c"]])

    assert sorting.distinct(made)
    assert not sorting.distinct(written(shared_store, [["a", "a"]]))
    assert not sorting.distinct(written(shared_store, [["a"], ["a"]]))
    assert not sorting.distinct([structs.replace(made[0], distinct=False)])
