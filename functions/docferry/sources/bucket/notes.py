"""What ``s3`` notes of a listing: sidecars that need not be read again, and where the listing can be divided.

A note is a JSON array, and the notes are in the order of the keys. S3 lists keys in the order of UTF-8, which is the
order in which Python compares texts.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct, field

# A longer sidecar is read in each crawl: the notes of the ranges that are listed at a time are held in memory.
MAX_BYTES = 4_096


class Note(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A sidecar as it was read: its key, its ETag then, and what it says. It is parsed anew in every crawl.

    Without an ETag: a key after which the listing can be divided.
    """

    format: Literal[1]
    key: str
    etag: str = ""
    text: str = ""


class Range(Struct, frozen=True):
    """The keys after ``after``, up to ``until`` and with it. None: from the first key, to the last.

    ``notes`` are those of the sidecars in it, by key.
    """

    after: str | None
    until: str | None = None
    notes: dict[str, Note] = field(default_factory=dict)


_DECODER = msgspec.json.Decoder(Note)
_ENCODER = msgspec.json.Encoder()


def of_sidecar(key: str, etag: str, data: bytes) -> bytes | None:
    """The note of a sidecar; None when it is too long, or no text."""
    if len(data) > MAX_BYTES:
        return None
    try:
        return _ENCODER.encode(Note(1, key, etag, data.decode()))
    except UnicodeDecodeError:
        return None


def of_boundary(key: str) -> bytes:
    """The note that a listing can be divided after a key."""
    return _ENCODER.encode(Note(1, key))


def ranges(lines: Iterator[bytes], after: str | None) -> Iterator[Range]:
    """Divide what comes after a key into ranges, which follow each other without a gap. The last one has no end.

    A line that is no note is passed over. Memory holds the notes of one range.
    """
    noted: dict[str, Note] = {}
    for line in lines:
        try:
            note = _DECODER.decode(line)
        except msgspec.DecodeError:
            continue
        if note.etag:
            noted[note.key] = note
            continue
        if after is None or note.key > after:
            yield Range(after, note.key, noted)
            after = note.key
        noted = {}
    yield Range(after, None, noted)
