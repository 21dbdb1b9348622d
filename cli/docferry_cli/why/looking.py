"""Looks at the source now: at one place where it can, else by listing it up to a limit."""

import time
from collections.abc import Callable, Iterator
from itertools import islice

from msgspec import Struct

from docferry.crawl import inbox, known, listing
from docferry.model import Document, Listed, Skipped
from docferry.sources import Finder, Source
from docferry.state import manifest
from docferry.state.manifest import Pointer
from docferry_cli.targets import Opened
from docferry_cli.why import answer
from docferry_cli.why.answer import described
from docferry_cli.why.held import COMPARED, Name
from docferry_cli.why.places import Places, uri_of

SECONDS = 60.0
"""How long a source is listed to find one document."""

Step = Callable[[int], None]
"""Is told how many documents were listed so far."""


class Seen(Struct, frozen=True):
    """What the source has. ``listed`` is what it lists of the document, as the crawl would take it.

    ``says`` is the same for the answer. ``names`` are documents that were listed on the way. ``whole``: what was not
    seen is not there. ``place`` is given for what a setting leaves out. ``other``: the document that the source
    lists at the place, under another id.
    """

    says: answer.Source
    listed: Listed | None = None
    names: tuple[Name, ...] = ()
    whole: bool = True
    place: str = ""
    other: Document | None = None


NOT_ASKED = Seen(answer.Source(state="not asked", reason="--no-source was given"), whole=False)


def unreadable(problem: str) -> Seen:
    """What stands for a source that cannot be read."""
    reason = f"the source cannot be read from this machine: {problem}"
    return Seen(answer.Source(state="unknown", reason=reason), whole=False)


class Looker:
    """Looks at the source of an opened connector. ``limit`` is the most documents that are listed."""

    def __init__(self, opened: Opened, source: Source, *, limit: int, step: Step = lambda _: None) -> None:
        self.source = source
        self._opened = opened
        self._limit = limit
        self._step = step

    @property
    def direct(self) -> bool:
        """Whether the source can look at one place without listing the rest."""
        return isinstance(self.source, Finder)

    def at(self, locators: tuple[str, ...]) -> Seen | None:
        """Look at these places directly. None: the source cannot, or has nothing there."""
        if not isinstance(self.source, Finder):
            return None
        out: Seen | None = None
        for place in locators:
            sighting = self.source.find(place)
            if sighting.listed is not None:
                return seen(self._opened, sighting.listed)
            if sighting.left_out and out is None:
                out = Seen(answer.Source(state="left out", reason=sighting.reason), place=place)
        return out

    def among(self, places: Places, base: Pointer | None) -> Seen:
        """List the source until the document comes, or the limit is reached."""
        names: list[Name] = []
        count = 0
        until = time.monotonic() + SECONDS
        for entry in islice(self._entries(base), self._limit):
            count += 1
            self._step(count)
            uri = uri_of(entry) if isinstance(entry, Document) else None
            if places.fits(entry.id, _locator(entry), uri):
                return seen(self._opened, entry, tuple(names))
            if len(names) < COMPARED:
                names.append(Name(entry.id, _locator(entry)))
            if time.monotonic() >= until:
                break
        else:
            if count < self._limit:
                return Seen(answer.Source(state="absent", reason="the source does not list it"), None, tuple(names))
        reason = f"it is not among the first {count:,} documents that the source lists; --limit lists more"
        return Seen(answer.Source(state="unknown", reason=reason), None, tuple(names), whole=False)

    def _entries(self, base: Pointer | None) -> Iterator[Listed]:
        store, part = self._opened.store, self._opened.connector.source
        # As a crawl does: what has not changed since the last one is not read again.
        before = known.Known(lambda: manifest.documents(store, base), lambda: known.notes(store, part), "why")
        for page in self.source.pages(None, before):
            yield from page.listed


def handed_in(opened: Opened, id_: str) -> Seen | None:
    """Look into the inbox, which is listed after the source."""
    found = inbox.handed_in(opened.store, id_)
    return seen(opened, found) if found is not None else None


def seen(opened: Opened, entry: Listed, names: tuple[Name, ...] = ()) -> Seen:
    """What is listed, as the crawl takes it: the index or the connector may refuse it."""
    taken = listing.admitted(entry, opened.index, opened.connector.access, opened.expansion)
    document = described(entry) if isinstance(entry, Document) else None
    if isinstance(taken, Skipped):
        return Seen(answer.Source(state="skipped", reason=taken.skipped, document=document), taken, names)
    return Seen(answer.Source(state="listed", document=document), taken, names)


def _locator(entry: Listed) -> str:
    return entry.locator or ""
