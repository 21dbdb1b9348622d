"""What a source asks of the web, and how much it takes: some hosts only, with patience, and no reply without an end."""

import io
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout  # noqa: A004  # requests' own
from tenacity import (
    RetryCallState,
    Retrying,
    retry_any,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
)
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

# A document has 50 MB at most; JSON around it needs some more.
MAX_BYTES = 64_000_000
ATTEMPTS = 5
# Five attempts wait four times, so a busy API holds a crawl up for four minutes at most, of the fifteen of a Lambda.
LONGEST_WAIT_SECONDS = 60
RETRIED = (429, *range(500, 600))
BROKEN = (ConnectionError, Timeout, ChunkedEncodingError)
PORTS = {"http": 80, "https": 443}


class Elsewhere(RequestException):
    """A host that is not asked."""


class TooLarge(RequestException):
    """A reply that is larger than is taken."""


class Hosts:
    """The host of an address, and others beside it.

    The same host at another port or with another protocol is another host. Going from http to https is allowed.
    """

    def __init__(self, url: str, others: Iterable[str] = ()) -> None:
        self._own = _origin(url)
        self._others = frozenset(name.lower() for name in others)

    def has(self, url: str) -> bool:
        """Whether an address is on the host itself."""
        scheme, host, port = _origin(url)
        upgraded = self._own == ("http", host, 80) and (scheme, port) == ("https", 443)
        return (scheme, host, port) == self._own or upgraded

    def reach(self, url: str) -> bool:
        """Whether an address may be asked at all. What begins with https does not go on without."""
        scheme, host, port = _origin(url)
        named = host in self._others or f"{host}:{port}" in self._others
        return self.has(url) or (named and scheme in PORTS and (scheme == "https" or self._own[0] == "http"))


class Guarded(HTTPAdapter):
    """Asks some hosts only, waits as Retry-After says, tries again, and reads each reply whole, up to a size."""

    def __init__(self, hosts: Hosts) -> None:
        super().__init__(pool_maxsize=32)
        self._hosts = hosts
        self._retrying = Retrying(
            wait=_wait,
            retry=retry_any(
                retry_if_result(lambda response: response.status_code in RETRIED), retry_if_exception_type(BROKEN)
            ),
            stop=stop_after_attempt(ATTEMPTS),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """See HTTPAdapter.send. Raises Elsewhere and TooLarge besides."""
        if not self._hosts.reach(request.url or ""):
            scheme, host, port = _origin(request.url or "")
            raise Elsewhere(f"{scheme}://{host}:{port}", request=request)
        return self._retrying(self._once, request, *args, **kwargs)

    def _once(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        response = super().send(request, *args, **{**kwargs, "stream": True})
        try:
            body = response.raw.read(MAX_BYTES + 1, decode_content=True)
        except HTTPError as error:  # cut off, or packed in a broken way
            response.close()
            raise ChunkedEncodingError(type(error).__name__, request=request) from error
        if len(body) > MAX_BYTES:
            response.close()
            raise TooLarge(f"a reply is larger than {MAX_BYTES / 1_000_000:g} MB", request=request)
        response.raw = io.BytesIO(body)
        return response


def place(url: str) -> str:
    """An address without its query, which may hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _wait(state: RetryCallState) -> float:
    """How many seconds to wait: as long as the server says, or longer each time; never too long."""
    if state.outcome is not None and not state.outcome.failed:
        try:
            asked = Retry().parse_retry_after(state.outcome.result().headers.get("Retry-After", ""))
            return min(asked, LONGEST_WAIT_SECONDS)
        except InvalidHeader:
            pass
    return wait_exponential(multiplier=1, max=LONGEST_WAIT_SECONDS)(state)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme)
