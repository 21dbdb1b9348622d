"""A stream in parts: objects that follow each other, each small enough for a temporary file, and a list of them.

A reader that begins in the middle opens only the parts from there. Whoever writes goes on after the last whole part, in
another invocation too, and takes over the parts in which nothing has changed.
"""

import io
from collections.abc import Callable, Iterable
from math import ceil
from typing import IO

import msgspec
from msgspec import Struct

from docferry.state import lines
from docferry.state.lines import LineWriter
from docferry.state.stream import Spool, digest

PART_LINES = 50_000
"""Lines of a part: some 7 MB compressed, with real names."""
PART_BYTES = 64_000_000
"""Bytes of a part before they are compressed. Lines of 30 KB, with long lists of access control, make short parts."""
PARTS_AHEAD = 2
"""Parts that are read ahead. With the one that is in use, three temporary files of SPOOL_BYTES in memory at most."""


LARGEST = 2
"""A part that is written anew may grow to so many times the usual size, before it becomes two of half of that."""
SHORT = 0.25
"""A part of less than this share of the usual size is joined with what is written after it."""


class Part(Struct, frozen=True):
    """One part of a stream: its key, its first and last id, how many lines it has, and the digest of the object.

    ``bytes`` are those of its lines before they are compressed. ``own_ids`` counts the documents whose id their place
    does not tell; None: they were not counted.
    """

    key: str
    first: str
    last: str
    lines: int
    sha256: str
    bytes: int = 0
    own_ids: int | None = None

    @property
    def short(self) -> bool:
        """Whether it should be joined with what is written after it."""
        return max(self.lines / PART_LINES, self.bytes / PART_BYTES) < SHORT


def read_parts(file: IO[bytes]) -> tuple[Part, ...] | None:
    """The parts that a file lists. None when it is a stream itself; either way the file stands at its start."""
    is_list = file.read(1) == b"["
    file.seek(0)
    return msgspec.json.decode(file.read(), type=tuple[Part, ...]) if is_list else None


class PartWriter:
    """Writes sorted lines to parts.

    ``send`` writes a finished part to its key, and closes the file. The key has the number and the digest of the part:
    two that write different parts never write over each other. ``before`` are the parts that come before the new ones.
    """

    def __init__(self, prefix: str, send: Callable[[str, IO[bytes]], None], before: Iterable[Part] = ()) -> None:
        self._prefix = prefix
        self._send = send
        self.parts = list(before)
        self._open: _Unfinished | None = None
        self._most_lines, self._most_bytes = PART_LINES, PART_BYTES

    def expect(self, lines_: int, bytes_: int) -> None:
        """Say how much comes now at most. It becomes one part, or, where that is too much, parts of one size.

        So a part to which each run adds a few lines leaves no short one behind each time.
        """
        by_lines, by_bytes = lines_ / PART_LINES, bytes_ / PART_BYTES
        self._most_lines, self._most_bytes = LARGEST * PART_LINES, LARGEST * PART_BYTES
        pieces = ceil(max(by_lines, by_bytes))
        if pieces > LARGEST and by_lines >= by_bytes:
            self._most_lines = ceil(lines_ / pieces)
        elif pieces > LARGEST:
            self._most_bytes = ceil(bytes_ / pieces)

    def add(self, record: object) -> None:
        """Write one record."""
        self.add_line(lines.encode(record))

    def add_line(self, line: bytes) -> None:
        """Write one line that is encoded already."""
        if self._open is None:
            self._open = _Unfinished()
        self._open.add(line)
        if self._open.count >= self._most_lines or self._open.bytes >= self._most_bytes:
            self.end_part()

    def end_part(self) -> None:
        """Write the part that was begun, so that the next line begins another."""
        if self._open is not None:
            unfinished, self._open = self._open, None
            file, sha256 = unfinished.close()
            key = f"{self._prefix}{len(self.parts):05}-{sha256[:16]}.jsonl.zst"
            self._send(key, file)
            first, last = lines.line_id(unfinished.first), lines.line_id(unfinished.last)
            size, own_ids = unfinished.bytes, unfinished.own_ids
            self.parts.append(Part(key, first, last, unfinished.count, sha256, size, own_ids))

    def end(self, key: str) -> None:
        """Write the rest, and make all of it the stream under a key: in one object, where no part was ended before."""
        if not self.parts:
            file, _ = (self._open or _Unfinished()).close()
            self._open = None
            self._send(key, file)
        else:
            self.end_part()
            self._send(key, io.BytesIO(lines.encode(self.parts)))


class _Unfinished:
    """A part on its way. ``bytes`` are those of its lines before they are compressed."""

    def __init__(self) -> None:
        self._file = Spool()
        self._writer = LineWriter(self._file)
        self.bytes = self.own_ids = 0
        self.first = self.last = b""

    @property
    def count(self) -> int:
        return self._writer.count

    def add(self, line: bytes) -> None:
        self._writer.write(line)
        self.bytes += len(line)
        self.own_ids += lines.has_own_id(line)
        self.first = self.first or line
        self.last = line

    def close(self) -> tuple[IO[bytes], str]:
        """End the part; give its file, at the start, and the digest of it."""
        self._writer.close()
        self._file.seek(0)
        sha256 = digest(self._file)
        self._file.seek(0)
        return self._file, sha256
