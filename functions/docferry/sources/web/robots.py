"""What robots.txt of each site says: which pages may be fetched, how fast, and where the sitemaps are.

https://www.rfc-editor.org/rfc/rfc9309
"""

import sys
from collections.abc import Iterator
from http import HTTPStatus

from protego import Protego

from docferry.sources.web import urls
from docferry.sources.web.failures import PageFailed
from docferry.sources.web.fetcher import Fetcher, Reply

MOST_BYTES = 512_000
"""RFC 9309 asks for 500 KiB at least; what comes after is not read."""
HOPS = 5


class Robots:
    """The rules of every site, each read once in a crawl."""

    def __init__(self, fetcher: Fetcher, user_agent: str) -> None:
        self._fetcher = fetcher
        self._agent = user_agent
        self._rules: dict[str, Protego | PageFailed] = {}

    def allow(self, url: str) -> bool:
        """Whether a page may be fetched. Raises PageFailed when the rules cannot be read: then nothing may."""
        return self._of(url).can_fetch(url, self._agent)

    def sitemaps(self, url: str) -> list[str]:
        """The sitemaps that the site of an address names. Raises PageFailed."""
        base = urls.site(url) + "/"
        found = [known for one in self._of(url).sitemaps if (known := urls.normal(one, base))]
        return list(dict.fromkeys(found))

    def _of(self, url: str) -> Protego:
        site = urls.site(url)
        if site not in self._rules:
            try:
                self._rules[site] = self._read(f"{site}/robots.txt")
            except PageFailed as error:
                self._rules[site] = PageFailed(f"is not asked for: {site}/robots.txt {error}")
            else:
                self._slow_down(url)
        rules = self._rules[site]
        if isinstance(rules, PageFailed):
            raise rules
        return rules

    def _slow_down(self, url: str) -> None:
        rules = self._of(url)
        rate = rules.request_rate(self._agent)
        delays = [rules.crawl_delay(self._agent) or 0.0]
        if rate is not None and rate.requests:
            delays.append(rate.seconds / rate.requests)
        self._fetcher.slow_down(url, max(delays))

    def _read(self, url: str) -> Protego:
        for _ in range(HOPS + 1):
            with self._fetcher.reply(url) as reply:
                target = redirected(reply)
                if target is None:
                    return Protego.parse(_text(reply) if reply.status == HTTPStatus.OK else "")
            url = target
        return Protego.parse("")  # as many redirects as that mean that there is none


def redirected(reply: Reply) -> str | None:
    """Where an answer redirects to; None for an answer that does not. Raises PageFailed for no address."""
    if reply.status not in (301, 302, 303, 307, 308):
        return None
    location = reply.headers.get("location", "")
    target = urls.normal(location, reply.url) if location else None
    if target is None:
        raise PageFailed(f"redirects to {location!r:.200}, which is no address of a page")
    return target


def _text(reply: Reply) -> str:
    return b"".join(_first(reply)).decode("utf-8-sig", errors="replace")


def _first(reply: Reply) -> Iterator[bytes]:
    """What fits into the limit."""
    left = MOST_BYTES
    for piece in reply.pieces(sys.maxsize):
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return
