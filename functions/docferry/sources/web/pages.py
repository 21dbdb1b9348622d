"""One page: asked for, if it has changed, and read."""

import hashlib
from http import HTTPStatus

from msgspec import Struct, structs

from docferry.model import ContentType
from docferry.sources.describing.fingerprint import TEXT
from docferry.sources.web import markup, media_types, urls
from docferry.sources.web.failures import PageRefused
from docferry.sources.web.fetcher import Fetcher, Reply, date
from docferry.sources.web.notes import Note
from docferry.sources.web.robots import redirected
from docferry.sources.web.sitemaps import moment

_TEMPORARY = (HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT)
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
MINUTE = 60
LONGEST_HEADER = 500
"""A longer ETag or Last-Modified is not sent back."""


class Found(Struct, frozen=True):
    """A page as it is now. ``content`` is None when it was not sent, as nothing has changed, or is of no use.

    ``links`` is None for a page that has not changed.
    """

    note: Note
    content: bytes | None = None
    links: tuple[str, ...] | None = ()


class Pages(Struct, frozen=True):
    """Fetches pages."""

    fetcher: Fetcher
    agent: str
    most_bytes: int

    def fetch(self, url: str, before: Note | None, lastmod: str = "") -> Found | None:
        """A page, or None when it is gone. Notes have no number yet. Raises PageFailed and PageRefused."""
        with self.fetcher.reply(url, before.conditions() if before else None) as reply:
            if target := redirected(reply):
                return Found(Note(url=url, number=0, target=target, temporary=reply.status in _TEMPORARY))
            if reply.status in _GONE:
                return None
            if reply.status == HTTPStatus.NOT_MODIFIED and before:
                return self._unchanged(reply, before, lastmod)
            if reply.status != HTTPStatus.OK:
                raise PageRefused(f"answered {reply.status}")
            return self._read(reply, lastmod)

    def _unchanged(self, reply: Reply, before: Note, lastmod: str) -> Found:
        note = structs.replace(
            before,
            etag=_header(reply, "etag") or before.etag,
            lastmod=lastmod,
            fetched=self.fetcher.clock.time(),
            hidden="noindex" in self._robots(reply),
        )
        return Found(note, links=None)

    def _read(self, reply: Reply, lastmod: str) -> Found:
        header = reply.headers.get("content-type", "")
        kind = media_types.of(header, reply.url)
        robots = self._robots(reply)
        note = Note(
            url=reply.url,
            number=0,
            etag=_header(reply, "etag"),
            modified=_last_modified(reply),
            lastmod=lastmod,
            fetched=self.fetcher.clock.time(),
            title=urls.name(reply.url),
            updated_at=date(reply.headers.get("last-modified", "")) or moment(lastmod),
            hidden="noindex" in robots,
        )
        if kind is None:
            return Found(structs.replace(note, problem=media_types.problem(header)))
        content = reply.body(self.most_bytes)
        if kind in TEXT:
            content = markup.as_utf8(content, header, html=kind == "HTML")
        return self._described(note, content, kind, robots)

    def _described(self, note: Note, content: bytes, kind: ContentType, robots: frozenset[str]) -> Found:
        if kind != "HTML":
            digest = hashlib.sha256(content).hexdigest()
            return Found(structs.replace(note, content_type=kind, version=f"sha256:{digest}"), content)
        said = markup.read(content, note.url, self.agent)
        note = structs.replace(
            note,
            content_type=kind,
            version=f"text:{said.digest}",
            title=said.title or note.title,
            canonical=said.canonical or "",
            hidden="noindex" in said.robots | robots,
        )
        return Found(note, content, () if "nofollow" in said.robots | robots else said.links)

    def _robots(self, reply: Reply) -> frozenset[str]:
        return markup.directives(reply.headers.get_list("x-robots-tag"), self.agent)


def _last_modified(reply: Reply) -> str:
    """The Last-Modified of a page, if it is old enough to tell the next change from this one.

    https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2: a page may change twice in a second.
    """
    changed, sent = date(reply.headers.get("last-modified", "")), date(reply.headers.get("date", ""))
    settled = changed is not None and sent is not None and (sent - changed).total_seconds() >= MINUTE
    return _header(reply, "last-modified") if settled else ""


def _header(reply: Reply, name: str) -> str:
    value: str = reply.headers.get(name, "")
    return value if len(value) <= LONGEST_HEADER and value.isascii() else ""
