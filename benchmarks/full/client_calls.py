"""The processor time that boto3 takes for a call, without a network: figures of calibration.yaml."""

import io
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from benchmarks.full.figures import Figure, Figures

CALLS, ROUNDS = 200, 5
MILLISECONDS = 1000
DOCUMENTS = [
    {
        "Id": f"scale/archive/minutes/000123/minutes-of-meeting-{number:09}.pdf",
        "Title": "Minutes of a meeting",
        "ContentType": "PDF",
        "Attributes": [{"Key": f"attribute_{place}", "Value": {"StringValue": "a value"}} for place in range(4)],
        "S3Path": {"Bucket": "documents", "Key": f"archive/minutes/000123/minutes-of-meeting-{number:09}.pdf"},
    }
    for number in range(10)
]


def client_calls() -> Figures:
    """Measure the calls that a sync makes most."""
    s3, kendra = _client("s3", b""), _client("kendra", b'{"FailedDocuments": []}')
    measured: dict[str, Callable[[], Any]] = {
        "GetObject": lambda: s3.get_object(Bucket="documents", Key="key"),
        "HeadObject": lambda: s3.head_object(Bucket="documents", Key="key"),
        "PutObject": lambda: s3.put_object(Bucket="documents", Key="key", Body=b"x" * 20_000),
        "BatchPutDocument, 10 documents": lambda: kendra.batch_put_document(IndexId="0" * 36, Documents=DOCUMENTS),
    }
    figures = [Figure(name, _milliseconds(call)) for name, call in measured.items()]
    return Figures(
        key="client-calls",
        title="A call of boto3",
        how=(
            "Processor time that boto3 takes to make a request and to read its reply, without a network. The "
            "simulation of millions of documents adds it to each call."
        ),
        unit="ms",
        figures=tuple(figures),
    )


def _client(service: str, reply: bytes) -> Any:
    build: Any = boto3.client  # its type knows each service by a literal name
    made = build(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")

    def answer(**_: object) -> AWSResponse:
        headers = HTTPHeaders()
        headers["ETag"] = '"0123456789abcdef0123456789abcdef"'
        headers["Last-Modified"] = "Sat, 28 Nov 2026 12:00:00 GMT"
        return AWSResponse("https://aws", 200, headers, _Raw(reply))

    made.meta.events.register(f"before-send.{service}", answer)
    return made


class _Raw(io.BytesIO):
    """The stream of a reply."""

    def stream(self) -> Any:
        """The whole of it."""
        yield self.read()


def _milliseconds(call: Callable[[], Any]) -> float:
    call()

    def taken() -> float:
        began = time.process_time()
        for _ in range(CALLS):
            call()
        return (time.process_time() - began) / CALLS * MILLISECONDS

    return median(taken() for _ in range(ROUNDS))
