"""Pages of ListObjectsV2 with a thousand keys, read as the source `s3` reads them, and as boto3 does."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from docferry.sources.bucket import listing as bucket_listing

KEYS = 1_000
PAGES = 10
ROUNDS = 7
OBJECT = (
    "<Contents><Key>papers/2026/{0:05}/document-{0}.pdf</Key><LastModified>2026-11-28T18:23:19.000Z</LastModified>"
    "<ETag>&quot;{0:032x}&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"
    "<ChecksumType>FULL_OBJECT</ChecksumType><Size>{0}</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
PAGE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>papers</Name><KeyCount>1000</KeyCount><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
    f"{''.join(OBJECT.format(number) for number in range(KEYS))}</ListBucketResult>"
).encode()


class Raw:
    """The stream of an answer."""

    def stream(self) -> Iterator[bytes]:
        """The whole of it."""
        yield PAGE


def ratio() -> float:
    """How many times as much CPU time boto3 takes for a page. Measured in turn, without a network."""
    plain, quick = _client(), _client()
    bucket_listing.speed_up(quick)
    return median(_seconds(plain) / _seconds(quick) for _ in range(ROUNDS))


def _client() -> Any:
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    s3.meta.events.register("before-send.s3.ListObjectsV2", _answer)
    s3.list_objects_v2(Bucket="papers")
    return s3


def _answer(**_: object) -> AWSResponse:
    return AWSResponse("https://papers", 200, HTTPHeaders(), Raw())


def _seconds(s3: Any) -> float:
    began = time.process_time()
    for _ in range(PAGES):
        s3.list_objects_v2(Bucket="papers")
    return time.process_time() - began
