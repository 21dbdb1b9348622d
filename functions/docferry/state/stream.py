"""A stream of canonical lines on its way to S3."""

from msgspec import Struct

from docferry.state import lines
from docferry.state.lines import LineWriter


class Written(Struct, frozen=True):
    """A stream as written: how many lines, and the digest of the compressed object."""

    key: str
    lines: int
    sha256: str


class Stream:
    """A stream being written. ``written`` is there once the block that writes it has ended."""

    written: Written

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def add(self, record: object) -> None:
        """Write one record."""
        self._writer.write(lines.encode(record))

    def add_line(self, line: bytes) -> None:
        """Write one line that is encoded already."""
        self._writer.write(line)

    @property
    def count(self) -> int:
        """How many lines were written so far."""
        return self._writer.count
