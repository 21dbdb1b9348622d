"""A web server on this machine, which answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct, field


class Request(Struct):
    """What was asked: the path unquoted, and the names of the headers in lower case."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Reply(Struct):
    """What is answered. ``cut`` bytes are missing at the end, though the length promises them."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


Answer = Callable[[Request], Reply]


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with JSON."""
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})})


class Server:
    """Counts what it is asked, and lets ``answer`` answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.url = ""

    def paths(self) -> list[str]:
        """The paths that were asked for so far; asking for them forgets them."""
        asked, self.asked = self.asked, []
        return [request.path for request in asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            unquote(parts.path),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        server = cast("_HttpServer", self.server).told
        server.asked.append(request)
        reply = server.answer(request)
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) - reply.cut])
        self.close_connection = bool(reply.cut)

    do_POST = do_GET  # noqa: N815  # the handler's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the handler's
        """Say nothing."""


class _HttpServer(ThreadingHTTPServer):
    told: Server


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    """A server, until the end of the block."""
    server = Server(answer)
    with _HttpServer(("127.0.0.1", 0), _Handler) as http:
        http.told = server
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def routed(routes: Mapping[str, Answer]) -> Answer:
    """Answer by the path; 404 for any other."""

    def missing(_: Request) -> Reply:
        return as_json({"error": "not found"}, 404)

    return lambda request: routes.get(request.path, missing)(request)
