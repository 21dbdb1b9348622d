"""A listing of S3 is read as botocore reads it."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from xml.sax.saxutils import escape

import boto3
import pytest
from botocore import handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from hypothesis import given
from hypothesis import strategies as st

from docferry.sources.bucket import listing

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
OPEN = (
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/><MaxKeys>1000</MaxKeys>'
)


class Raw:
    """The stream of an answer."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        """The whole of it."""
        yield self._body


def client() -> Any:
    """A client of S3."""
    return boto3.client("s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


def listed(s3: Any, body: bytes, status: int = 200) -> Any:
    """What a client makes of an answer: the answer without its headers, or the error."""

    def answer(**_: object) -> AWSResponse:
        return AWSResponse("https://x", status, HTTPHeaders(), Raw(body))

    s3.meta.events.register("before-send.s3.ListObjectsV2", answer)
    try:
        found = s3.list_objects_v2(Bucket="bucket")
    except Exception as error:  # noqa: BLE001  # any: the two clients are compared
        return type(error).__name__, str(error)
    finally:
        s3.meta.events.unregister("before-send.s3.ListObjectsV2", answer)
    # Whoever shares the client asks for Contents.
    assert [one["Key"] for one in found.get("Contents", ())] == [one.key for one in listing.entries(found)]
    rest = {name: value for name, value in found.items() if name not in {"ResponseMetadata", "Contents", listing.READ}}
    return rest, listing.entries(found)


@pytest.fixture(scope="module")
def plain() -> Any:
    """A client as it comes."""
    return client()


@pytest.fixture(scope="module")
def quick() -> Any:
    """A client that reads listings quickly."""
    s3 = client()
    listing.speed_up(s3)
    listing.speed_up(s3)
    return s3


def of_object(key: str, size: int, more: str) -> str:
    """An object of a listing."""
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-28T18:23:19.000Z</LastModified>"
        f"<ETag>&quot;0&quot;</ETag>{more}<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=8
)
CHECKSUMS = "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm>"
MORE = st.sampled_from(
    [
        "",
        CHECKSUMS,
        "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>",
        # Left to botocore:
        "<Owner><ID>1</ID></Owner>",
        "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>",
    ]
)
URL = "<EncodingType>url</EncodingType>"
ENCODED = st.sampled_from(["", URL])


@given(
    objects=st.lists(st.tuples(TEXT, st.integers(0, 2**40), MORE), max_size=4),
    encoded=ENCODED,
    more=st.booleans(),
    common=st.sampled_from(["", "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"]),
)
def test_any_listing_is_read_as_by_botocore(
    plain: Any, quick: Any, objects: list[tuple[str, int, str]], encoded: str, common: str, *, more: bool
) -> None:
    """Keys with any characters, encoded or not; members of every kind; without objects, too."""
    rows = "".join(of_object(*one) for one in objects)
    ends = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
    body = f"{HEAD}{OPEN}{encoded}{ends}{rows}{common}</ListBucketResult>".encode()

    assert listed(quick, body) == listed(plain, body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>", 404),
        (b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>", 403),
        (f"{HEAD}{OPEN}<Contents><Key>a</Key>".encode(), 200),
        (f"{HEAD}{OPEN}{URL}{of_object('a', 1, '')}<Contents><Key>b</Key>".encode(), 200),
        (f"{HEAD}{OPEN}{URL}{of_object('a', 1, '')}".encode(), 200),
        (f"{HEAD}{OPEN}{of_object('a', 1, '').replace('>1<', '>many<')}</ListBucketResult>".encode(), 200),
        (f"{HEAD}{OPEN}{of_object('a', 1, '').replace('2026-11', 'soon')}</ListBucketResult>".encode(), 200),
        (b"", 200),
    ],
)
def test_what_is_no_listing_is_an_error_as_by_botocore(
    monkeypatch: pytest.MonkeyPatch, plain: Any, quick: Any, body: bytes, status: int
) -> None:
    """An answer that breaks off, or says something else, is none."""
    monkeypatch.setattr("time.sleep", lambda _: None)

    assert listed(quick, body, status) == listed(plain, body, status)


def test_the_objects_are_read_once(quick: Any) -> None:
    """Botocore gets the rest of the answer, also where it looks for an error."""
    left: list[bytes] = []

    def rest(response_dict: dict[str, Any], **_: object) -> None:
        left.append(response_dict["body"])

    quick.meta.events.register("before-parse.s3.ListObjectsV2", rest, unique_id="rest")
    check = "_looks_like_special_case_error"
    with patch.object(handlers, check, wraps=getattr(handlers, check)) as look:
        body = f"{HEAD}{OPEN}{URL}{of_object('a', 1, CHECKSUMS) * 1000}</ListBucketResult>"
        _, found = listed(quick, body.encode())

    assert len(found) == 1000
    assert b"Contents" not in left[0]
    assert [b"Contents" in call.args[1] for call in look.call_args_list] == [False]
    assert left[0].endswith(b"</ListBucketResult>")


def test_another_user_of_the_client_finds_what_botocore_would_give(quick: Any) -> None:
    """The state bucket is listed with the same client."""
    body = f"{HEAD}{OPEN}{URL}{of_object('a', 1, '')}{of_object('b+c', 2, '')}</ListBucketResult>".encode()
    _, found = listed(quick, body)
    contents = listing.Contents(found)

    assert [(one["Key"], one["Size"], one["ETag"]) for one in contents] == [("a", 1, '"0"'), ("b c", 2, '"0"')]
    assert [one["Key"] for one in contents[1:]] == ["b c"]
