"""External sort: sorted chunks on S3, read back as one sorted stream. Memory holds one chunk, not the whole."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Protocol

from msgspec import Struct

from docferry.state import blocks, lines
from docferry.state.chunks import chunks as split
from docferry.state.store import Store

# A line takes 0.3 to 1 KB while it is sorted: 10,000 of them stay under 10 MB.
CHUNK_LINES = 10_000
# Lines that are compressed at once.
AT_ONCE = 200


class HasId(Protocol):
    """Any record with the id that streams are sorted by."""

    @property
    def id(self) -> str:
        """The document id."""
        ...


class Chunk(Struct, frozen=True):
    """One sorted part, with its first and last id. ``distinct``: it is certain that no id is in it twice."""

    key: str
    first: str
    last: str
    distinct: bool = False


def write_chunk(store: Store, key: str, records: Iterable[HasId]) -> Chunk:
    """Sort some records by id, and write them. Python compares strings by code point, which is the order of UTF-8."""
    ordered = sorted((record.id, lines.encode(record)) for record in records)
    with store.writing(key) as stream:
        for some in split(ordered, AT_ONCE):
            stream.add_lines([line for _, line in some])
    distinct = all(one[0] != other[0] for one, other in pairwise(ordered))
    return Chunk(key, ordered[0][0], ordered[-1][0], distinct)


def merge(store: Store, chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """All lines of the chunks, sorted by id."""
    return blocks.split(merge_blocks(store, tuple(chunks)))


def merge_blocks(store: Store, chunks: Sequence[Chunk]) -> Iterator[bytes]:
    """All lines of the chunks, sorted by id, in blocks.

    Chunks that follow each other, as those of a source that lists in order do, are read one after the other.
    """
    in_order = sorted(chunks, key=lambda chunk: chunk.first)
    if _follow(in_order):
        return chain.from_iterable(store.blocks(chunk.key) for chunk in in_order)
    keyed = (((lines.line_id(line), line) for line in store.lines(chunk.key)) for chunk in in_order)
    return (line for _, line in heapq.merge(*keyed))


def distinct(chunks: Sequence[Chunk]) -> bool:
    """Whether it is certain, without reading them, that no id is in the chunks twice."""
    return all(chunk.distinct for chunk in chunks) and _follow(sorted(chunks, key=lambda chunk: chunk.first))


def _follow(in_order: Sequence[Chunk]) -> bool:
    return all(one.last < other.first for one, other in pairwise(in_order))
