"""What calls need: read from the requests that boto3 makes."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from docferry_laptop.iam.calls import Call, Place, UnknownCall, demands
from docferry_laptop.iam.requests import Request, read

PLACE = Place("us-east-1", "123456789012", lambda _, key: not key.startswith("missing"))
OBJECT = "arn:aws:s3:::papers/a//b c.txt"
KENDRA = "arn:aws:kendra:us-east-1:123456789012:index/I"
QBUSINESS = "arn:aws:qbusiness:us-east-1:123456789012:application/A"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:docferry-team"
ROLE = "arn:aws:iam::123456789012:role/reader"


class Sent(BotoCoreError):  # noqa: N818  # says what has happened
    """Stops boto3 when it has a request."""

    fmt = "sent"


def asked(service: Any, method: str, **params: Any) -> Call:
    """The call that is read from the request that boto3 makes."""
    client = boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(parameter_validation=False),  # ids may be short here
    )
    found: list[Call] = []

    def take(request: AWSPreparedRequest, **_: Any) -> None:
        parts, headers = urlsplit(request.url), {name.lower(): str(value) for name, value in request.headers.items()}
        body = request.body or b""
        sent = body if isinstance(body, bytes) else str(body).encode()
        found.append(
            read(
                headers["authorization"].split("/")[3],
                Request(str(request.method), parts.path, parts.query, _decoded(headers), lambda: sent),
            )
        )
        raise Sent

    client.meta.events.register("before-send", take)
    with pytest.raises(Sent):
        getattr(client, method)(**params)
    return found[0]


def _decoded(headers: dict[str, str]) -> dict[str, str]:
    return {name: value.removeprefix("b'").removesuffix("'") for name, value in headers.items()}


def pairs(call: Call) -> Iterator[tuple[str, str]]:
    """The actions and resources that a call needs."""
    return ((demand.action, demand.resource) for demand in demands(call, PLACE))


CASES: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("s3", "get_object", {"Bucket": "papers", "Key": "a//b c.txt"}, [("s3:GetObject", OBJECT)]),
    (
        "s3",
        "head_object",
        {"Bucket": "papers", "Key": "missing"},
        [("s3:GetObject", "arn:aws:s3:::papers/missing"), ("s3:ListBucket", "arn:aws:s3:::papers")],
    ),
    ("s3", "put_object", {"Bucket": "papers", "Key": "a//b c.txt", "Body": b"x"}, [("s3:PutObject", OBJECT)]),
    (
        "s3",
        "put_object",
        {"Bucket": "papers", "Key": "a//b c.txt", "Body": b"x", "IfMatch": "e"},
        [("s3:PutObject", OBJECT), ("s3:GetObject", OBJECT)],
    ),
    ("s3", "create_multipart_upload", {"Bucket": "papers", "Key": "a//b c.txt"}, [("s3:PutObject", OBJECT)]),
    (
        "s3",
        "upload_part",
        {"Bucket": "papers", "Key": "a//b c.txt", "PartNumber": 1, "UploadId": "u", "Body": b"x"},
        [("s3:PutObject", OBJECT)],
    ),
    (
        "s3",
        "abort_multipart_upload",
        {"Bucket": "papers", "Key": "a//b c.txt", "UploadId": "u"},
        [("s3:AbortMultipartUpload", OBJECT)],
    ),
    ("s3", "list_objects_v2", {"Bucket": "papers", "Prefix": "a/"}, [("s3:ListBucket", "arn:aws:s3:::papers")]),
    ("s3", "head_bucket", {"Bucket": "papers"}, [("s3:ListBucket", "arn:aws:s3:::papers")]),
    (
        "s3",
        "delete_objects",
        {"Bucket": "papers", "Delete": {"Objects": [{"Key": "a//b c.txt"}, {"Key": "<&>"}]}},
        [("s3:DeleteObject", OBJECT), ("s3:DeleteObject", "arn:aws:s3:::papers/<&>")],
    ),
    (
        "kendra",
        "start_data_source_sync_job",
        {"IndexId": "I", "Id": "D"},
        [
            ("kendra:StartDataSourceSyncJob", KENDRA),
            ("kendra:StartDataSourceSyncJob", f"{KENDRA}/data-source/D"),
        ],
    ),
    ("kendra", "describe_index", {"Id": "I"}, [("kendra:DescribeIndex", KENDRA)]),
    (
        "kendra",
        "batch_put_document",
        {"IndexId": "I", "RoleArn": ROLE, "Documents": [{"Id": "1"}]},
        [("kendra:BatchPutDocument", KENDRA), ("iam:PassRole", ROLE)],
    ),
    (
        "qbusiness",
        "stop_data_source_sync_job",
        {"applicationId": "A", "indexId": "I", "dataSourceId": "D"},
        [
            ("qbusiness:StopDataSourceSyncJob", QBUSINESS),
            ("qbusiness:StopDataSourceSyncJob", f"{QBUSINESS}/index/I"),
            ("qbusiness:StopDataSourceSyncJob", f"{QBUSINESS}/index/I/data-source/D"),
        ],
    ),
    (
        "qbusiness",
        "batch_put_document",
        {"applicationId": "A", "indexId": "I", "roleArn": ROLE, "dataSourceSyncId": "S", "documents": [{"id": "1"}]},
        [
            ("qbusiness:BatchPutDocument", QBUSINESS),
            ("qbusiness:BatchPutDocument", f"{QBUSINESS}/index/I"),
            ("iam:PassRole", ROLE),
        ],
    ),
    (
        "stepfunctions",
        "start_execution",
        {"stateMachineArn": MACHINE, "input": "{}"},
        [("states:StartExecution", MACHINE)],
    ),
    (
        "lambda",
        "invoke",
        {"FunctionName": "crawl", "Payload": b"{}"},
        [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:crawl")],
    ),
    (
        "secretsmanager",
        "get_secret_value",
        {"SecretId": "arn:aws:secretsmanager:us-east-1:123456789012:secret:wiki-AbCdEf"},
        [("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:wiki-AbCdEf")],
    ),
    (
        "sqs",
        "receive_message",
        {"QueueUrl": "http://127.0.0.1:1/123456789012/events"},
        [("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:123456789012:events")],
    ),
    (
        "sns",
        "publish",
        {"TopicArn": "arn:aws:sns:us-east-1:123456789012:alarms", "Message": "a&b"},
        [("sns:Publish", "arn:aws:sns:us-east-1:123456789012:alarms")],
    ),
    (
        "events",
        "put_events",
        {"Entries": [{"Source": "docferry", "DetailType": "failed", "Detail": "{}"}]},
        [("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/default")],
    ),
]


@pytest.mark.parametrize(("service", "method", "params", "needed"), CASES, ids=[f"{one[0]}.{one[1]}" for one in CASES])
def test_what_a_request_of_boto3_needs(
    service: str, method: str, params: dict[str, Any], needed: list[tuple[str, str]]
) -> None:
    """Every action, each on its resource, as AWS's reference has them."""
    assert list(pairs(asked(service, method, **params))) == needed


