"""A stream in parts: objects that follow each other, each small enough for a temporary file, and a list of them.

Whoever reads from the middle on opens only the parts from there. Whoever writes goes on after the last whole part, in
another invocation too, and takes over the parts in which nothing has changed.
"""

import tempfile
from collections.abc import Callable, Iterable
from typing import IO

import msgspec
from msgspec import Struct

from docferry.state import lines
from docferry.state.lines import LineWriter
from docferry.state.stream import SPOOL_BYTES, digest

PART_LINES = 50_000
"""Lines of a part: some 7 MB compressed, with real names."""
PART_BYTES = 64_000_000
"""Bytes of a part before they are compressed. Lines of 30 KB, with long lists of access control, make short parts."""
PARTS_AHEAD = 2
"""Parts that are read ahead. With the one that is in use, three temporary files of SPOOL_BYTES in memory at most."""


class Part(Struct, frozen=True):
    """One part of a stream: its key, its first and last id, how many lines it has, and the digest of the object.

    ``own_ids`` counts the documents whose id their place does not tell; None: they were not counted.
    """

    key: str
    first: str
    last: str
    lines: int
    sha256: str
    own_ids: int | None = None


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

    @property
    def lines(self) -> int:
        """How many lines the part has that is being written."""
        return self._open.count if self._open else 0

    def add(self, record: object) -> None:
        """Write one record."""
        self.add_line(lines.encode(record))

    def add_line(self, line: bytes) -> None:
        """Write one line that is encoded already."""
        if self._open is None:
            self._open = _Unfinished()
        self._open.add(line)
        if self._open.count == PART_LINES or self._open.bytes >= PART_BYTES:
            self.end_part()

    def take_over(self, part: Part) -> None:
        """Make a part that is there already the next one."""
        self.end_part()
        self.parts.append(part)

    def end_part(self) -> None:
        """Write the part that was begun, so that the next line begins another."""
        if self._open is not None:
            unfinished, self._open = self._open, None
            file, sha256 = unfinished.close()
            key = f"{self._prefix}{len(self.parts):05}-{sha256[:16]}.jsonl.zst"
            self._send(key, file)
            first, last = lines.line_id(unfinished.first), lines.line_id(unfinished.last)
            self.parts.append(Part(key, first, last, unfinished.count, sha256, unfinished.own_ids))


class _Unfinished:
    """A part on its way. ``bytes`` are those of its lines before they are compressed."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115  # whoever sends the part closes it
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
