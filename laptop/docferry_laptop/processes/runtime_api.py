"""Lambda's Runtime API: a function's process asks it for the next invocation, and reports the result to it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Any, Literal

from msgspec import Struct

VERSION = "/2018-06-01/runtime"
# Not sampled, so that the X-Ray SDK in the process sends nothing.
TRACE = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"


class Invocation(Struct, frozen=True):
    """One invocation: its request id, the ARN that was invoked, the event as JSON, and its time limit in seconds."""

    id: str
    arn: str
    payload: bytes
    timeout: float


class Told(Struct, frozen=True):
    """A message of a process: it has ``taken`` its invocation, or it reports the result of that or of its start."""

    what: Literal["taken", "response", "error", "init error"]
    body: bytes = b""


class RuntimeApi:
    """The API of one process, on its own loopback port, because the client can only be given a host and a port."""

    def __init__(self) -> None:
        self.told: SimpleQueue[Told] = SimpleQueue()
        self._waiting: SimpleQueue[Invocation | None] = SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="runtime-api", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """The value for ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{self._server.server_port}"

    def offer(self, invocation: Invocation) -> None:
        """Hand an invocation to the process when it next asks."""
        self._waiting.put(invocation)

    def hear(self, seconds: float) -> Told | None:
        """Return the next message of the process, or None when it sends none for this many seconds."""
        try:
            return self.told.get(timeout=seconds)
        except Empty:
            return None

    def close(self) -> None:
        """Stop serving. The process must have ended before."""
        self._waiting.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def next(self) -> Invocation | None:
        """Wait for the next invocation, and return it. None: there will be no more."""
        return self._waiting.get()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: the process was ended during its request."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:  # the base class finds the method by this name
        """Answer a request for the next invocation, as soon as there is one."""
        invocation = self.server.api.next() if self.path == f"{VERSION}/invocation/next" else None
        if invocation is None:
            self._answer(404)
            return
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            "Lambda-Runtime-Trace-Id": TRACE,
        }
        self.server.api.told.put(Told("taken"))
        self._answer(200, invocation.payload, headers)

    def do_POST(self) -> None:  # as above
        """Receive the result of an invocation, or an error at the start."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.path.removeprefix(VERSION).split("/")[1:]:
            case ["invocation", _, "response"]:
                told = Told("response", body)
            case ["invocation", _, "error"]:
                told = Told("error", body)
            case ["init", "error"]:
                told = Told("init error", body)
            case _:
                self._answer(404)
                return
        # Answer first: as soon as the message is passed on, the process may be ended while it waits for its answer.
        self._answer(202, b'{"status":"OK"}')
        self.server.api.told.put(told)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing: the log belongs to the function."""