def test_a_role_is_passed_to_the_service() -> None:
    """The condition of iam:PassRole has its value from the call."""
    call = asked("kendra", "batch_put_document", IndexId="I", RoleArn=ROLE, Documents=[{"Id": "1"}])
    passed = demands(call, PLACE)[-1]

    assert dict(passed.context) == {"iam:PassedToService": "kendra.amazonaws.com"}


@pytest.mark.parametrize(
    ("service", "method", "params", "told"),
    [
        ("s3", "get_object_acl", {"Bucket": "papers", "Key": "a"}, "s3:GetObjectAcl"),
        ("s3", "copy_object", {"Bucket": "papers", "Key": "a", "CopySource": "b/c"}, "s3:CopyObject"),
        ("kendra", "delete_index", {"Id": "I"}, "kendra:DeleteIndex"),
        ("dynamodb", "list_tables", {}, "a call of dynamodb"),
    ],
)
def test_a_call_that_no_role_makes_is_unknown(service: str, method: str, params: dict[str, Any], told: str) -> None:
    """By its name: so it can be refused."""
    with pytest.raises(UnknownCall, match=told):
        demands(asked(service, method, **params), PLACE)


def test_a_call_without_what_it_is_about_is_unknown() -> None:
    """It could be about anything."""
    with pytest.raises(UnknownCall, match="kendra:BatchPutDocument without Id"):
        demands(Call("kendra", "BatchPutDocument", {}), PLACE)
