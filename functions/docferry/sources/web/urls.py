"""Addresses of pages: one spelling for each, and which of them belong to a source. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote, urljoin

import httpx

from docferry.sources.describing.globs import Globs

MAX_LENGTH = 2_000
"""Longer addresses are left alone. An id of a document has at most 2,048 characters, and begins with the connector."""

MAX_PORT = 65_535
_PORTS = {"http": 80, "https": 443}
_ESCAPED = re.compile(r"%[0-9a-fA-F]{2}")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


@lru_cache(maxsize=100_000)
def normal(url: str, base: str = "") -> str | None:
    """The one spelling of an address, without its fragment; None for what is no address of a page.

    https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2. ``base`` is the page that a link is on.
    """
    try:
        # Before dots are resolved: %2e is one, too.
        parsed = httpx.URL(_ESCAPED.sub(_unescaped, urljoin(base, url.strip())))
        if parsed.scheme not in _PORTS or not parsed.host or parsed.userinfo or (parsed.port or 0) > MAX_PORT:
            return None
        port = None if parsed.port == _PORTS[parsed.scheme] else parsed.port
        plain = str(parsed.copy_with(fragment=None, port=port, raw_path=parsed.raw_path or b"/"))
    except (httpx.InvalidURL, ValueError):
        return None
    return plain if len(plain) <= MAX_LENGTH else None


def host(url: str) -> str:
    """The host of a normal address, with its port where it is not the usual one."""
    return url.split("/", 3)[2]


def site(url: str) -> str:
    """The scheme and the host of a normal address: https://docs.example.com."""
    return url[: url.index("/", len("https://"))]


def name(url: str) -> str:
    """What a page is called that has no title: the last part of its path, or its host."""
    path = url.partition("?")[0].rstrip("/")
    return unquote(path.rpartition("/")[2])


class Scope:
    """Which addresses belong to a source: its hosts, ``include`` and ``exclude``.

    A pattern is matched against the address without its scheme; one that begins with a slash holds on every host.
    """

    def __init__(self, hosts: Iterable[str], include: Iterable[str], exclude: Iterable[str]) -> None:
        self._hosts = {host(known) for one in hosts for known in _both(one)}
        self._globs = Globs([_spelled(pattern) for pattern in include], [_spelled(pattern) for pattern in exclude])
        self._excluded = Globs([], [_spelled(pattern) for pattern in exclude])

    def has_host(self, url: str) -> bool:
        """Whether a normal address is on a host of the source."""
        return host(url) in self._hosts

    def reaches(self, url: str) -> bool:
        """Whether a page may be fetched, for itself or for its links."""
        return self.has_host(url) and self._excluded.selects(_schemeless(url))

    def selects(self, url: str) -> bool:
        """Whether a page belongs to the source."""
        return self.has_host(url) and self._globs.selects(_schemeless(url))


def _both(host: str) -> list[str]:
    """A host under both schemes, as normal addresses have it."""
    return [known for scheme in _PORTS if (known := normal(f"{scheme}://{host}/"))]


def _schemeless(url: str) -> str:
    return url.partition("://")[2]


def _spelled(pattern: str) -> str:
    if pattern.startswith("/"):
        return f"*{pattern}"
    return re.sub(r"^https?://", "", pattern)


def _unescaped(escaped: re.Match[str]) -> str:
    """An escape that is needless, as the character; any other in capital letters."""
    character = chr(int(escaped[0][1:], 16))
    return character if _UNRESERVED.fullmatch(character) else escaped[0].upper()
