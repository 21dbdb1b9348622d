"""Some documents of the manifest, found without reading all of it: only the parts that they can be in are read."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from docferry.state import lines, manifest
from docferry.state.manifest import Pointer
from docferry.state.parts import Part
from docferry.state.store import Store


class Lookup:
    """Finds documents in one manifest, by id or by place. A manifest of one object, as up to format 1, is read whole.

    Every method raises ManifestInvalid.
    """

    def __init__(self, store: Store, current: Pointer | None) -> None:
        self._store = store
        self._current = current

    def of_ids(self, ids: Collection[str]) -> Iterator[bytes]:
        """The lines of the documents that the manifest has of these ids, sorted by id."""
        ordered, wanted = sorted(ids), frozenset(ids)

        def may_have(part: Part) -> bool:
            place = bisect_left(ordered, part.first)
            return place < len(ordered) and ordered[place] <= part.last

        return (line for line in self._lines(may_have) if lines.line_id(line) in wanted) if wanted else iter(())

    def of_places(self, locators: Collection[str]) -> Iterator[bytes]:
        """The lines of the documents of the source at these places whose sidecars name their ids, sorted by id.

        A part is not read when no document in it has an id of its own.
        """
        wanted = frozenset(locators)

        def is_there(line: bytes) -> bool:
            placed = lines.placed(line)
            return placed.locator in wanted and placed.origin == "source"

        return filter(is_there, self._lines(lambda part: part.own_ids != 0)) if wanted else iter(())

    @cached_property
    def _parts(self) -> tuple[Part, ...] | None:
        return manifest.parts(self._store, self._current)

    def _lines(self, wanted: Callable[[Part], bool]) -> Iterator[bytes]:
        if self._parts is None:
            return manifest.documents(self._store, self._current)
        return manifest.lines_of(self._store, filter(wanted, self._parts))
