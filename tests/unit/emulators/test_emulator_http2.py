"""HTTP/2 with prior knowledge: the same port, the same answers; many requests at once on one connection."""

import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from h2.errors import ErrorCodes
from h2.exceptions import InvalidBodyLengthError

from docferry_emulators import Emulation
from docferry_emulators.server import application
from docferry_emulators.server.application import serving
from tests.unit.emulators.http2_client import Http2Client
from tests.unit.emulators.test_emulator_server import NOW, SIGNED, call, client

QBUSINESS = {"authorization": SIGNED.format("qbusiness"), "content-type": "application/json"}
S3 = {"authorization": SIGNED.format("s3").replace("eu-west-1", "us-east-1")}


def kendra(operation: str) -> dict[str, str]:
    """The headers of a call to Kendra."""
    return {
        "authorization": SIGNED.format("kendra"),
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": f"AWSKendraFrontendService.{operation}",
    }


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Emulation]]:
    """One server for the tests that leave nothing behind."""
    with serving(settings=NOW) as running:
        yield running


@pytest.fixture
def connection(served: tuple[str, Emulation]) -> Iterator[Http2Client]:
    """A connection to it."""
    with Http2Client(served[0]) as opened:
        yield opened


def test_the_answers_are_those_of_http_1(served: tuple[str, Emulation], connection: Http2Client) -> None:
    """Status, headers and body, of both services and of their errors."""
    created = connection.call("POST", "/applications", QBUSINESS, b'{"displayName": "x"}')
    application = json.loads(created.body)["applicationId"]
    for method, path, headers in (
        ("GET", f"/applications/{application}", QBUSINESS),
        ("GET", f"/applications/{application}/indices/{'0' * 36}", QBUSINESS),
        ("GET", "/applications/x/nothing", QBUSINESS),
        ("POST", "/", kendra("ListIndices")),
        ("POST", "/", kendra("NoSuchThing")),
    ):
        named: dict[str, Any] = {name.replace("-", "_"): value for name, value in headers.items()}
        status, expected, body = call(served[0], method, path, **named)
        answer = connection.call(method, path, headers)
        assert (answer.status, answer.body) == (status, body)
        for name in ("content-type", "content-length", "x-amzn-errortype"):
            assert answer.headers.get(name) == expected.get(name)
        assert {"date", "x-amzn-requestid"} <= answer.headers.keys()
        assert "connection" not in answer.headers


@pytest.mark.parametrize("name", ["a//b", "/a/", "ü%2F?&#", "%", "a b", "😀" * 400])
def test_document_ids_keep_every_character(served: tuple[str, Emulation], connection: Http2Client, name: str) -> None:
    """In a path: slashes, escapes, emoji."""
    qbusiness = client("qbusiness", served[0])
    application = qbusiness.create_application(displayName="x")["applicationId"]
    index = qbusiness.create_index(applicationId=application, displayName="x")["indexId"]
    document = {"id": name, "content": {"blob": b"giraffe"}}
    qbusiness.batch_put_document(applicationId=application, indexId=index, documents=[document])
    call(served[0], "POST", "/_docferry/clock", b'{"seconds": 60}')
    path = f"/applications/{application}/index/{index}/users/ann%40example.com/documents/{quote(name, safe='')}"

    answer = connection.call("GET", f"{path}/check-document-access", QBUSINESS)

    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["hasAccess"] is True


def test_moto_answers_too(connection: Http2Client) -> None:
    """Keys with slashes, metadata with underscores, a HEAD without a body, a form."""
    assert connection.call("PUT", "/papers", S3).status == 200
    metadata = {"authorization": S3["authorization"], "x-amz-meta-a_b": "1"}
    assert connection.wait(connection.begin("PUT", "/papers/a//b%20c", metadata, end=True)).status == 200
    head = connection.call("HEAD", "/papers/a//b%20c", S3)
    form = {"authorization": SIGNED.format("sqs"), "content-type": "application/x-www-form-urlencoded"}
    queues = connection.call("POST", "/", form, b"Action=ListQueues&Version=2012-11-05")

    assert (head.status, head.headers["x-amz-meta-a_b"], head.body) == (200, "1", b"")
    assert b"a//b c" in connection.call("GET", "/papers?list-type=2", S3).body
    assert b"ListQueuesResult" in queues.body


def test_bodies_larger_than_the_windows(served: tuple[str, Emulation]) -> None:
    """Of flow control, either way, while the client leaves little room."""
    content = bytes(range(256)) * 4_000
    with Http2Client(served[0], window=20_000) as connection:
        assert connection.call("PUT", "/windows", S3).status == 200
        assert connection.call("PUT", "/windows/key", S3, content).status == 200
        streams = [connection.send("GET", "/windows/key", S3) for _ in range(3)]
        assert all(connection.wait(stream).body == content for stream in streams)


