"""A website on this machine, and a source that crawls it."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn

import msgspec
import pytest

from docferry.model import Document, Listed, Skipped
from docferry.sources import Page
from docferry.sources.web import Web

Handler = BaseHTTPRequestHandler
Answer = Callable[[Handler], None]
"""Answers a request."""


class SkippingClock:
    """Real time, in which nobody waits: a sleep is over at once, and counted."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic() + sum(self.slept)

    def time(self) -> float:
        """See Clock."""
        return time.time() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """See Clock."""
        self.slept.append(seconds)


class Site:
    """A web server, whose pages a test can change."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.host = f"127.0.0.1:{server.server_port}"
        self.url = f"http://{self.host}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, int]] = []
        self.headers: list[Mapping[str, str]] = []

    def put(self, path: str, content: str | bytes, content_type: str = "text/html", **headers: str) -> None:
        """Put a page at a path. It has an ETag, unless ``ETag`` is empty."""
        body = content.encode() if isinstance(content, str) else content
        own = {"Content-Type": content_type, "ETag": f'"{sha256(body).hexdigest()[:16]}"'}
        sent = {**own, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.answers[path] = page(body, {name: value for name, value in sent.items() if value})

    def html(self, path: str, text: str = "", *, links: tuple[str, ...] = (), head: str = "", **headers: str) -> None:
        """Put an HTML page with a title, some text and links at a path."""
        anchors = "".join(f'<a href="{link}">{link}</a>' for link in links)
        self.put(path, f"<html><head><title>T{path}</title>{head}</head><body>{text}{anchors}</body></html>", **headers)

    def status(self, path: str, status: int, **headers: str) -> None:
        """Answer with a status, and no content."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = lambda handler: send(handler, status, sent, b"")

    def sitemap(self, path: str, *pages: str, lastmod: str = "", root: str = "urlset") -> None:
        """Put a sitemap with these paths, or a sitemap index."""
        self.put(path, sitemap(*(f"{self.url}{page}" for page in pages), lastmod=lastmod, root=root), "text/xml")

    def taken(self) -> list[tuple[str, int]]:
        """What was asked for since the last time, but robots.txt."""
        asked, self.asked = self.asked, []
        return [one for one in asked if one[0] != "/robots.txt"]


def sitemap(*urls: str, lastmod: str = "", root: str = "urlset") -> bytes:
    """A sitemap of these addresses, or a sitemap index."""
    element = {"urlset": "url", "sitemapindex": "sitemap"}[root]
    date = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    entries = "".join(f"<{element}><loc>{url}</loc>{date}</{element}>" for url in urls)
    return (
        f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{root}>'.encode()
    )


def page(body: bytes, headers: Mapping[str, str]) -> Answer:
    """Answer with a page, or with 304 when the ETag or the date is known."""

    def answer(handler: Handler) -> None:
        known = handler.headers.get("If-None-Match") or handler.headers.get("If-Modified-Since")
        if known and known in (headers.get("ETag"), headers.get("Last-Modified")):
            send(handler, 304, {}, b"")
        else:
            send(handler, 200, headers, body)

    return answer


def send(handler: Handler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Send a whole answer."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if status != 304:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def website(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """A website without pages, while the test runs; with ``tls`` over HTTPS."""

    class OfThisSite(Handler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

        def do_GET(self) -> None:  # noqa: N802  # the name is that of http.server
            site.headers.append(dict(self.headers.items()))
            answer = site.answers.get(self.path) or (lambda handler: send(handler, 404, {}, b"not here"))
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):  # the crawler has had enough
                self.close_connection = True

        def send_response(self, code: int, message: str | None = None) -> None:
            site.asked.append((self.path, code))
            super().send_response(code, message)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), OfThisSite)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    site = Site(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Memory:
    """What a crawl knows of the one before."""

    def __init__(self, pages: list[Page]) -> None:
        self._pages = pages
        self.held = {item.id: item for page in pages for item in page.listed if isinstance(item, Document)}

    def holds(self, document: Document) -> bool:
        """See Known."""
        known = self.held.get(document.id)
        return known is not None and msgspec.structs.replace(known, updated_at=None) == msgspec.structs.replace(
            document, updated_at=None
        )

    def notes(self) -> Iterator[bytes]:
        """See Known."""
        return (note for page in self._pages for note in page.notes)


class Crawled:
    """What a crawl has found."""

    def __init__(self, site: Site, pages: list[Page]) -> None:
        self._prefix = f"demo/{site.url}"
        self.pages = pages
        self.listed: list[Listed] = [item for page in pages for item in page.listed]
        self.documents = {self._path(item): item for item in self.listed if isinstance(item, Document)}
        self.skipped = {self._path(item): item.skipped for item in self.listed if isinstance(item, Skipped)}
        self.incomplete = any(isinstance(item, Skipped) and item.incomplete for item in self.listed)
        self.contents = {self._path(document): content for page in pages for document, content in page.contents}
        self.memory = Memory(pages)

    def _path(self, item: Listed) -> str:
        return item.id.removeprefix(self._prefix).removeprefix("demo/")


def source(site: Site, **settings: Any) -> Web:
    """A source that crawls a site from its first page on, unless the settings say otherwise."""

    def no_clients(service: str) -> NoReturn:
        pytest.fail(f"a website needs no {service}")

    own: dict[str, Any] = {"allow_private": True, "requests_per_second": 1_000}
    if "sitemaps" not in settings and "start" not in settings:
        own["start"] = [f"{site.url}/"]
    made = Web(connector="demo", settings=msgspec.convert({**own, **settings}, Web.Settings), clients=no_clients)
    made.clock = SkippingClock()
    return made


def crawl(site: Site, before: Crawled | None = None, **settings: Any) -> Crawled:
    """Crawl a site, as the crawl after another one."""
    made = source(site, **settings)
    found = Crawled(site, list(made.pages(None, before.memory) if before else made.pages(None)))
    if before:
        kept = before.memory.held.keys() if found.incomplete else {item.id for item in found.listed}
        found.memory.held = {
            id_: before.memory.held[id_] for id_ in kept & before.memory.held.keys()
        } | found.memory.held
    return found
