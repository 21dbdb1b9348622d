"""Canonical lines: one JSON object a line, sorted by id, compressed with zstd. The format of every stream on S3.

Two equal documents have equal lines, so streams are compared without being parsed.
"""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import IO, Self, TypeVar

import msgspec
import zstandard

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")


class Probe(msgspec.Struct):
    """What is read of a line before it is decided whether to decode the rest."""

    id: str
    skipped: str | None = None


class Placed(msgspec.Struct):
    """What of a line says where the document is, and whether its id follows from that."""

    id: str
    locator: str | None = None
    origin: str = "source"


_place_decoder = msgspec.json.Decoder(Placed)
_probe_decoder = msgspec.json.Decoder(Probe)

# Some 200 lines. A merge holds a block of each of its streams.
BLOCK_BYTES = 64 * 1024
# Level 3 is zstd's default. A window of 512 KiB in place of 2 MiB costs a few per cent of size on such lines, and lets
# a merge hold many streams open: 100 of them in 50 MiB.
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(3, window_log=19)


def encode(record: object) -> bytes:
    """The canonical line of a record, without the line end."""
    return _encoder.encode(record)


def decode(line: bytes, kind: type[T]) -> T:
    """The record of a line. Raises msgspec.DecodeError when it is not one."""
    return msgspec.json.decode(line, type=kind)


def line_id(line: bytes) -> str:
    """The id of a line, without building the rest of the record."""
    return _probe_decoder.decode(line).id


def probe(line: bytes) -> Probe:
    """The id of a line of a listing, and whether it is a document at all."""
    return _probe_decoder.decode(line)


def placed(line: bytes) -> Placed:
    """The id of a line, and where its document is."""
    return _place_decoder.decode(line)


def has_own_id(line: bytes) -> bool:
    """Whether a line is a document of the source whose id is not ``<connector>/<locator>``: its sidecar names another.

    No name of a connector has a slash.
    """
    found = _place_decoder.decode(line)
    return found.locator is not None and found.origin == "source" and found.id.partition("/")[2] != found.locator


class LineWriter:
    """Writes compressed lines to a file object, and counts them. Closing ends the compressed frame, not the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self.count = 0
        self._stream = zstandard.ZstdCompressor(compression_params=_PARAMETERS).stream_writer(file, closefd=False)

    def write(self, line: bytes) -> None:
        """Add one line, given without its line end."""
        self.write_all([line])

    def write_all(self, lines: Sequence[bytes]) -> None:
        """Add lines: all at once takes less time than one by one."""
        if lines:
            self._stream.write(b"\n".join(lines) + b"\n")
            self.count += len(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the compressed frame."""
        self._stream.close()  # type: ignore[no-untyped-call]  # zstandard types it only in part


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a compressed file object, in blocks (see blocks.py)."""
    stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    begun = b""
    while read := stream.read(BLOCK_BYTES):
        whole, end, rest = read.rpartition(b"\n")
        if not end:
            begun += read
            continue
        yield begun + whole
        begun = rest
    if begun:
        yield begun


def is_document(line: bytes) -> bool:
    """Whether a line of a listing is a document: the other lines say why something was skipped."""
    return probe(line).skipped is None
