"""Sitemaps: https://www.sitemaps.org/protocol.html.

A sitemap is read to its end or counts as broken. The parsers there are take one that breaks off for whole, and every
page after the break would be deleted from the index.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from xml.parsers import expat  # it reads no DTD and no entities: see _Reader

from msgspec import Struct

from docferry.sources.web import urls
from docferry.sources.web.bodies import capped, gunzipped_if_packed
from docferry.sources.web.failures import PageFailed, PageRefused
from docferry.sources.web.fetcher import Fetcher
from docferry.sources.web.robots import redirected

MOST_BYTES = 50 * 1024 * 1024
"""What a sitemap may have, unpacked."""
DEEPEST = 5
"""An index may name indexes, though the protocol does not foresee it."""
MOST_SITEMAPS = 50_000
HOPS = 5
DAY = 86_400


class Entry(Struct, frozen=True):
    """A page of a sitemap, or with ``index`` another sitemap. ``lastmod`` as it is written."""

    url: str
    lastmod: str = ""
    index: bool = False


class Broken(Struct, frozen=True):
    """A sitemap that could not be read to its end, and why. Which pages it names is not known."""

    url: str
    reason: str


def pages(fetcher: Fetcher, roots: Iterable[str]) -> Iterator[Entry | Broken]:
    """Every page of some sitemaps and of those that they name; pages may come more than once."""
    seen = dict.fromkeys(roots)
    ahead = deque((root, 0) for root in seen)
    while ahead:
        url, depth = ahead.popleft()
        try:
            for entry in _read(fetcher, url):
                if not entry.index:
                    yield entry
                elif entry.url not in seen:
                    _check(fetcher, entry.url, depth + 1, len(seen))
                    seen[entry.url] = None
                    ahead.append((entry.url, depth + 1))
        except (PageFailed, PageRefused) as error:
            yield Broken(url, f"the sitemap {error}")


def moment(lastmod: str) -> datetime | None:
    """When a lastmod says that a page has changed; None for what is no date."""
    try:
        moment = datetime.fromisoformat(lastmod)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def covers(lastmod: str, fetched: float) -> bool:
    """Whether a page that was fetched then, in seconds since 1970, was as a lastmod describes it."""
    changed = moment(lastmod)
    # A day goes on after its name is written: what is fetched on it may change once more.
    rest = DAY if len(lastmod) <= len("2026-01-31") else 0
    return changed is not None and fetched > changed.timestamp() + rest


def parsed(pieces: Iterable[bytes], base: str) -> Iterator[Entry]:
    """The entries of a sitemap, while it arrives. Raises PageFailed when it is broken."""
    reader = _Reader(base)
    try:
        for piece in pieces:
            reader.parser.Parse(piece, False)  # noqa: FBT003  # expat takes it by position
            yield from reader.taken()
        reader.parser.Parse(b"", True)  # noqa: FBT003
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise PageFailed(f"is broken: {error}") from error
    yield from reader.taken()


def _check(fetcher: Fetcher, url: str, depth: int, count: int) -> None:
    if depth > DEEPEST or count >= MOST_SITEMAPS:
        raise PageRefused(f"names more sitemaps than are read: {DEEPEST} levels, {MOST_SITEMAPS:,} in all")
    if not fetcher.scope.has_host(url):
        raise PageRefused(f"names {url}, which is on another host; add it to hosts")


def _read(fetcher: Fetcher, url: str) -> Iterator[Entry]:
    for _ in range(HOPS + 1):
        with fetcher.reply(url) as reply:
            target = redirected(reply)
            if target is None:
                if reply.status != 200:  # noqa: PLR2004  # OK
                    raise PageRefused(f"answered {reply.status}")
                pieces = capped(gunzipped_if_packed(reply.pieces(MOST_BYTES)), MOST_BYTES)
                yield from parsed(pieces, url)
                return
        if not fetcher.scope.has_host(target):
            raise PageRefused(f"redirects to {target}, which is on another host; add it to hosts")
        url = target
    raise PageFailed(f"redirects more than {HOPS} times")


class _Reader:
    """Collects entries from the events of an XML parser. A DTD is refused before anything in it counts."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._found: list[Entry] = []
        self._place: list[str] = []
        self._text = ""
        self._loc = self._lastmod = ""
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def taken(self) -> list[Entry]:
        """What was found since the last time."""
        found, self._found = self._found, []
        return found

    def _refuse(self, *_: object) -> None:
        raise ValueError("it has a DTD, which no sitemap needs")

    def _start(self, name: str, _: object) -> None:
        local = name.rpartition(" ")[2]
        if not self._place and local not in ("urlset", "sitemapindex"):
            raise ValueError(f"it is no sitemap: it begins with <{local[:40]}>")
        if len(self._place) > 10:  # noqa: PLR2004  # extensions nest three levels
            raise ValueError("its elements are nested too deep")
        self._place.append(local)
        self._text = ""

    def _data(self, text: str) -> None:
        if len(self._text) <= urls.MAX_LENGTH:
            self._text += text

    def _end(self, _: str) -> None:
        match self._place:
            case [_, "url" | "sitemap", "loc"]:
                self._loc = self._text.strip()
            case [_, "url" | "sitemap", "lastmod"]:
                self._lastmod = self._text.strip()
            case [_, "url" | "sitemap" as kind]:
                if url := urls.normal(self._loc, self._base):
                    self._found.append(Entry(url, self._lastmod[:40], index=kind == "sitemap"))
                self._loc = self._lastmod = ""
        self._place.pop()
        self._text = ""
