"""External sort: sorted chunks on S3, read back as one sorted stream. Memory holds one chunk, not the whole."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import Protocol

from msgspec import Struct

from docferry.state import lines
from docferry.state.store import Store

# A line takes 0.3 to 1 KB while it is sorted: 10,000 of them stay under 10 MB.
CHUNK_LINES = 10_000


class HasId(Protocol):
    """Any record with the id that streams are sorted by."""

    @property
    def id(self) -> str:
        """The document id."""
        ...


class Chunk(Struct, frozen=True):
    """One sorted part, with its first and last id."""

    key: str
    first: str
    last: str


def write_chunk(store: Store, key: str, records: Iterable[HasId]) -> Chunk:
    """Sort some records by id, and write them. Python compares strings by code point, which is the order of UTF-8."""
    ordered = sorted((record.id, lines.encode(record)) for record in records)
    with store.writing(key) as stream:
        for _, line in ordered:
            stream.add_line(line)
    return Chunk(key, ordered[0][0], ordered[-1][0])


def merge(store: Store, chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """All lines of the chunks, sorted by id.

    Chunks that follow each other, as those of a source that lists in order do, are read one after the other.
    """
    in_order = sorted(chunks, key=lambda chunk: chunk.first)
    if all(one.last < other.first for one, other in pairwise(in_order)):
        return chain.from_iterable(store.lines(chunk.key) for chunk in in_order)
    keyed = (((lines.line_id(line), line) for line in store.lines(chunk.key)) for chunk in in_order)
    return (line for _, line in heapq.merge(*keyed))
