"""Connections of the crawler: to addresses that were checked, and within the time of a request."""

import socket
import time
from collections.abc import Callable, Iterable
from ssl import SSLContext
from typing import Any, Protocol

import httpcore

from docferry.sources.web.addresses import objection

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host. Raises OSError."""


class Clock(Protocol):
    """Time, as a test can stop it."""

    def monotonic(self) -> float:
        """Seconds since some moment."""
        ...

    def time(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


CLOCK: Clock = time


class Forbidden(Exception):  # noqa: N818  # as errors.py: named after what happened
    """A host has no address that may be connected to; the text says which it has."""


def resolve(host: str, port: int) -> list[str]:
    """See Resolve: the addresses that the operating system knows."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedNetwork(httpcore.NetworkBackend):
    """Looks a host up once, checks each address, and connects to what it has checked.

    A name that has another address a moment later changes nothing: it is not looked up again. TLS and the Host header
    keep the name. ``until`` is when the request has to be over; each operation gets what is left of its time.
    """

    def __init__(self, *, allow_private: bool, resolve: Resolve, clock: Clock) -> None:
        self.until = float("inf")
        self._allow_private = allow_private
        self._resolve = resolve
        self._clock = clock
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host. Raises Forbidden, httpcore.ConnectError and httpcore.ConnectTimeout."""
        failure: Exception | None = None
        for address in self._addresses(host, port):
            try:
                stream = self._plain.connect_tcp(address, port, self.left(timeout), local_address, socket_options)
            except httpcore.ConnectTimeout:
                raise
            except httpcore.ConnectError as error:
                failure = error
            else:
                return _Stream(stream, self)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def left(self, timeout: float | None) -> float:
        """The seconds that an operation may take. Raises httpcore.ReadTimeout when there are none."""
        left = self.until - self._clock.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time of the request is over")
        return left if timeout is None else min(left, timeout)

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} is unknown: {error}") from error
        objections = {address: objection(address, allow_private=self._allow_private) for address in found}
        allowed = [address for address, wrong in objections.items() if wrong is None]
        if found and not allowed:
            address, wrong = next(iter(objections.items()))
            raise Forbidden(f"{host} is {address}, which {wrong}")
        return allowed


class _Stream(httpcore.NetworkStream):
    """A connection whose operations end with the time of the request."""

    def __init__(self, stream: httpcore.NetworkStream, network: CheckedNetwork) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._network.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._network.left(timeout))
        return _Stream(secured, self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
