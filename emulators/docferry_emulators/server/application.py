"""One loopback port for Kendra, Q Business, Bedrock Knowledge Bases and every service of moto."""

import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import (
    BackendRequest,
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.wrappers import Request, Response

from docferry_emulators import DEFAULTS, Emulation, opened
from docferry_emulators.bedrock import routing
from docferry_emulators.bedrock.responses import BedrockAgentResponse, BedrockAgentRuntimeResponse
from docferry_emulators.clock import Clock, WallClock
from docferry_emulators.errors import InternalFailure
from docferry_emulators.faults import Knobs, LostReply
from docferry_emulators.kendra.responses import KendraResponse
from docferry_emulators.qbusiness.responses import QBusinessResponse
from docferry_emulators.server import control, http2
from docferry_emulators.server.steerable_clock import SteerableClock
from docferry_emulators.settings import Settings
from docferry_emulators.wire.protocol import ServiceResponse, signed_service

log = logging.getLogger(__name__)

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]
"""What answers a request, and what may stand before it."""

SERVICES: dict[str, type[ServiceResponse]] = {
    "kendra": KendraResponse,
    "qbusiness": QBusinessResponse,
    routing.AGENT: BedrockAgentResponse,
    routing.RUNTIME: BedrockAgentRuntimeResponse,
}
# In bytes: the longest request that Q Business takes has ten documents of 50 MB each, in base64.
LONGEST_BODY = 700_000_000


class Application:
    """Sends a request to the control endpoint, to one of the services, or to moto."""

    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO", "").startswith(control.PREFIX):
            return control.answer(self._emulation, Request(environ))(environ, start_response)
        service = service_of(environ)
        if service is None:
            answered: Iterable[bytes] = self._moto(environ, start_response)
            return answered
        return self._serve(SERVICES[service], BackendRequest(environ))(environ, start_response)

    def _serve(self, service: type[ServiceResponse], request: BackendRequest) -> Response:
        # Not through moto's Flask app, which would merge the slashes of a document id in the path.
        request.max_content_length = LONGEST_BODY
        try:
            status, headers, body = service.dispatch(request, request.raw_url, request.headers)
        except LostReply:
            raise
        except Exception:
            log.exception("The emulator failed at %s %s", request.method, request.raw_path)
            status, headers, body = service().refuse(InternalFailure("The emulator failed; see its log."))
        # A list, so that werkzeug does not correct the announced length of a reply that is to be cut.
        return Response([body], status=status, headers=headers)


def service_of(environ: dict[str, Any]) -> str | None:
    """Return which of the services a request is for, or None.

    With AWS_ENDPOINT_URL the host says nothing, so the service in the scope of the signature decides. Without a
    signature, the target, the host or the path of the request decides.
    """
    signed = signed_service(environ.get("HTTP_AUTHORIZATION", ""))
    host: str = environ.get("HTTP_HOST", "").partition(".")[0].removesuffix("-fips")
    path = environ.get("PATH_INFO", "")
    unsigned = signed is None and (host in {routing.AGENT, routing.RUNTIME} or path.startswith("/knowledgebases/"))
    if signed == routing.SIGNING_NAME or unsigned:
        return routing.service_at(host, environ["REQUEST_METHOD"], BackendRequest(environ).raw_path)
    if signed is not None:
        return signed if signed in SERVICES else None
    if environ.get("HTTP_X_AMZ_TARGET", "").startswith("AWSKendraFrontendService."):
        return "kendra"
    if host in SERVICES:
        return host
    return "qbusiness" if path == "/applications" or path.startswith("/applications/") else None


class _Server(ThreadedWSGIServer):
    """Speaks HTTP/1.1, with one connection per request, and HTTP/2."""

    def __init__(self, port: int, application: WsgiApplication) -> None:
        self.http2_connections: set[http2.Connection] = set()
        super().__init__("127.0.0.1", port, application, _Handler)

    def server_close(self) -> None:
        """Close the port, and the HTTP/2 connections that are still open."""
        super().server_close()
        for connection in tuple(self.http2_connections):
            connection.hang_up()


class _Handler(MotoRequestHandler):  # type: ignore[misc]
    server: _Server
    # HTTP/2 sends small frames, which must not wait for each other.
    disable_nagle_algorithm = True

    def parse_request(self) -> bool:
        """Read the head of a request. If it is the preface of HTTP/2, serve the whole connection."""
        if self.raw_requestline != http2.PREFACE:
            parsed: bool = super().parse_request()
            return parsed
        connection = http2.Connection(self, LONGEST_BODY)
        self.server.http2_connections.add(connection)
        try:
            connection.converse()
        finally:
            self.server.http2_connections.remove(connection)
        self.close_connection = True
        return False

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin an answer as http.server does, but without a Date: a service gives its own, by the emulator's clock."""
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())

    def end_headers(self) -> None:
        """End the head of an answer. One that has no Date gets it here."""
        if not any(line.lower().startswith(b"date:") for line in self._headers_buffer):
            self.send_header("Date", self.date_time_string())
        super().end_headers()

    def log_request(self, *_: Any) -> None:
        """Log nothing: a sync makes thousands of requests."""

    def connection_dropped(self, *_: Any) -> None:
        """Close the connection and log nothing: a lost reply was asked for, or the client is gone."""
        self.close_connection = True


@contextmanager
def serving(
    *,
    port: int = 0,
    database: Path | None = None,
    settings: Settings = DEFAULTS,
    clock: Clock | None = None,
    faults_file: Path | None = None,
    moto_config: dict[str, Any] | None = None,
    middleware: Callable[[WsgiApplication], WsgiApplication] = lambda application: application,
) -> Iterator[tuple[str, Emulation]]:
    """Serve in a thread. Yields the URL and the emulation.

    ``port`` 0 takes any free port. ``clock`` None takes the machine's clock, which the control endpoint can advance.
    ``faults_file`` is YAML with the knobs of ``faults.Knobs``. ``moto_config`` is the configuration for ``mock_aws``.
    ``middleware`` wraps the WSGI application that answers.
    """
    clock = clock if clock is not None else SteerableClock(WallClock())
    with (
        patch.dict(default_user_config, moto_config or {}),
        opened(clock=clock, database=database, settings=settings) as emulation,
    ):
        if faults_file is not None:
            emulation.faults.knobs = read_faults(faults_file)
        server = _Server(port, middleware(Application(emulation)))
        thread = threading.Thread(target=server.serve_forever, name="emulator", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", emulation
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def serve(server: AbstractContextManager[tuple[str, Emulation]]) -> None:
    """Serve until SIGINT or SIGTERM. Prints ``ready http://127.0.0.1:PORT`` as soon as the server answers.

    ``server`` is the result of ``serving``. Call this in the main thread of a process that does nothing else.
    """
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with server as (url, _):
        print(f"ready {url}", flush=True)  # noqa: T201 - the process that started this one waits for it
        stopped.wait()


def read_faults(path: Path) -> Knobs:
    """Read the knobs from YAML. Raises msgspec.ValidationError, which says what is wrong."""
    return msgspec.yaml.decode(path.read_bytes() or b"{}", type=Knobs)
