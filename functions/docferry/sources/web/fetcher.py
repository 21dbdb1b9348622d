"""Asks websites for pages: politely, one request at a time, and never longer or more than it may."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from msgspec import Struct, field

from docferry.sources.web import urls
from docferry.sources.web.bodies import capped, gunzipped, too_large
from docferry.sources.web.failures import PageFailed, PageRefused
from docferry.sources.web.network import CheckedNetwork, Clock, Forbidden
from docferry.sources.web.transport import Transport

# One line a request, and in the most detailed level the headers with their secrets.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

ATTEMPTS = 3
"""How many times a page is asked for whose server asks to come back later."""
LONGEST_WAIT = 60.0
"""The longest that a server's Retry-After or Crawl-delay is obeyed, in seconds. Longer: not in this run."""
PATIENCE = 10
"""After so many pages in a row without an answer a host counts as down: only every tenth page is still asked for."""
SHORT = 65_536

_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class _Host(Struct):
    """How a host has behaved, and when it may be asked again."""

    next_at: float = 0.0
    interval: float = 0.0
    failed: int = 0


class Reply(Struct, frozen=True):
    """An answer whose body is still on its way."""

    url: str
    status: int
    headers: httpx.Headers
    response: httpx.Response

    def pieces(self, most: int) -> Iterator[bytes]:
        """The body, unpacked, of at most ``most`` bytes. Raises PageFailed and PageRefused."""
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        length = self.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise PageRefused(too_large(most))
        if encoding in ("gzip", "x-gzip"):
            return capped(gunzipped(self.response.iter_raw()), most)
        if encoding != "identity":
            raise PageFailed(f"came in the encoding {encoding!r}, which was not asked for")
        return capped(self.response.iter_raw(), most)

    def body(self, most: int) -> bytes:
        """The whole body. Raises as ``pieces`` does."""
        return b"".join(self.pieces(most))


class Fetcher(Struct):
    """Sends requests. ``secret_headers`` go to the hosts of the source alone."""

    client: httpx.Client
    network: CheckedNetwork
    clock: Clock
    scope: urls.Scope
    timeout: float
    interval: float
    headers: Mapping[str, str]
    hosts: dict[str, _Host] = field(default_factory=lambda: defaultdict(_Host))

    @contextmanager
    def reply(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[Reply]:
        """Ask for an address; redirects are answers. Raises PageFailed."""
        host = self.hosts[urls.host(url)]
        self._check_patience(host)
        for attempt in range(1, ATTEMPTS + 1):
            self._wait(host)
            wait = None
            with self._sent(url, host, headers or {}) as response:
                if response.status_code in _LATER and attempt < ATTEMPTS:
                    wait = self._later(response)
                if wait is None:
                    yield self._judged(url, host, response)
                    host.failed = 0
                if not response.is_stream_consumed and _is_short(response):
                    for _ in response.iter_raw():  # then the next request has the same connection
                        pass
            if wait is None:
                return
            host.next_at = self.clock.monotonic() + wait

    def slow_down(self, url: str, seconds: float | None) -> None:
        """Wait at least these seconds between two requests to the host of an address."""
        host = self.hosts[urls.host(url)]
        host.interval = min(max(host.interval, seconds or 0.0), LONGEST_WAIT)

    @contextmanager
    def _sent(self, url: str, host: _Host, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        self.network.until = self.clock.monotonic() + self.timeout
        own = self.headers if self.scope.has_host(url) else {}
        try:
            with self.client.stream("GET", url, headers={**own, **headers}) as response:
                yield response
        except httpx.TimeoutException as error:
            host.failed += 1
            raise PageFailed(f"did not answer in full within {self.timeout:g} seconds") from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            host.failed += 1
            raise PageFailed(f"cannot be reached: {error}") from error
        except Forbidden as error:
            host.failed += 1
            raise PageFailed(f"is not asked for: {error}") from error

    def _judged(self, url: str, host: _Host, response: httpx.Response) -> Reply:
        """An answer that says something about the page. Raises PageFailed for one about the server."""
        status = response.status_code
        if status in _LATER:
            host.failed += 1
            raise PageFailed(f"answered {status}: its server asks for fewer requests")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PageFailed(f"answered {status}")
        return Reply(url, status, response.headers, response)

    def _check_patience(self, host: _Host) -> None:
        if host.failed >= PATIENCE and host.failed % PATIENCE:
            host.failed += 1
            raise PageFailed("was not asked for: its server has not answered for a while")

    def _wait(self, host: _Host) -> None:
        now = self.clock.monotonic()
        if host.next_at > now:
            self.clock.sleep(host.next_at - now)
            now = host.next_at
        host.next_at = now + max(self.interval, host.interval)

    def _later(self, response: httpx.Response) -> float | None:
        """The seconds after which the server wants to be asked again; None when it does not say, or too many."""
        said = response.headers.get("retry-after", "").strip()
        if said.isdecimal():
            wait = float(said)
        elif moment := date(said):
            wait = max(moment.timestamp() - self.clock.time(), 0.0)
        else:
            return None
        return wait if wait <= LONGEST_WAIT else None


@contextmanager
def fetcher(
    *,
    network: CheckedNetwork,
    clock: Clock,
    scope: urls.Scope,
    user_agent: str,
    timeout: float,
    requests_per_second: float,
    headers: Mapping[str, str],
) -> Iterator[Fetcher]:
    """A fetcher with its connections, which are closed at the end. It keeps no cookies, and takes no proxy."""
    own = {
        "User-Agent": user_agent,
        "Accept": "text/html, application/xhtml+xml, application/pdf, */*;q=0.5",
        "Accept-Encoding": "gzip",
    }
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    with httpx.Client(
        transport=Transport(network), headers=own, cookies=jar, timeout=timeout, trust_env=False
    ) as client:
        yield Fetcher(
            client=client,
            network=network,
            clock=clock,
            scope=scope,
            timeout=timeout,
            interval=1 / requests_per_second,
            headers=headers,
        )


def _is_short(response: httpx.Response) -> bool:
    """Whether the body of an answer is read sooner than another connection is made."""
    length = response.headers.get("content-length", "")
    return response.status_code == HTTPStatus.NOT_MODIFIED or (length.isdecimal() and int(length) <= SHORT)


def date(text: str) -> datetime | None:
    """The date of a header, in UTC; None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
