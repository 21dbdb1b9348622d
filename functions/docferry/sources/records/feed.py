"""A feed, RSS or Atom: its entries are added and updated, and stay when the feed does not name them any more."""

import calendar
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from time import struct_time
from typing import Annotated, Any

from msgspec import Meta, Struct

from docferry.errors import ConfigurationError, SourceInvalid, SourceUnavailable
from docferry.registry import Clients
from docferry.sources.records.record import Record, Skip
from docferry.sources.records.records import Records
from docferry.sources.source import Ability

try:
    import feedparser
    from requests import HTTPError, RequestException, Session

    from docferry.sources.records import replies
except ModuleNotFoundError as error:
    raise ConfigurationError("a source of kind feed needs feedparser: pip install 'docferry[feed]'") from error

ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1"
HARMLESS = (feedparser.NonXMLContentType, feedparser.CharacterEncodingOverride)
"""What feedparser finds fault with, and reads all the same."""
HTML = {"text/html", "application/xhtml+xml"}


class FeedSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``source`` part of a connector of kind ``feed``."""

    url: Annotated[
        str, Meta(pattern="^https?://[^/?#@]+", description="the address of the feed, such as https://example.com/feed")
    ]
    tags: Annotated[str, Meta(min_length=1, description="the field of the index that takes the tags")] | None = None
    timeout: Annotated[int, Meta(ge=1, le=300, description="seconds that the server may be silent")] = 30


class Feed(Records):
    """The entries that a feed names now."""

    Settings: type[Struct] = FeedSettings
    presentation = frozenset({"tags", "timeout"})
    # What a feed names no more is old, and not deleted.
    abilities: frozenset[Ability] = frozenset({"carries_content", "tells_changes"})

    def __init__(self, *, connector: str, settings: FeedSettings, clients: Clients) -> None:
        super().__init__(connector=connector, settings=settings, clients=clients)
        self._place = replies.place(settings.url)

    def records(self) -> Iterator[Record | Skip]:
        """See Records.records. Raises SourceInvalid for what is no feed."""
        # As a stream: feedparser takes a text for the name of a file, or for an address.
        data, headers = self._fetched()
        feed = feedparser.parse(io.BytesIO(data), response_headers=headers)
        if not feed.get("version") and not feed.entries:
            raise SourceInvalid(f"{self._place} is no feed: it is neither RSS nor Atom")
        if feed.bozo and not feed.entries and not isinstance(feed.bozo_exception, HARMLESS):
            raise SourceInvalid(f"{self._place} is a broken feed without entries: {type(feed.bozo_exception).__name__}")
        for number, entry in enumerate(feed.entries, start=1):
            yield self._record(entry, number)

    def _record(self, entry: Any, number: int) -> Record | Skip:
        link = _link(entry)
        id_ = entry.get("id") or link
        if not id_:
            return Skip(id=f"entry {number}", reason="has neither an id nor a link, so it cannot be told from others")
        text, kind = _content(entry)
        tags = list(dict.fromkeys(tag.term for tag in entry.get("tags", []) if tag.get("term")))
        authors = list(dict.fromkeys(one.name for one in entry.get("authors", []) if one.get("name")))
        named = {
            "_authors": authors,
            "_category": tags[0] if tags else None,
            "_created_at": _moment(entry.get("published_parsed")),
            **({self.settings.tags: tags} if self.settings.tags else {}),
        }
        return Record(
            id=id_,
            content=text.encode(errors="replace"),
            content_type="HTML" if kind in HTML else "PLAIN_TEXT",
            title=entry.get("title", ""),
            uri=link,
            updated_at=_moment(entry.get("updated_parsed" if "updated_parsed" in entry else "published_parsed")),
            attributes={name: value for name, value in named.items() if value},
        )

    def _fetched(self) -> tuple[bytes, dict[str, str]]:
        """The feed, and the headers that say in what letters it is written.

        It is read whole each time. A feed that is known to be unchanged could be left alone, but then an entry that
        the index has refused would not be tried again.
        """
        session = Session()
        adapter = replies.Guarded(replies.Hosts(self.settings.url))
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        try:
            reply = session.get(
                self.settings.url,
                headers={"User-Agent": "docferry", "Accept": ACCEPT},
                timeout=self.settings.timeout,
                auth=lambda request: request,  # or requests would look into ~/.netrc
            )
            reply.raise_for_status()
        except replies.Elsewhere as error:
            raise SourceInvalid(f"{self._place} has moved to another host, {error}: write that address") from None
        except replies.TooLarge as error:
            raise SourceInvalid(f"{self._place}: {error}") from None
        except HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            kind = SourceUnavailable if status in replies.RETRIED else SourceInvalid
            raise kind(f"{self._place} answers {status}: check the url") from None
        except RequestException as error:
            raise SourceUnavailable(f"{self._place} cannot be read: {type(error).__name__}") from None
        kept = {name.lower(): value for name, value in reply.headers.items() if name.lower() != "content-encoding"}
        return reply.content, {**kept, "content-location": self.settings.url}


def _content(entry: Any) -> tuple[str, str]:
    """The longest text of an entry, and its type: HTML without scripts if there is some. A headline is a text, too."""
    found = [*entry.get("content", []), entry.get("summary_detail") or {}]
    texts = [one for one in found if one.get("value")] or [entry.get("title_detail") or {}]
    best = max(texts, key=lambda one: (one.get("type") in HTML, len(one.get("value") or "")))
    return best.get("value") or "", best.get("type") or "text/html"


def _link(entry: Any) -> str | None:
    link = entry.get("link") or ""
    return link if link.startswith(("https://", "http://")) else None


def _moment(parsed: struct_time | None) -> datetime | None:
    """A moment, which feedparser gives in UTC."""
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError):
        return None
