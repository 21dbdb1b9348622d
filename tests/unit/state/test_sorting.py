"""The external sort: chunks on S3 come back as one sorted stream."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from docferry.model import Document
from docferry.state import lines, sorting
from docferry.state.sorting import Chunk
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
    """A store that counts how many streams are being read."""

    open = 0
    most = 0

    def lines(self, key: str, sha256: str | None = None, *, after: str = "") -> Iterator[bytes]:
        """See Store.lines."""
        self.open += 1
        self.most = max(self.most, self.open)
        yield from super().lines(key, sha256, after=after)
        self.open -= 1


def test_disjoint_chunks_are_read_one_after_the_other(s3: Any, store: Store) -> None:
    """A source that lists in order needs memory for one chunk, however many there are."""
    counting = Counting(store.bucket, s3)
    disjoint = written(store, [["a", "b"], ["c", "d"], ["e"]])
    overlapping = written(store, [["a", "d"], ["b", "e"], ["c"]])

    list(sorting.merge(counting, disjoint))
    assert counting.most == 1

    list(sorting.merge(counting, overlapping))
    assert counting.most == 3


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
    assert sorting.write_chunk(store, "k", map(document, ["b", "a", "c"])) == Chunk("k", "a", "c")


def test_nothing_merges_to_nothing(store: Store) -> None:
    """An empty source has no chunks."""
    assert list(sorting.merge(store, [])) == []
