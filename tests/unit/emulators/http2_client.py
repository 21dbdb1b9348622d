"""A client of HTTP/2 with prior knowledge that shows what is on the wire: streams, resets, hanging up."""

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes, Settings
from msgspec import Struct, field


class Answer(Struct):
    """What has come on a stream so far."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    informed: list[str] = field(default_factory=list)
    """Status codes of informational responses."""
    reset: int | None = None
    ended: bool = False

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.headers[":status"])


class Http2Client:
    """One connection. ``window`` is how many bytes of a response may be under way on a stream."""

    def __init__(self, url: str, window: int = 65_535) -> None:
        self.authority = urlsplit(url).netloc
        host, _, port = self.authority.partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.local_settings = Settings(client=True, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.h2.initiate_connection()
        self.answers: dict[int, Answer] = {}
        self.terminated: int | None = None
        """The error code of the GOAWAY frame that came."""
        self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def begin(self, method: str, path: str, headers: dict[str, str], *, end: bool) -> int:
        """Send the head of a request; return its stream."""
        stream = self.h2.get_next_available_stream_id()
        pseudo = {":method": method, ":path": path, ":scheme": "http", ":authority": self.authority}
        self.answers[stream] = Answer()
        self.h2.send_headers(stream, list({**pseudo, **headers}.items()), end_stream=end)
        self._flush()
        return stream

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
        """Send a request; return its stream."""
        stream = self.begin(method, path, headers, end=not body)
        while body and self.answers[stream].reset is None:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0:
                self.read()
            else:
                self.h2.send_data(stream, body[:room], end_stream=len(body) <= room)
                body = body[room:]
                self._flush()
        return stream

    def finish(self, stream: int, body: bytes) -> None:
        """Send the body, in one piece."""
        self.h2.send_data(stream, body, end_stream=True)
        self._flush()

    def wait(self, stream: int) -> Answer:
        """Return the whole answer on a stream, or what there is of it when it was reset."""
        answer = self.answers[stream]
        while not answer.ended and answer.reset is None:
            if not self.read():
                raise ConnectionError(f"The server hung up; stream {stream} has {answer}")
        return answer

    def call(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Send a request and wait for its answer."""
        return self.wait(self.send(method, path, headers, body))

    def cancel(self, stream: int) -> None:
        """Give up on a request."""
        self.h2.reset_stream(stream)
        self._flush()

    def read(self) -> bool:
        """Take in what comes next; False at the end of the connection."""
        data = self.socket.recv(65_536)
        for event in self.h2.receive_data(data):
            match event:
                case ResponseReceived(stream_id=stream, headers=headers):
                    self.answers[stream].headers = {str(name): str(value) for name, value in headers}
                case InformationalResponseReceived(stream_id=stream, headers=headers):
                    self.answers[stream].informed.append(str(headers[0][1]))
                case DataReceived(stream_id=stream, data=received, flow_controlled_length=length):
                    self.answers[stream].body += received
                    self.h2.acknowledge_received_data(length, stream)
                case StreamEnded(stream_id=stream):
                    self.answers[stream].ended = True
                case StreamReset(stream_id=stream, error_code=code):
                    self.answers[stream].reset = int(code)
                case ConnectionTerminated(error_code=code):
                    self.terminated = int(code or 0)
        self._flush()
        return bool(data)

    def _flush(self) -> None:
        if data := self.h2.data_to_send():
            self.socket.sendall(data)
