"""HTTP/2 with prior knowledge, for the request handler of werkzeug's server, which speaks only HTTP/1.1.

Some SDKs use HTTP/2 for services that can stream: the SDK for JavaScript does so for Q Business. There is no
negotiation without TLS. The client begins with a preface, whose first line looks like a request (RFC 9113, sections 3.3
and 3.4).

The h2 library reads and writes the frames. Hypercorn speaks both versions, but it does not fit: it answers 500 when an
application gives no answer, and a lost reply has to look like a broken connection.
"""

import logging
import socket
import threading
from contextlib import suppress
from copy import copy
from http.client import HTTPMessage
from io import BytesIO
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from msgspec import Struct, field
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import WSGIRequestHandler
from werkzeug.wrappers import Response

log = logging.getLogger(__name__)

PREFACE = b"PRI * HTTP/2.0\r\n"
"""The first line of the preface. It distinguishes a connection of HTTP/2 from one of HTTP/1.1."""
_READ = 1 << 16
# Headers about a connection of HTTP/1.1, which must not be sent over HTTP/2 (RFC 9113, section 8.2.2).
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})


class _Request(Struct):
    headers: list[tuple[str, str]]
    body: bytearray = field(default_factory=bytearray)


class Connection:
    """One connection. The thread of its handler reads. Each request is answered in a separate thread.

    ``longest_body`` is in bytes. A request with a longer body is reset.
    """

    def __init__(self, handler: WSGIRequestHandler, longest_body: int) -> None:
        self._handler = handler
        self._longest_body = longest_body
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
        # The requests that the client waits for, by stream.
        self._requests: dict[int, _Request] = {}
        # Guards all of the above. It is notified when the client may have room for more of an answer.
        self._news = threading.Condition()

    def converse(self) -> None:
        """Answer requests until either side closes the connection. ``PREFACE`` has been read already."""
        self._h2.initiate_connection()
        data = PREFACE
        try:
            while data:
                with self._news:
                    try:
                        for event in self._h2.receive_data(data):
                            with suppress(ProtocolError):  # the same data also cancelled the request
                                self._take(event)
                    finally:  # a violation of the protocol is answered too, with the reason
                        self._flush()
                        self._news.notify_all()
                data = self._handler.rfile.read1(_READ)
        except ProtocolError as error:
            log.debug("A client of HTTP/2 broke the protocol: %s", error)
        finally:
            with self._news:
                self._requests.clear()
                self._news.notify_all()

    def hang_up(self) -> None:
        """Close the connection from another thread."""
        with suppress(OSError):  # the client closed it first
            self._handler.connection.shutdown(socket.SHUT_RDWR)

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=stream, headers=headers):
                self._requests[stream] = _Request([(str(name), str(value)) for name, value in headers])
                if ("expect", "100-continue") in self._requests[stream].headers:
                    self._h2.send_headers(stream, [(":status", "100")])
            case DataReceived(stream_id=stream, data=data, flow_controlled_length=length):
                self._h2.acknowledge_received_data(length, stream)
                if request := self._requests.get(stream):
                    request.body += data
                    if len(request.body) > self._longest_body:
                        del self._requests[stream]
                        self._h2.reset_stream(stream, ErrorCodes.ENHANCE_YOUR_CALM)
            case StreamEnded(stream_id=stream) if request := self._requests.get(stream):
                threading.Thread(target=self._answer, args=(stream, request), daemon=True).start()
            case StreamReset(stream_id=stream):
                self._requests.pop(stream, None)

    def _answer(self, stream: int, request: _Request) -> None:
        response = self._run(request)
        with self._news:
            with suppress(OSError, ProtocolError):  # the client is gone, or no longer wants it
                if response is None:
                    self._h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
                else:
                    self._send(stream, response)
                self._flush()
            self._requests.pop(stream, None)

    def _run(self, request: _Request) -> Response | None:
        """Run the application. Returns None when the reply is to be lost."""
        try:
            return Response.from_app(self._handler.server.app, self._environ(request), buffered=True)
        except ConnectionError:
            return None
        except Exception:
            # The first four are method, path, scheme and authority. The others may be secret.
            log.exception("A request over HTTP/2 failed: %s", request.headers[:4])
            return InternalServerError().get_response()

    def _environ(self, request: _Request) -> dict[str, Any]:
        """Let the handler make the environment, as if it had read the request. Paths and names of headers stay raw."""
        pseudo = {name: value for name, value in request.headers if name.startswith(":")}
        reader = copy(self._handler)
        reader.command = pseudo[":method"]
        reader.path = pseudo.get(":path", "*")
        reader.request_version = "HTTP/2.0"
        reader.rfile = BytesIO(request.body)
        reader.headers = HTTPMessage()
        for name, value in request.headers:
            if name not in pseudo and name != "content-length":
                reader.headers[name] = value
        reader.headers["content-length"] = str(len(request.body))
        if ":authority" in pseudo:
            del reader.headers["host"]
            reader.headers["host"] = pseudo[":authority"]
        return reader.make_environ()

    def _send(self, stream: int, response: Response) -> None:
        body = memoryview(response.get_data())
        headers = [(":status", str(response.status_code))]
        if "Date" not in response.headers:
            headers.append(("date", self._handler.date_time_string()))
        headers += [(name.lower(), value) for name, value in response.headers if name.lower() not in _HOP_BY_HOP]
        self._h2.send_headers(stream, headers, end_stream=not body)
        while body:
            room = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if room > 0:
                self._h2.send_data(stream, body[:room], end_stream=len(body) <= room)
                body = body[room:]
            else:
                self._flush()
                self._news.wait()
                if stream not in self._requests:
                    return

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._handler.connection.sendall(data)
