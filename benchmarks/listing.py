"""Pages of ListObjectsV2 with a thousand keys, read as the source `s3` reads them, and as boto3 does."""

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any
from xml.etree import ElementTree as ET

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from docferry.crawl.listing import admitted
from docferry.indexes.kendra import Kendra, KendraSettings
from docferry.model import Listed
from docferry.sources.bucket import listing as bucket_listing
from docferry.sources.s3 import S3, S3Settings

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
    "<Name>papers</Name><KeyCount>1000</KeyCount><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
    f"{''.join(OBJECT.format(number) for number in range(KEYS))}</ListBucketResult>"
).encode()


class Raw:
    """The stream of an answer."""

    def stream(self) -> Iterator[bytes]:
        """The whole of it."""
        yield PAGE


def figures() -> dict[str, float]:
    """Medians of rounds in turn, without a network.

    ``boto3``: how many times as much CPU time boto3 takes for a page. Milliseconds of CPU for a page: ``page_ms`` as
    `s3` reads it, ``documents_ms`` with its documents as they are admitted, ``elementtree_ms`` for its XML alone.
    """
    plain, quick = _client(), _client()
    bucket_listing.speed_up(quick)
    source = S3(connector="bench", settings=S3Settings(bucket="papers"), clients=lambda _: _client())
    ways: dict[str, Callable[[], object]] = {
        "boto3": lambda: plain.list_objects_v2(Bucket="papers"),
        "page_ms": lambda: bucket_listing.entries(quick.list_objects_v2(Bucket="papers")),
        "documents_ms": lambda: _documents(source),
        "elementtree_ms": lambda: ET.fromstring(PAGE),
    }
    rounds = [{name: _milliseconds(way) for name, way in ways.items()} for _ in range(ROUNDS)]
    ratio = median(each["boto3"] / each["page_ms"] for each in rounds)
    return {name: median(each[name] for each in rounds) for name in ways} | {"boto3": ratio}


def _documents(source: S3) -> list[Listed]:
    (page,) = source.pages(None)
    index = Kendra(settings=KendraSettings(), clients=lambda _: None)
    return [admitted(entry, index, None) for entry in page.listed]


def _client() -> Any:
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    s3.meta.events.register("before-send.s3.ListObjectsV2", _answer)
    s3.list_objects_v2(Bucket="papers")
    return s3


def _answer(**_: object) -> AWSResponse:
    return AWSResponse("https://papers", 200, HTTPHeaders(), Raw())


def _milliseconds(way: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(PAGES):
        way()
    return (time.process_time() - began) * 1_000 / PAGES
