"""Streams of canonical lines on their way to S3 and back, through a temporary file in both directions."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from msgspec import Struct
from s3transfer.utils import S3_RETRYABLE_DOWNLOAD_ERRORS

from docferry.state import lines
from docferry.state.lines import LineWriter

# A stream under this many bytes never touches the disk.
SPOOL_BYTES = 4 * 1024 * 1024
# How often a download is begun that breaks off.
DOWNLOADS = 5


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """A temporary file that stays in memory up to SPOOL_BYTES. It closes itself when it is dropped.

    So a call that never begins, because one before it has failed, leaves nothing open.
    """

    def __init__(self) -> None:
        super().__init__(SPOOL_BYTES)

    def __del__(self) -> None:
        self.close()


class Missing(Exception):  # noqa: N818  # says what there is, and is always caught
    """There is no object under this key."""


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

    def add_lines(self, lines: Sequence[bytes]) -> None:
        """Write lines that are encoded already."""
        self._writer.write_all(lines)

    @property
    def count(self) -> int:
        """How many lines were written so far."""
        return self._writer.count


@contextmanager
def spooled(key: str, send: Callable[[IO[bytes]], None]) -> Iterator[Stream]:
    """Write a stream to a temporary file, and send it when the block has ended well. ``send`` closes the file."""
    file = Spool()
    with LineWriter(file) as writer:
        stream = Stream(writer)
        yield stream
    file.seek(0)
    stream.written = Written(key, writer.count, digest(file))
    file.seek(0)
    send(file)


def digest(file: IO[bytes]) -> str:
    """The SHA-256 digest of a file from where it stands to its end, in hexadecimal."""
    found = hashlib.sha256()
    while block := file.read(SPOOL_BYTES):
        found.update(block)
    return found.hexdigest()


def download(get: Callable[[], Any], file: IO[bytes]) -> None:
    """Write the body of an object to a file. ``get`` asks for it, again when a download breaks off."""
    for last in (*[False] * (DOWNLOADS - 1), True):
        try:
            body = get()
            file.seek(0)
            file.truncate()
            for block in body.iter_chunks(SPOOL_BYTES):
                file.write(block)
        except S3_RETRYABLE_DOWNLOAD_ERRORS:
            if last:
                raise
        else:
            return
