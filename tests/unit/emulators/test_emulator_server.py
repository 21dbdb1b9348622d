"""The server: both services and moto's on one port, the raw wire, the control endpoint."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from docferry_emulators import Emulation, Settings
from docferry_emulators.server.application import read_faults, service_of, serving
from tests.unit.emulators.emulated_services import REGION, ROLE

NOW = Settings(resource_seconds=0)
SIGNED = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240101/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Emulation]]:
    """One server for the tests that leave nothing behind."""
    with serving(settings=NOW) as running:
        yield running


def client(name: str, url: str) -> Any:
    """A client as a user has it: nothing but an endpoint."""
    make: Any = boto3.client  # its stubs know each service by a literal
    return make(
        name,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"max_attempts": 3, "mode": "standard"}, connect_timeout=5, read_timeout=30),
    )


def call(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """A raw request."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body or None, named)
    response = connection.getresponse()
    replied = {name.lower(): value for name, value in response.getheaders()}
    content = response.read()
    connection.close()
    return response.status, replied, content


def kendra_call(url: str, operation: str, body: Any) -> tuple[int, dict[str, str], Any]:
    """A raw request to Kendra."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {
        "X_Amz_Target": f"AWSKendraFrontendService.{operation}",
        "Content_Type": "application/x-amz-json-1.1",
        "Authorization": SIGNED.format("kendra"),
    }
    status, replied, content = call(url, "POST", "/", raw, **headers)
    return status, replied, json.loads(content) if content else None


def test_one_port_serves_all(served: tuple[str, Emulation]) -> None:
    """The service in the scope of the signature is the only hint there is."""
    url, _ = served
    client("s3", url).create_bucket(Bucket="content", CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3", url).put_object(Bucket="content", Key="k", Body=b"giraffe")
    kendra = client("kendra", url)
    index = kendra.create_index(Name="x", RoleArn=ROLE)["Id"]
    document = {"Id": "a", "S3Path": {"Bucket": "content", "Key": "k"}}
    assert kendra.batch_put_document(IndexId=index, RoleArn=ROLE, Documents=[document])["FailedDocuments"] == []
    call(url, "POST", "/_docferry/clock", b'{"seconds": 60}')
    assert [item["DocumentId"] for item in kendra.query(IndexId=index, QueryText="giraffe")["ResultItems"]] == ["a"]
    qbusiness = client("qbusiness", url)
    assert qbusiness.create_application(displayName="x")["applicationId"]
    assert client("sqs", url).create_queue(QueueName="q")["QueueUrl"]


def test_boto3_finds_it_by_the_environment(served: tuple[str, Emulation], monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_ENDPOINT_URL is all a program needs."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", served[0])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    session: Any = boto3.session.Session()
    for name, operation in (("kendra", "list_indices"), ("qbusiness", "list_applications")):
        reply = getattr(session.client(name, region_name=REGION), operation)()
        assert reply["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_the_wire_of_kendra(served: tuple[str, Emulation]) -> None:
    """Content type, request id, epoch numbers, no body for an empty result."""
    url, _ = served
    status, headers, body = kendra_call(url, "CreateIndex", {"Name": "x", "RoleArn": ROLE})
    assert (status, headers["content-type"]) == (200, "application/x-amz-json-1.1")
    assert headers["x-amzn-requestid"]
    described = kendra_call(url, "DescribeIndex", {"Id": body["Id"]})[2]
    assert isinstance(described["CreatedAt"], int | float)
    assert kendra_call(url, "UpdateIndex", {"Id": body["Id"], "Description": "x"})[2] is None
    source = {"IndexId": body["Id"], "Name": "x", "Type": "CUSTOM"}
    source_id = kendra_call(url, "CreateDataSource", source)[2]["Id"]
    at = {"IndexId": body["Id"], "Id": source_id}
    kendra_call(url, "StartDataSourceSyncJob", at)
    since = {"StartTimeFilter": {"StartTime": 0, "EndTime": time.time() + 1e6}}
    history = kendra_call(url, "ListDataSourceSyncJobs", {**at, **since, "StatusFilter": "SYNCING"})[2]["History"]
    assert isinstance(history[0]["StartTime"], int | float)
    assert history[0]["Metrics"]["DocumentsAdded"] == "0"
    past = {"StartTimeFilter": {"EndTime": 1.5}}
    assert kendra_call(url, "ListDataSourceSyncJobs", {**at, **past})[2]["History"] == []


def test_errors_of_kendra(served: tuple[str, Emulation]) -> None:
    """The code is in the body, the message has a capital, and everything the client did is 400."""
    url, _ = served
    cases = {
        "ResourceNotFoundException": kendra_call(url, "DescribeIndex", {"Id": "0" * 36}),
        "ValidationException": kendra_call(url, "DescribeIndex", {"Id": "short"}),
        "UnknownOperationException": kendra_call(url, "NoSuchThing", {}),
        "SerializationException": kendra_call(url, "DescribeIndex", {"Id": 5}),
    }
    for code, (status, headers, body) in cases.items():
        assert status == 400
        assert body["__type"] == code
        assert body["Message"]
        assert headers["content-type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"text"', b"\xff", b'{"Id": "\\ud800"}', b'{"Id": NaN}', b"[" * 100_000, b'{"Id": ["x"]}'],
)
def test_bodies_that_are_no_request(served: tuple[str, Emulation], body: bytes) -> None:
    """Are refused as what they are; nothing breaks."""
    status, _, reply = kendra_call(served[0], "DescribeIndex", body)
    assert status == 400
    assert reply["__type"] in {"SerializationException", "ValidationException"}


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("", 200),
        ("AWS4-HMAC-SHA256", 200),
        ("AWS4-HMAC-SHA256 Credential=a/b", 200),
        (SIGNED.format("kendra").replace("eu-west-1", "local"), 400),
        (SIGNED.format("kendra").replace("eu-west-1", "%2F"), 400),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d", 400),
    ],
)
def test_signatures_that_are_none(served: tuple[str, Emulation], authorization: str, expected: int) -> None:
    """Do not matter; but a region that AWS has not is refused."""
    target = {"X_Amz_Target": "AWSKendraFrontendService.ListIndices", "Authorization": authorization}
    status, _, body = call(served[0], "POST", "/", b"{}", **target)
    assert status == expected
    assert json.loads(body).get("__type") == (None if expected == 200 else "AccessDeniedException")


def test_a_filter_nested_too_deeply(served: tuple[str, Emulation]) -> None:
    """Is refused, too."""
    condition: Any = {"EqualsTo": {"Key": "_category", "Value": {"StringValue": "x"}}}
    for _ in range(600):
        condition = {"NotFilter": condition}
    url = served[0]
    index = kendra_call(url, "CreateIndex", {"Name": "x", "RoleArn": ROLE})[2]["Id"]
    status, _, _ = kendra_call(url, "Query", {"IndexId": index, "AttributeFilter": condition})
    assert status in {200, 400}


def test_the_wire_of_q_business(served: tuple[str, Emulation]) -> None:
    """Method and raw path, no content type on an empty body, ISO dates in the query string, its own errors."""
    url, _ = served
    signed: dict[str, Any] = {"Authorization": SIGNED.format("qbusiness")}
    body = b'{"displayName": "x", "clientToken": null, "unknown": 1}'
    status, headers, reply = call(url, "POST", "/applications", body, Content_Type="application/json", **signed)
    assert (status, headers["content-type"]) == (200, "application/json")
    application = json.loads(reply)["applicationId"]
    index = json.loads(call(url, "POST", f"/applications/{application}/indices", b'{"displayName": "x"}', **signed)[2])
    at = f"/applications/{application}/indices/{index['indexId']}"
    custom = b'{"displayName": "x", "configuration": {"type": "CUSTOM", "version": "1.0.0"}}'
    source = json.loads(call(url, "POST", f"{at}/datasources", custom, **signed)[2])["dataSourceId"]
    status, _, reply = call(url, "POST", f"{at}/datasources/{source}/startsync", **signed)
    assert status == 200
    query = "syncStatus=SYNCING&startTime=2024-05-06T07%3A08%3A09.654321Z&maxResults=10"
    listed = json.loads(call(url, "GET", f"{at}/datasources/{source}/syncjobs?{query}", **signed)[2])
    assert [job["executionId"] for job in listed["history"]] == [json.loads(reply)["executionId"]]
    assert call(url, "POST", f"{at}/datasources/{source}/stopsync", **signed)[2] in {b"", b"{}"}
    cases = [
        ("GET", f"/applications/{application}/nothing", "UNKNOWN_OPERATION"),
        ("GET", f"{at}/datasources/{source}/syncjobs?maxResults=11", "FIELD_VALIDATION_FAILED"),
        ("GET", f"{at}/datasources/{source}/syncjobs?maxResults=x", "CANNOT_PARSE"),
        ("GET", f"{at}/datasources/{source}/syncjobs?startTime=yesterday", "CANNOT_PARSE"),
    ]
    for method, path, reason in cases:
        status, headers, reply = call(url, method, path, **signed)
        assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
        assert json.loads(reply)["reason"] == reason
    status, headers, reply = call(url, "GET", f"/applications/{application}/indices/{'0' * 36}", **signed)
    assert (status, headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    assert json.loads(reply) == {
        "message": f"Index '{'0' * 36}' does not exist.",
        "resourceId": "0" * 36,
        "resourceType": "INDEX",
    }


@pytest.mark.parametrize(
    ("environ", "service"),
    [
        ({"HTTP_AUTHORIZATION": SIGNED.format("qbusiness")}, "qbusiness"),
        ({"HTTP_AUTHORIZATION": SIGNED.format("s3"), "PATH_INFO": "/applications/x"}, None),
        ({"HTTP_X_AMZ_TARGET": "AWSKendraFrontendService.Query"}, "kendra"),
        ({"HTTP_HOST": "qbusiness-fips.us-east-1.api.aws"}, "qbusiness"),
        ({"PATH_INFO": "/applications/x/indices"}, "qbusiness"),
        ({"PATH_INFO": "/bucket/applications"}, None),
        ({}, None),
    ],
)
def test_which_service_a_request_is_for(environ: dict[str, str], service: str | None) -> None:
    """The signature decides; without one the target, the host, or the path."""
    assert service_of(environ) == service


def test_a_body_of_twenty_megabytes(served: tuple[str, Emulation]) -> None:
    """Q Business takes 50 MB inline; every byte arrives."""
    url, emulation = served
    qbusiness = client("qbusiness", url)
    application = qbusiness.create_application(displayName="x")["applicationId"]
    at = {"applicationId": application}
    at["indexId"] = qbusiness.create_index(**at, displayName="x")["indexId"]
    document = {"id": "large", "content": {"blob": b"giraffe " * 2_500_000}}
    assert qbusiness.batch_put_document(**at, documents=[document])["failedDocuments"] == []
    call(url, "POST", "/_docferry/clock", b'{"seconds": 60}')
    found = qbusiness.list_documents(**at)["documentDetailList"][0]
    assert found["status"] == "FAILED"  # more text than an index takes, which is found out later
    assert "5000000" in found["error"]["errorMessage"]
    assert emulation.faults.calls["BatchPutDocument"] >= 1


def test_the_control_endpoint(served: tuple[str, Emulation]) -> None:
    """Faults are read and replaced, calls counted, the clock pushed ahead; what is wrong is said."""
    url, _ = served
    knobs = {"throttle_every": {"ListIndices": 1}, "lose_reply": ["Query#1"], "end_jobs": "FAILED"}
    status, _, body = call(url, "PUT", "/_docferry/faults", json.dumps(knobs).encode())
    assert status == 200
    read = json.loads(call(url, "GET", "/_docferry/faults")[2])
    assert read == json.loads(body)
    assert {name: read[name] for name in knobs} == knobs
    assert kendra_call(url, "ListIndices", {})[2]["__type"] == "ThrottlingException"
    assert json.loads(call(url, "GET", "/_docferry/calls")[2])["ListIndices"] >= 1
    assert call(url, "PUT", "/_docferry/faults")[0] == 200
    assert kendra_call(url, "ListIndices", {})[0] == 200
    for bad in (b'{"no_such_knob": 1}', b"{"):
        assert call(url, "PUT", "/_docferry/faults", bad)[0] == 400
    before = json.loads(call(url, "GET", "/_docferry/clock")[2])["now"]
    assert json.loads(call(url, "POST", "/_docferry/clock", b'{"seconds": 3600}')[2])["now"] > before
    for bad in (b'{"seconds": 1700000000000}', b'{"seconds": -1}'):
        assert call(url, "POST", "/_docferry/clock", bad)[0] == 400
    assert call(url, "GET", "/_docferry/clock")[0] == 200
    assert call(url, "GET", "/_docferry/nothing")[0] == 404


def test_faults_from_a_file(tmp_path: Path) -> None:
    """YAML, with the names of the knobs."""
    path = tmp_path / "faults.yaml"
    path.write_text("throttle_every: {BatchPutDocument: 3}\nfail: [Query#1]\nreject: {a: No.}\n")
    knobs = read_faults(path)
    assert knobs.throttle_every == {"BatchPutDocument": 3}
    assert knobs.fail == {"Query#1"}
    with serving(settings=NOW, faults_file=path) as (url, _):
        index = kendra_call(url, "CreateIndex", {"Name": "x", "RoleArn": ROLE})[2]["Id"]
        status, _, body = kendra_call(url, "Query", {"IndexId": index})
    assert (status, body["__type"]) == (500, "InternalServerException")


def test_a_lost_reply_closes_the_connection() -> None:
    """And boto3, which tries again, gets the next one; the effect took place twice."""
    with serving(settings=NOW) as (url, emulation):
        emulation.faults.knobs.lose_reply = {"CreateIndex#1"}
        kendra = client("kendra", url)
        kendra.create_index(Name="x", RoleArn=ROLE, ClientToken="t")
        assert len(kendra.list_indices()["IndexConfigurationSummaryItems"]) == 1
        emulation.faults.knobs.lose_reply = {"ListIndices#2"}
        body = {"X_Amz_Target": "AWSKendraFrontendService.ListIndices", "Authorization": SIGNED.format("kendra")}
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            call(url, "POST", "/", b"{}", **body)


def test_a_cut_reply_is_shorter_than_announced() -> None:
    """And the connection closed."""
    with serving(settings=NOW) as (url, emulation):
        emulation.faults.knobs.cut_reply = {"CreateIndex#1"}
        with pytest.raises(http.client.IncompleteRead) as error:
            kendra_call(url, "CreateIndex", {"Name": "x", "RoleArn": ROLE})
        assert error.value.partial.startswith(b'{"Id')
        assert len(kendra_call(url, "ListIndices", {})[2]["IndexConfigurationSummaryItems"]) == 1


def test_an_error_of_the_emulator_is_an_internal_error(served: tuple[str, Emulation]) -> None:
    """It is logged, and answered as the service would."""

    def explode() -> None:
        raise ZeroDivisionError

    url, emulation = served
    emulation.faults.hooks["ListIndices"] = explode
    try:
        status, _, body = kendra_call(url, "ListIndices", {})
    finally:
        emulation.faults.hooks.clear()
    assert (status, body["__type"]) == (500, "InternalServerException")