def test_many_requests_at_once(connection: Http2Client) -> None:
    """Each gets its own answer, in whatever order they are ready."""
    bodies = {f"x{number}": json.dumps({"displayName": f"x{number}"}).encode() for number in range(8)}
    made = {name: connection.send("POST", "/applications", QBUSINESS, body) for name, body in bodies.items()}
    paths = {name: json.loads(connection.wait(stream).body)["applicationId"] for name, stream in made.items()}
    asked = [(name, connection.send("GET", f"/applications/{path}", QBUSINESS)) for name, path in paths.items()] * 8
    for name, stream in reversed(asked):
        assert json.loads(connection.wait(stream).body)["displayName"] == name


def test_a_slow_request_holds_up_no_other(served: tuple[str, Emulation], connection: Http2Client) -> None:
    """On the same connection."""
    emulation = served[1]
    answered = threading.Event()
    emulation.faults.hooks["ListIndices"] = lambda: None if answered.wait(30) else pytest.fail("it was held up")
    try:
        slow = connection.send("POST", "/", kendra("ListIndices"), b"{}")
        assert connection.call("GET", "/applications", QBUSINESS).status == 200
        answered.set()
        assert connection.wait(slow).status == 200
    finally:
        emulation.faults.hooks.clear()


def test_a_lost_reply_is_a_reset_stream(served: tuple[str, Emulation], connection: Http2Client) -> None:
    """The effect takes place, and the connection is good for more."""
    emulation = served[1]
    before = len(json.loads(connection.call("POST", "/", kendra("ListIndices"), b"{}").body).popitem()[1])
    emulation.faults.knobs.lose_reply = {f"CreateIndex#{emulation.faults.calls['CreateIndex'] + 1}"}
    body = b'{"Name": "x", "RoleArn": "arn:aws:iam::123456789012:role/x"}'

    lost = connection.call("POST", "/", kendra("CreateIndex"), body)

    assert (lost.reset, lost.headers) == (ErrorCodes.INTERNAL_ERROR, {})
    listed = json.loads(connection.call("POST", "/", kendra("ListIndices"), b"{}").body)
    assert len(listed["IndexConfigurationSummaryItems"]) == before + 1


def test_a_cut_reply_is_shorter_than_announced(served: tuple[str, Emulation]) -> None:
    """Which HTTP/2 forbids: no client takes it."""
    url, emulation = served
    emulation.faults.knobs.cut_reply = {f"ListApplications#{emulation.faults.calls['ListApplications'] + 1}"}
    with Http2Client(url) as connection, pytest.raises(InvalidBodyLengthError):
        connection.call("GET", "/applications", QBUSINESS)


def test_an_answer_nobody_wants_any_more(served: tuple[str, Emulation], connection: Http2Client) -> None:
    """Holds up nothing: whether it is made yet, or waits for room."""
    with Http2Client(served[0], window=10) as narrow:
        narrow.call("PUT", "/unwanted", S3)
        narrow.call("PUT", "/unwanted/key", S3, b"x" * 1000)
        stream = narrow.send("GET", "/unwanted/key", S3)
        while not narrow.answers[stream].body:
            narrow.read()
        narrow.cancel(stream)
        narrow.cancel(narrow.send("GET", "/unwanted/key", S3))
        assert narrow.call("HEAD", "/unwanted/key", S3).status == 200
    assert connection.call("HEAD", "/unwanted/key", S3).status == 200


def test_a_body_that_is_too_long(connection: Http2Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not kept in memory."""
    monkeypatch.setattr(application, "LONGEST_BODY", 100_000)
    with Http2Client(f"http://{connection.authority}") as other:
        assert other.call("PUT", "/x/key", S3, b"x" * 200_000).reset == ErrorCodes.ENHANCE_YOUR_CALM
        assert other.call("GET", "/applications", QBUSINESS).status == 200


def test_a_client_that_asks_before_it_sends(connection: Http2Client) -> None:
    """Is told to go on: Expect: 100-continue."""
    head = {"authorization": QBUSINESS["authorization"], "content-type": "application/json", "expect": "100-continue"}
    stream = connection.begin("POST", "/applications", head, end=False)
    while not connection.answers[stream].informed:
        connection.read()
    connection.finish(stream, b'{"displayName": "x"}')
    assert connection.wait(stream).status == 200


@pytest.mark.parametrize("path", ["http://[", "*"])
def test_paths_that_are_none(connection: Http2Client, path: str) -> None:
    """Are answered, and do no harm."""
    assert connection.call("GET", path, QBUSINESS).status in {400, 500}
    assert connection.call("GET", "/applications", QBUSINESS).status == 200


def test_a_frame_that_must_not_be(served: tuple[str, Emulation], connection: Http2Client) -> None:
    """Ends the connection with the reason; others go on."""
    with Http2Client(served[0]) as broken:
        broken.socket.sendall(bytes(9))  # a frame of data on stream 0, which carries none
        while broken.read():
            pass
    assert broken.terminated
    assert connection.call("GET", "/applications", QBUSINESS).status == 200


def test_the_end_of_the_server_ends_the_connection() -> None:
    """Though the client would keep it."""
    with serving(settings=NOW) as (url, _):
        connection: Any = Http2Client(url)
        assert connection.call("GET", "/applications", QBUSINESS).status == 200
    with connection:
        while connection.read():
            pass
