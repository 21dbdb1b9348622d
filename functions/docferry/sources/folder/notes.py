"""What ``files`` notes of the files it reads, so that the next crawl need not open those that have not changed."""

import os
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from docferry.model import ContentType
from docferry.sources.describing.sidecar import MAX_BYTES

# Git calls such a file "racily clean" (https://git-scm.com/docs/racy-git): written again within one tick of the file
# system's clock, it has the same stamp. FAT ticks every two seconds; the rest is for servers whose clock is late.
SETTLED_NS = 60 * 1_000_000_000

_FORMAT = Literal[1]
"""Count it up when a note has other members, or when fingerprint() finds other problems: old notes are then ignored."""


class Stamp(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the file system says of a file without opening it. Any write, and any other file in its place, changes it.

    The time of modification can be set back, the time of change cannot. Times are in nanoseconds.
    """

    size: int
    modified: int
    changed: int
    inode: int


class Content(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What reading a document has shown. ``stamp`` None: the file may change without changing its stamp."""

    stamp: Stamp | None
    content_type: ContentType
    size: int
    digest: str
    problem: str | None


class SidecarText(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A sidecar as it was read. It is parsed anew in every crawl, so a new version of Docferry may read it anew."""

    stamp: Stamp
    text: str


class Note(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What was read for one path: the document, its sidecar, or both."""

    format: _FORMAT
    path: str
    content: Content | None = None
    sidecar: SidecarText | None = None

    @classmethod
    def of(cls, path: bytes, content: Content | None, sidecar: SidecarText | None) -> "Note":
        """Note what can be recognized again."""
        return cls(1, path.decode(), content if content and content.stamp else None, sidecar)


NO_NOTE = Note(1, "")

_DECODER = msgspec.json.Decoder(Note)
_ENCODER = msgspec.json.Encoder()


class Notes:
    """The notes of the last crawl, read in step with a walk: both are in the byte order of the paths.

    Memory holds one note at a time. A line that is no note is passed over.
    """

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._next: tuple[bytes, Note] | None = (b"", NO_NOTE)

    def of(self, path: bytes) -> Note:
        """Return the note of a path, which sorts after those that were asked for before; NO_NOTE if there is none."""
        while self._next is not None and self._next[0] < path:
            self._next = self._read()
        return self._next[1] if self._next is not None and self._next[0] == path else NO_NOTE

    def _read(self) -> tuple[bytes, Note] | None:
        for line in self._lines:
            try:
                note = _DECODER.decode(line)
                return note.path.encode(), note
            except (msgspec.DecodeError, UnicodeEncodeError):
                continue
        return None


def encode(note: Note) -> bytes:
    """Return the line of a note."""
    return _ENCODER.encode(note)


def stamp(status: os.stat_result) -> Stamp:
    """Return the stamp of a file as it is now."""
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def settled(status: os.stat_result, *, size: int, before: int) -> Stamp | None:
    """Return the stamp of a file of which ``size`` bytes were read; None when a later write may leave it as it is.

    ``before`` is the time before the file was opened, in nanoseconds of the epoch.
    """
    times = (status.st_mtime_ns, status.st_ctime_ns)
    if status.st_size != size or min(times) < 0 or max(times) >= before - SETTLED_NS:
        return None
    return stamp(status)


def sidecar_text(data: bytes, stamp: Stamp | None) -> SidecarText | None:
    """Return what can be noted of a sidecar: nothing when it may change unseen, or is no text, or is too large."""
    if stamp is None or len(data) > MAX_BYTES:
        return None
    try:
        return SidecarText(stamp, data.decode())
    except UnicodeDecodeError:
        return None
