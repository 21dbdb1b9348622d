"""Which documents the new index will hold, and which not, by merging what is known of both. Pure.

Every stream is sorted by id. The ids of a connector are `<connector>/<rest>`, and the rest is the same in both, so the
streams are merged by it: memory holds one document of each.
"""

from collections.abc import Iterable, Iterator
from heapq import merge as merged
from itertools import groupby
from operator import itemgetter

from msgspec import Struct

from docferry.model import Document
from docferry.reporting.report import Failure
from docferry_cli.migration.facts import Missing


class Sources(Struct, frozen=True):
    """What is merged. ``old`` is what the old index holds, ``coming`` what the new one holds or gets.

    ``refused`` says why something does not get there. One that is in both ``coming`` and ``refused`` comes: another
    document of the source wanted its id.
    """

    old: Iterable[Document]
    coming: Iterable[Document]
    refused: Iterable[Failure]


class Arrivals:
    """Reads the streams once. ``sample`` is a document that comes, and that not everybody may see."""

    def __init__(self, names: tuple[str, str], sources: Sources) -> None:
        self.sample: tuple[str, Document] | None = None
        self._old, self._new = names
        self._sources = sources

    def missing(self) -> Iterator[Missing]:
        """What the new index will not hold, sorted by what the ids have in common."""
        sources = self._sources
        streams: tuple[Iterator[tuple[str, Document | Failure, bool]], ...] = (
            ((rest(one.id), one, True) for one in sources.old),
            ((rest(one.id), one, False) for one in sources.coming),
            ((rest(one.id), one, False) for one in sources.refused),
        )
        for id_, group in groupby(merged(*streams, key=itemgetter(0)), key=itemgetter(0)):
            found = list(group)
            held = next((one for _, one, is_old in found if is_old and isinstance(one, Document)), None)
            coming = next((one for _, one, is_old in found if not is_old and isinstance(one, Document)), None)
            reasons = dict.fromkeys(one.reason for _, one, _ in found if isinstance(one, Failure))
            if coming is None:
                yield Missing(id_, "; ".join(reasons) or self._not_listed(held), held is not None)
            elif self.sample is None and coming.access_control:
                self.sample = id_, coming

    def _not_listed(self, held: Document | None) -> str:
        if held is not None and held.origin == "inbox":
            return f"came through the inbox of {self._old}: hand it in to that of {self._new}, too"
        return "the source does not list it any more"


def rest(id_: str) -> str:
    """What comes after the connector's name in an id."""
    return id_.partition("/")[2]
