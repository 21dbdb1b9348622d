"""Any website with any history: an index that follows it loses nothing, and ends up like the website."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from docferry.model import Document, Skipped
from tests.unit.sources.web.site import Crawled, Memory, Site, crawl, website

PATHS = [f"/{number or ''}" for number in range(7)]


class Truth(Struct, frozen=True):
    """What a page is when it can be read: gone, moved for good, or there; what it says."""

    kind: str
    links: tuple[str, ...]
    target: str
    canonical: str
    hidden: bool
    text: int


TRUTHS = st.builds(
    Truth,
    kind=st.sampled_from(["page", "page", "page", "page", "gone", "moved"]),
    links=st.lists(st.sampled_from(PATHS), max_size=3).map(tuple),
    target=st.sampled_from(PATHS),
    canonical=st.sampled_from(["", "", "", *PATHS]),
    hidden=st.sampled_from([False, False, False, True]),
    text=st.integers(0, 3),
)
ENTRANCE = TRUTHS.filter(lambda truth: truth.kind == "page" and not truth.canonical)
SITES = st.tuples(ENTRANCE, *([TRUTHS] * (len(PATHS) - 1)))
FAILURES = st.dictionaries(st.sampled_from(PATHS), st.sampled_from([500, 503, 429]), max_size=4)
History = list[tuple[tuple[Truth, ...], dict[str, int]]]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A website that can be read, and then changes a little from crawl to crawl, while some of its pages fail."""
    truths = draw(SITES)
    history: History = [(truths, {})]
    for _ in range(draw(st.integers(1, 3))):
        changed = draw(st.dictionaries(st.integers(1, len(PATHS) - 1), TRUTHS, max_size=2))
        truths = tuple(changed.get(number, truth) for number, truth in enumerate(truths))
        history.append((truths, draw(FAILURES)))
    return history


def show(site: Site, truths: tuple[Truth, ...], failures: dict[str, int]) -> None:
    """Make a website so."""
    site.answers.clear()
    for path, truth in zip(PATHS, truths, strict=True):
        if path in failures:
            site.status(path, failures[path])
        elif truth.kind == "moved":
            site.status(path, 301, Location=truth.target)
        elif truth.kind == "page":
            head = f'<link rel="canonical" href="{truth.canonical}">' if truth.canonical else ""
            head += '<meta name="robots" content="noindex">' if truth.hidden else ""
            site.html(path, f"text {truth.text}", links=truth.links, head=head)


class Index:
    """What an index holds that follows the crawls as the workflow does."""

    def __init__(self) -> None:
        self.held: dict[str, Document] = {}
        self._last: Crawled | None = None

    def follow(self, site: Site, **settings: Any) -> tuple[Crawled, set[str]]:
        """Crawl, put and delete; return what was found, and what was deleted."""
        if self._last is not None:
            self._last.memory.held = dict(self.held)
        found = crawl(site, self._last, **settings)
        kept = {item.id for item in found.listed}
        deleted = set() if found.incomplete else self.held.keys() - kept
        contents = {document.id for page in found.pages for document, _ in page.contents}
        listed = {item.id: item for item in found.listed if isinstance(item, Document)}
        before = Memory([])
        before.held = dict(self.held)
        assert contents == {id_ for id_, document in listed.items() if not before.holds(document)}
        self.held = {id_: document for id_, document in self.held.items() if id_ not in deleted} | listed
        self._last = found
        return found, deleted


def documents(site: Site, truths: tuple[Truth, ...], **settings: Any) -> dict[str, Document]:
    """The documents of a website all of whose pages can be read, as a crawl that remembers nothing finds them."""
    show(site, truths, {})
    found = crawl(site, **settings)
    assert not [item for item in found.listed if isinstance(item, Skipped)]
    return {item.id: item for item in found.listed if isinstance(item, Document)}


@settings(max_examples=12)
@given(histories())
def test_links_lose_nothing_and_end_up_like_the_website(history: History) -> None:
    """No document that is there is deleted; when all pages can be read, the index is what the website is."""
    with website() as site:
        index = Index()
        for truths, failures in history:
            there = documents(site, truths)
            show(site, truths, {path: status for path, status in failures.items() if path != "/"})
            found, deleted = index.follow(site)
            assert not deleted & there.keys(), found.listed
        show(site, truths, {})
        index.follow(site)
        found, deleted = index.follow(site)
        assert (index.held.keys(), deleted) == (there.keys(), set())
        assert {id_: document.version for id_, document in index.held.items()} == {
            id_: document.version for id_, document in there.items()
        }
        assert not found.contents


@settings(max_examples=10)
@given(histories(), st.lists(st.sampled_from(PATHS), min_size=1, unique=True))
def test_sitemaps_lose_nothing_and_end_up_like_the_website(history: History, listed: list[str]) -> None:
    """The same, with the pages of a sitemap."""
    with website() as site:
        index = Index()
        own: dict[str, Any] = {"sitemaps": [f"{site.url}/sitemap.xml"]}

        def make(truths: tuple[Truth, ...], failures: dict[str, int]) -> None:
            show(site, truths, failures)
            site.sitemap("/sitemap.xml", "/", *listed)

        for truths, failures in history:
            make(truths, {})
            there = {item.id for item in crawl(site, **own).listed if isinstance(item, Document)}
            make(truths, {path: status for path, status in failures.items() if path != "/"})
            found, deleted = index.follow(site, **own)
            assert not deleted & there, found.listed
        make(truths, {})
        index.follow(site, **own)
        found, deleted = index.follow(site, **own)
        assert (set(index.held), deleted) == (there, set())
        assert not found.contents
