"""What a source may ask about the time before its crawl: what the index holds, and its own notes."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

from msgspec import Struct, structs

from docferry.connector import Part
from docferry.model import Document
from docferry.state import lines
from docferry.state.keys import NOTED, NOTES
from docferry.state.store import Store
from docferry.state.stream import Written

LOWER_BITS = 56
"""Those of a digest of eight bytes that are below its highest byte."""


class Noted(Struct, frozen=True):
    """The notes of the last whole listing (``notes/current.json``), and the settings that it was listed with."""

    source: Part
    streams: tuple[Written, ...]


class Known:
    """See docferry.sources.source.Known. Memory holds eight bytes for each document of the manifest.

    Those are 80 MB for ten million documents.

    ``manifest`` gives its lines. ``salt`` differs from run to run: two documents that are taken for one in this run are
    not in the next.
    """

    def __init__(
        self, manifest: Callable[[], Iterable[bytes]], notes: Callable[[], Iterator[bytes]], salt: str
    ) -> None:
        self._manifest = manifest
        self._salt = blake2b(salt.encode(), digest_size=32).digest()
        self._held: list[array[int]] = []
        self.notes = notes

    def holds(self, document: Document) -> bool:
        """Whether the manifest has the document as it is described; its time of change does not count."""
        if not self._held:
            self._held = self._read()
        digest = self._digest(lines.encode(document))
        held = self._held[digest >> LOWER_BITS]
        place = bisect_left(held, digest)
        return place < len(held) and held[place] == digest

    def _read(self) -> "list[array[int]]":
        """The digests of the manifest, sorted, by their highest byte: a number takes 40 bytes while it is sorted."""
        found = [array("Q") for _ in range(256)]
        for line in self._manifest():
            digest = self._digest(line)
            found[digest >> LOWER_BITS].append(digest)
        for number, some in enumerate(found):
            found[number] = array("Q", sorted(some))
        return found

    def _digest(self, line: bytes) -> int:
        if b'"updated_at"' in line:
            line = lines.encode(structs.replace(lines.decode(line, Document), updated_at=None))
        return int.from_bytes(blake2b(line, digest_size=8, key=self._salt).digest())


def notes(store: Store, source: Part) -> Iterator[bytes]:
    """The notes of the last whole listing with the same settings; none when they cannot be read.

    They only save work. If something is wrong with them, the source gets none of the rest.
    """
    try:
        record = store.read(NOTED, Noted)
        for stream in record.value.streams if record and record.value.source == source else ():
            yield from store.lines(stream.key, stream.sha256)
    except Exception:  # noqa: BLE001  # a note that is lost is made again
        return


def keep(store: Store, source: Part, streams: tuple[Written, ...]) -> None:
    """Make these the notes, and remove all others."""
    store.write(NOTED, Noted(source, streams))
    kept = {NOTED, *(stream.key for stream in streams)}
    store.delete_all(key for key in store.keys(NOTES) if key not in kept)
