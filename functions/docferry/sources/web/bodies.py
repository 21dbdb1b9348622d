"""Bodies of answers: unpacked piece by piece, so that a small answer never becomes a large one unseen. Pure."""

import zlib
from collections.abc import Iterable, Iterator

from docferry.sources.web.failures import PageFailed, PageRefused

GZIP = b"\x1f\x8b"
PIECE = 65_536
# gzip's own header is expected: https://docs.python.org/3/library/zlib.html#zlib.decompress
_WITH_HEADER = 31


def gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What gzip data holds, in pieces of at most 64 KiB. Raises PageFailed when it is broken, or breaks off."""
    unpacker = zlib.decompressobj(_WITH_HEADER)
    begun = False
    for piece in pieces:
        rest = piece
        while rest:
            if unpacker.eof:  # one gzip file after another
                unpacker = zlib.decompressobj(_WITH_HEADER)
            try:
                unpacked = unpacker.decompress(rest, PIECE)
            except zlib.error as error:
                raise PageFailed(f"sent broken gzip data: {error}") from error
            begun = True
            rest = unpacker.unconsumed_tail or unpacker.unused_data
            if unpacked:
                yield unpacked
    while begun and not unpacker.eof:
        # What the unpacker still holds back; without more input, nothing means that the data broke off.
        unpacked = unpacker.decompress(unpacker.unconsumed_tail, PIECE)
        if not unpacked:
            raise PageFailed("sent gzip data that breaks off")
        yield unpacked


def gunzipped_if_packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip data, told by its first bytes and not by a name or type; give anything else as it is."""
    rest = iter(pieces)
    head = b""
    for piece in rest:
        head += piece
        if len(head) >= len(GZIP):
            break
    whole = _chained(head, rest)
    yield from gunzipped(whole) if head.startswith(GZIP) else whole


def capped(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The same pieces. Raises PageRefused as soon as they are more than ``most`` bytes."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise PageRefused(too_large(most))
        yield piece


def too_large(most: int) -> str:
    """Why a body of more than ``most`` bytes is refused."""
    return f"is larger than {most:,} bytes"


def _chained(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
