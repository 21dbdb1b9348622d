"""What an HTML page says: its title, its links, what robots may do with it, and the text that people see. Pure."""

import codecs
import hashlib
import re
from collections.abc import Iterable

import lxml.etree  # type: ignore[import-untyped,unused-ignore]
from msgspec import Struct

from docferry.sources.web import urls

# Nothing else: an element that is never closed would hide the rest of the page from the digest.
_UNSEEN = {"script", "style"}
_UNSEEN_LINKS = {"link", "base"}
_SEEN_ATTRIBUTES = ("href", "alt", "title", "placeholder", "label")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.+-]{1,40})""", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_:.+-]{1,40})""", re.IGNORECASE)
_REFRESH = re.compile(r"^\s*[\d.]*\s*([;,]\s*(url\s*=)?)?", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
MOST_TITLE = 1_000


class Markup(Struct, frozen=True):
    """What a page says. ``digest`` is that of what people see of it, and of where its links lead."""

    title: str
    canonical: str | None
    robots: frozenset[str]
    links: tuple[str, ...]
    digest: str


def read(content: bytes, url: str, agent: str) -> Markup:
    """Read a page in UTF-8. Any bytes can be read: what is no HTML has no links."""
    page = _Page(url, agent)
    parser = lxml.etree.HTMLParser(target=page, encoding="utf-8", huge_tree=True)
    try:
        # lxml asks for something to read, and calls an empty page an error.
        lxml.etree.fromstring(content or b" ", parser)
    except lxml.etree.LxmlError:
        page.close()
    return page.said()


def as_utf8(content: bytes, content_type: str, *, html: bool) -> bytes:
    """Text in UTF-8, which is what the services index. What cannot be decoded stays as it is.

    The charset is that of the byte order mark, of the Content-Type header, or of a ``meta`` of the page, in this order:
    https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
    """
    charset = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if charset is None and (found := _HEADER_CHARSET.search(content_type)):
        charset = found[1]
    if charset is None and html and (meta := _CHARSET.search(content[:2_048])):
        charset = meta[1].decode()
    try:
        name = codecs.lookup(_web_name(charset or "utf-8")).name
        if name == "utf-8":
            return content
        text = content.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return content
    # The page may go on to name its old charset; a byte order mark counts before that.
    return (codecs.BOM_UTF8 if html else b"") + text.lstrip("\ufeff").encode(errors="replace")


def directives(values: Iterable[str], agent: str) -> frozenset[str]:
    """What robots may not do, of X-Robots-Tag headers: those for every robot, and those for this one.

    https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag
    """
    found: set[str] = set()
    ours = agent.partition("/")[0].strip().lower()
    for value in values:
        applies = True
        for part in value.lower().split(","):
            name, colon, rest = part.partition(":")
            if colon and name.strip() not in ("unavailable_after", "max-snippet", "max-image-preview"):
                applies = name.strip() in ("*", ours)
                part = rest  # noqa: PLW2901  # what is behind the name of the robot
            if applies:
                found.add(part.strip())
    return frozenset(found | ({"noindex", "nofollow"} if "none" in found else set()))


def _web_name(charset: str) -> str:
    """The charset that browsers take a name for: https://encoding.spec.whatwg.org/#names-and-labels."""
    return "windows-1252" if charset.lower() in ("iso-8859-1", "latin1", "us-ascii", "ascii") else charset


class _Page:
    """Gets the events of the parser: no tree is built, so no page is too deep or too large for it."""

    def __init__(self, url: str, agent: str) -> None:
        self._base = url
        self._agents = {"robots", agent.partition("/")[0].strip().lower()}
        self._title: list[str] = []
        self._title_length = 0
        self._in_title = False
        self._titled = False
        self._unseen = False
        self._canonical: str | None = None
        self._robots: list[str] = []
        self._links: dict[str, None] = {}
        self._digest = hashlib.sha256()
        self._based = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag == "title":
            self._in_title = not self._titled
        self._understand(tag, attributes)
        if tag in _UNSEEN:
            self._unseen = True
        elif tag not in _UNSEEN_LINKS:
            for name in _SEEN_ATTRIBUTES:
                if name in attributes:
                    self._digest.update(f"\0{name}={attributes[name]}".encode(errors="replace"))

    def _understand(self, tag: str, attributes: dict[str, str]) -> None:
        match tag:
            case "meta" if attributes.get("name", "").strip().lower() in self._agents:
                self._robots.append(attributes.get("content", ""))
            case "meta" if attributes.get("http-equiv", "").strip().lower() == "refresh":
                self._link({"href": _REFRESH.sub("", attributes.get("content", "")).strip("'\" ")})
            case "base" if not self._based and (base := urls.normal(attributes.get("href", ""), self._base)):
                self._base, self._based = base, True
            case "link" if "canonical" in _words(attributes.get("rel", "")) and self._canonical is None:
                self._canonical = urls.normal(attributes.get("href", ""), self._base)
            case "a" | "area" if "href" in attributes:
                self._link(attributes)
            case "iframe" | "frame" if "src" in attributes:
                self._link({"href": attributes["src"]})

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == "title" and self._in_title:
            self._in_title, self._titled = False, True
        if tag in _UNSEEN:
            self._unseen = False

    def data(self, text: str) -> None:
        """Some text."""
        if self._in_title and self._title_length < MOST_TITLE:
            self._title.append(text)
            self._title_length += len(text)
        if not self._unseen:
            self._digest.update(text.encode(errors="replace"))

    def close(self) -> None:
        """The page ends."""

    def said(self) -> Markup:
        """What the page has said."""
        return Markup(
            title=" ".join("".join(self._title)[:MOST_TITLE].split()),
            canonical=self._canonical,
            robots=directives(self._robots, ""),
            links=tuple(self._links),
            digest=self._digest.hexdigest(),
        )

    def _link(self, attributes: dict[str, str]) -> None:
        if "nofollow" not in _words(attributes.get("rel", "")) and (
            link := urls.normal(attributes["href"], self._base)
        ):
            self._links[link] = None


def _words(text: str) -> list[str]:
    return text.lower().split()
