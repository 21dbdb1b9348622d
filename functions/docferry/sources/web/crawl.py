"""A crawl of websites: from sitemaps or from links to the pages, each page one document."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec import structs

from docferry.errors import SourceUnavailable
from docferry.sources.records.record import Record, Skip
from docferry.sources.web import seeds, sitemaps, urls
from docferry.sources.web.documents import document
from docferry.sources.web.failures import PageFailed, PageRefused
from docferry.sources.web.notes import WHOLE, Note, Notebook, Remembered
from docferry.sources.web.pages import Found, Pages
from docferry.sources.web.robots import Robots
from docferry.sources.web.seeds import Visit
from docferry.sources.web.settings import WebSettings
from docferry.sources.web.sitemaps import Broken

HOPS = 10
"""How many redirects are followed one after the other."""


class Crawl:
    """Goes to every page once. A page that cannot be read is skipped, so that what is indexed of it stays."""

    def __init__(
        self,
        *,
        settings: WebSettings,
        scope: urls.Scope,
        pages: Pages,
        robots: Robots,
        remembered: Remembered,
        keep: Callable[[bytes], None],
    ) -> None:
        self._settings = settings
        self._scope = scope
        self._pages = pages
        self._robots = robots
        self._remembered = remembered
        self._keep_line = keep
        self._follows = bool(settings.start) and settings.sitemap is None
        self._notebook = Notebook()
        self._ahead: deque[Visit] = deque()
        self._known: set[str] = set()
        self._done: set[str] = set()
        self._listed: set[str] = set()
        self._missed: set[str] = set()
        self._aliases: dict[str, Note] = {}
        self._read = 0
        self._failure = ""
        self._incomplete = False
        self._shaky = False
        self._cut = False

    def items(self) -> Iterator[Record | Skip]:
        """Every page. Raises SourceUnavailable when there is nothing at all that can be read."""
        for item in self._items():
            self._incomplete |= isinstance(item, Skip) and item.incomplete
            yield item
        self._end()

    def _items(self) -> Iterator[Record | Skip]:
        yield from self._begin()
        while self._ahead and len(self._done) < self._settings.max_pages:
            visit = self._ahead.popleft()
            self._done.add(visit.url)
            yield from self._visit(visit)
        if self._failure and not self._read:
            raise SourceUnavailable(f"no page can be read; the first: {self._failure}")
        if self._shaky and not self._ahead:
            yield from self._lost()
        if self._ahead:
            self._cut = True
            yield Skip(
                id=self._ahead[0].url,
                reason=f"is not looked at: the crawl ends after {self._settings.max_pages:,} pages (max_pages)",
                incomplete=True,
            )

    def _begin(self) -> Iterator[Skip]:
        if self._follows:
            for url in self._settings.start:
                self._go(seeds.normal(url))
            return
        broken: list[Broken] = []
        found = False
        for entry in seeds.entries(self._settings, self._scope, self._robots, self._pages.fetcher):
            if isinstance(entry, Broken):
                broken.append(entry)
                self._cut = True
                yield Skip(id=entry.url, reason=entry.reason, incomplete=True)
                continue
            found = True
            if self._scope.selects(entry.url):
                self._go(entry.url, lastmod=entry.lastmod)
            if len(self._ahead) > self._settings.max_pages:
                return
        if broken and not found:
            raise SourceUnavailable(f"no sitemap can be read; the first: {broken[0].url}: {broken[0].reason}")

    def _go(self, url: str, *, depth: int = 0, hops: int = 0, lastmod: str = "") -> None:
        # With one page more than the bound the listing is incomplete already; others need no memory.
        if url not in self._known and len(self._known) <= self._settings.max_pages:
            self._known.add(url)
            self._ahead.append(Visit(url, depth, hops, lastmod))

    def _visit(self, visit: Visit) -> Iterator[Record | Skip]:
        before = self._remembered.get(visit.url)
        try:
            if not self._robots.allow(visit.url):
                yield from self._without_document(visit.url)
                return
            found = self._found(visit, before)
        except (PageFailed, PageRefused) as error:
            yield from self._failed(visit, before, str(error), refused=isinstance(error, PageRefused))
            return
        self._read += 1
        if found is None:
            yield from self._without_document(visit.url)
            return
        if found.note.target:
            yield from self._redirected(visit, found.note, before)
            return
        links = self._remembered.links(before) if found.links is None and before else found.links or ()
        note = self._keep(found.note, links)
        self._follow(visit, links)
        yield from self._page(visit, note, found.content)

    def _found(self, visit: Visit, before: Note | None) -> Found | None:
        """A page as it is now; without a request when its sitemap can be trusted that it has not changed."""
        if (
            self._settings.trust_lastmod
            and before is not None
            and not before.target
            and visit.lastmod == before.lastmod
            and sitemaps.covers(visit.lastmod, before.fetched)
        ):
            return Found(before, links=None)
        return self._pages.fetch(visit.url, before, visit.lastmod)

    def _page(self, visit: Visit, note: Note, content: bytes | None) -> Iterator[Record | Skip]:
        if note.hidden or not self._scope.selects(note.url):
            yield from self._without_document(note.url)
        elif not self._defers(visit, note):
            yield self._item(note, content)
        elif note.canonical in self._missed:
            yield self._waiting(note)

    def _defers(self, visit: Visit, note: Note) -> bool:
        """Whether a page leaves it to its canonical address to be the document.

        That address must belong to the source, and must not turn out to be no document itself.
        """
        canonical = note.canonical
        if not canonical or canonical == note.url or not self._scope.selects(canonical):
            return False
        if canonical in self._done:
            return canonical in self._listed
        self._aliases.setdefault(canonical, note)
        self._go(canonical, depth=visit.depth)
        return True

    def _without_document(self, url: str) -> Iterator[Record | Skip]:
        """An address that is no document; a page that took it for its canonical address is one after all."""
        alias = self._aliases.pop(url, None)
        if alias is not None and alias.url not in self._listed:
            yield self._item(alias, None)

    def _redirected(self, visit: Visit, note: Note, before: Note | None) -> Iterator[Record | Skip]:
        target, alias = note.target, self._aliases.pop(visit.url, None)
        if visit.hops >= HOPS:
            self._aliases.update({visit.url: alias} if alias else {})
            yield from self._failed(visit, before, f"redirects more than {HOPS} times", refused=True)
            return
        belongs = self._scope.reaches(target) if self._follows else self._scope.selects(target)
        if belongs:
            self._go(target, depth=visit.depth, hops=visit.hops + 1)
        if note.temporary:
            yield from self._away(visit, note, before)
        else:
            self._keep(note, ())
        if alias is not None and (note.temporary or target in self._missed):
            yield self._waiting(alias)
        if alias is None or target in self._listed:
            return
        if belongs and target not in self._done:
            self._aliases.setdefault(target, alias)
        elif alias.url not in self._listed:
            yield self._item(alias, None)

    def _away(self, visit: Visit, note: Note, before: Note | None) -> Iterator[Skip]:
        """A page that redirects for now, perhaps to a login page: it, and all that it led to, may still be there."""
        self._listed.add(visit.url)
        reason = f"redirects to {note.target} for now; what is indexed of it stays"
        was_redirect = before is not None and bool(before.target)
        yield self._skip(visit, before, reason, hides=self._follows and not was_redirect, final=True)
        if before is None or before.target:
            self._keep(note, ())
        else:
            self._stay(visit, before)

    def _failed(self, visit: Visit, before: Note | None, reason: str, *, refused: bool) -> Iterator[Record | Skip]:
        """A page that cannot be read: it, and all that it led to, stays as it is."""
        self._failure = self._failure or f"{visit.url} {reason}"
        self._listed.add(visit.url)
        hides = before is not None or not refused if self._follows else before is None
        yield self._skip(visit, before, reason, hides=hides, final=refused)
        alias = self._aliases.pop(visit.url, None)
        if before is not None:
            self._stay(visit, before)
        if alias is not None:
            yield self._waiting(alias)

    def _waiting(self, alias: Note) -> Skip:
        """A page that leaves it to another to be the document, while the other cannot be read."""
        self._listed.add(alias.url)
        return Skip(id=alias.url, reason=f"leaves it to {alias.canonical} to be the document, which cannot be read")

    def _skip(self, visit: Visit, before: Note | None, reason: str, *, hides: bool, final: bool) -> Skip:
        """A page that may still be there. ``hides``: other documents may be known through it alone.

        Those that have a note are looked for at the end. When there may be others, nothing can be said about them.
        ``final``: the next crawl will hear the same, so this one has learned all that there is to know.
        """
        self._missed.add(visit.url)
        self._shaky |= hides
        unsure = not self._remembered.whole and (self._follows or before is None)
        self._cut |= unsure and not final
        return Skip(id=visit.url, reason=reason, incomplete=unsure)

    def _lost(self) -> Iterator[Skip]:
        """The documents of the last crawl to which nothing leads now, while some pages cannot be read.

        One that is not there any more is gone. Another stays: a page that cannot be read may lead to it.
        """
        for note in self._remembered:
            if note.url in self._known or note.target or note.hidden:
                continue
            if len(self._done) >= self._settings.max_pages:
                self._ahead.append(Visit(note.url))
                return
            self._done.add(note.url)
            if self._is_there(note):
                self._keep(note, self._remembered.links(note))
                yield Skip(id=note.url, reason="no page leads to it, but some cannot be read; it stays until they can")

    def _is_there(self, note: Note) -> bool:
        try:
            if not self._robots.allow(note.url):
                return False
            found = self._pages.fetch(note.url, note)
        except (PageFailed, PageRefused):
            return True
        return found is not None and (not found.note.target or found.note.temporary)

    def _stay(self, visit: Visit, before: Note) -> None:
        """Take a page for what it was in the last crawl, and go on to all that it led to."""
        links = self._remembered.links(before)
        self._keep(before, links)
        self._follow(visit, links)
        for url in (before.target, before.canonical):
            if url and self._scope.reaches(url):
                self._go(url, depth=visit.depth, hops=visit.hops + 1)

    def _follow(self, visit: Visit, links: Iterable[str]) -> None:
        if self._follows and visit.depth < self._settings.max_depth:
            for link in links:
                if self._scope.reaches(link):
                    self._go(link, depth=visit.depth + 1)

    def _item(self, note: Note, content: bytes | None) -> Record | Skip:
        self._listed.add(note.url)
        return document(note, content, self._pages)

    def _keep(self, note: Note, links: Iterable[str]) -> Note:
        """Write a note for the next crawl; return it as it was written."""
        kept = [link for link in links if self._scope.reaches(link)] if self._follows else []
        note = structs.replace(note, number=self._notebook.number(note.url), links=self._notebook.links(kept))
        self._keep_line(self._notebook.written(note))
        return note

    def _end(self) -> None:
        """Keep what was known of the pages that an incomplete crawl did not come to."""
        if self._incomplete:
            for note in self._remembered:
                if note.url not in self._done:
                    self._keep(note, self._remembered.links(note))
        for line in self._notebook.mentioned():
            self._keep_line(line)
        if self._remembered.whole or not self._cut:
            self._keep_line(WHOLE)
