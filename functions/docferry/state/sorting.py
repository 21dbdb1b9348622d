"""External sort: sorted chunks on S3, read back as one sorted stream. Memory holds one chunk, not the whole."""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

from msgspec import Struct

from docferry.state import blocks, lines
from docferry.state.chunks import chunks as split
from docferry.state.store import Store

# A line takes 0.3 to 1 KB while it is sorted: 10,000 of them stay under 10 MB. A checkpoint names each chunk with two
# ids, and is written after each: for ten million documents 1,000 times, with up to 200 KB. With the longest ids,
# of 1,825 characters, it is 4 MB at last, and 2 GB in all: slower, and no more than that.
CHUNK_LINES = 10_000
# Lines of 150 KB, with long lists of access control, make short chunks.
CHUNK_BYTES = 64_000_000
# Streams that are merged at a time. Each holds a temporary file of SPOOL_BYTES, 4 MiB, at most, and a window of 512 KiB
# to unpack it: 16 of them 72 MiB, two such merges side by side 144. Each time that 16 become one, 15 fewer are left:
# 1,000 chunks, ten million documents in no order, take 66 steps of some 160,000 lines, a second or two each.
FAN_IN = 16
SUFFIX = ".jsonl.zst"
# Lines that are compressed at once.
AT_ONCE = 200


class HasId(Protocol):
    """Any record with the id that streams are sorted by."""

    @property
    def id(self) -> str:
        """The document id."""
        ...


class Chunk(Struct, frozen=True):
    """A sorted stream, with its first and last id, and how many lines it has; 0 when an older version wrote it.

    ``distinct``: it is certain that no id is in it twice.
    """

    key: str
    first: str
    last: str
    lines: int = 0
    distinct: bool = False


class Chunks:
    """Takes records in any order, and writes them in sorted chunks.

    ``name`` gives the key of the chunk with a number. ``before`` are those that were written before.
    """

    def __init__(self, store: Store, name: Callable[[int], str], before: Iterable[Chunk] = ()) -> None:
        self._store = store
        self._name = name
        self._held: list[tuple[str, bytes]] = []
        self._bytes = 0
        self.written = list(before)

    def add(self, record: HasId) -> None:
        """Add one record. It is in a chunk after ``end`` at the latest."""
        line = lines.encode(record)
        self._held.append((record.id, line))
        self._bytes += len(line)
        if len(self._held) >= CHUNK_LINES or self._bytes >= CHUNK_BYTES:
            self.end()

    def end(self) -> None:
        """Write what was added since the last chunk."""
        if self._held:
            held, self._held, self._bytes = self._held, [], 0
            self.written.append(write_lines(self._store, self._name(len(self.written)), held))


def write_chunk(store: Store, key: str, records: Iterable[HasId]) -> Chunk:
    """Sort some records by id, and write them. Python compares strings by code point, which is the order of UTF-8."""
    return write_lines(store, key, [(record.id, lines.encode(record)) for record in records])


def write_lines(store: Store, key: str, held: list[tuple[str, bytes]]) -> Chunk:
    """Sort some lines, given with their ids, and write them."""
    held.sort()
    with store.writing(key) as stream:
        for some in split(held, AT_ONCE):
            stream.add_lines([line for _, line in some])
    distinct = all(one[0] != other[0] for one, other in pairwise(held))
    return Chunk(key, held[0][0], held[-1][0], len(held), distinct)


def merge(store: Store, chunks: Iterable[Chunk], *, after: str = "") -> Iterator[bytes]:
    """All lines of the chunks, sorted by id, or those whose id comes ``after`` another one."""
    return blocks.split(merge_blocks(store, chunks, after=after))


def merge_blocks(store: Store, chunks: Iterable[Chunk], *, after: str = "") -> Iterator[bytes]:
    """As ``merge``, in blocks.

    Chunks that follow each other, as those of a source that lists in order do, are read one after the other, the next
    ones ahead.
    """
    rows = in_rows(chunk for chunk in chunks if chunk.last > after)
    if len(rows) == 1:
        return store.blocks_of_all([chunk.key for chunk in rows[0]], after=after)
    keyed = (((lines.line_id(line), line) for line in _one_by_one(store, row, after)) for row in rows)
    return (line for _, line in heapq.merge(*keyed))


def _one_by_one(store: Store, row: Sequence[Chunk], after: str) -> Iterator[bytes]:
    for chunk in row:
        yield from store.lines(chunk.key, after=after)


def distinct(chunks: Sequence[Chunk]) -> bool:
    """Whether it is certain, without reading them, that no id is in the chunks twice."""
    return all(chunk.distinct for chunk in chunks) and len(in_rows(chunks)) <= 1


def in_rows(chunks: Iterable[Chunk]) -> list[list[Chunk]]:
    """As few rows as possible of chunks that follow each other.

    Those of a source that lists in order, or in reverse order, are one row; those of one that lists in no order are
    a row each.
    """
    rows: list[list[Chunk]] = []
    last: list[tuple[str, int]] = []
    for chunk in sorted(chunks, key=lambda chunk: (chunk.first, chunk.last, chunk.key)):
        if last and last[0][0] < chunk.first:
            _, number = heapq.heapreplace(last, (chunk.last, last[0][1]))
            rows[number].append(chunk)
        else:
            heapq.heappush(last, (chunk.last, len(rows)))
            rows.append([chunk])
    return rows


def many(chunks: Iterable[Chunk]) -> bool:
    """Whether ``fewer`` has to merge some of the chunks before ``merge`` reads them."""
    return len(in_rows(chunks)) > FAN_IN


def fewer(store: Store, name: Callable[[str], str], chunks: Sequence[Chunk]) -> tuple[Chunk, ...] | None:
    """Merge the shortest of the chunks into one, so that ``merge`` holds fewer of them open.

    None: they are few enough. ``name`` gives the key of the new chunk by a name that tells which chunks it is made of:
    who does it again writes the same object. The chunks that it replaces are left.
    """
    rows = in_rows(chunks)
    if len(rows) <= FAN_IN:
        return None
    rows.sort(key=lambda row: (sum(chunk.lines for chunk in row), row[0].key))
    merged = [chunk for row in rows[:FAN_IN] for chunk in row]
    digest = hashlib.sha256("\n".join(chunk.key for chunk in merged).encode()).hexdigest()
    key = name(f"merged-{digest}")
    writer = store.part_writer(f"{key.removesuffix(SUFFIX)}/")
    for line in merge(store, merged):
        writer.add_line(line)
    writer.end(key)
    first, last = min(chunk.first for chunk in merged), max(chunk.last for chunk in merged)
    whole = Chunk(key, first, last, sum(chunk.lines for chunk in merged))
    return (*(chunk for row in rows[FAN_IN:] for chunk in row), whole)


def few(store: Store, name: Callable[[str], str], chunks: Sequence[Chunk]) -> Sequence[Chunk]:
    """Merge chunks until ``merge`` takes them all at a time."""
    while (left := fewer(store, name, chunks)) is not None:
        chunks = left
    return chunks
