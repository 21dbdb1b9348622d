"""The bucket of the harness answers as moto's S3 does."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from docferry.runtime.wiring import client
from docferry.state.objects import Moved
from docferry.state.store import Store
from tests.state_buckets import Bucket, served

NAME = "some-bucket"


@pytest.fixture(params=["moto", "ours"])
def s3(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client with an empty bucket."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client.cache_clear()
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=NAME)
        if request.param == "moto":
            yield client("s3")
        else:
            with served(Bucket(NAME)):
                yield client("s3")
    client.cache_clear()


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    """The code and the status of an error."""
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_objects_are_written_read_listed_and_deleted(s3: Any) -> None:
    """ETags and contents included."""
    tag = s3.put_object(Bucket=NAME, Key="a/1", Body=b"one")["ETag"]
    s3.put_object(Bucket=NAME, Key="a/2", Body=b"two")
    s3.put_object(Bucket=NAME, Key="b", Body=b"three")

    reply = s3.get_object(Bucket=NAME, Key="a/1")
    assert (reply["Body"].read(), reply["ETag"], s3.head_object(Bucket=NAME, Key="a/1")["ETag"]) == (b"one", tag, tag)
    assert tag == '"f97c5d29941bfb1b2fdab0874906ab82"'
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=NAME, Prefix="a/")["Contents"]] == ["a/1", "a/2"]
    s3.delete_object(Bucket=NAME, Key="b")
    s3.delete_object(Bucket=NAME, Key="b")
    s3.delete_objects(Bucket=NAME, Delete={"Objects": [{"Key": "a/1"}, {"Key": "a/2"}]})
    assert "Contents" not in s3.list_objects_v2(Bucket=NAME, Prefix="")


def test_a_range_of_an_object(s3: Any) -> None:
    """Shorter where the object ends; an error that begins behind it. The ETag is that of the whole object."""
    tag = s3.put_object(Bucket=NAME, Key="range", Body=b"0123456789")["ETag"]

    for asked, expected in (("bytes=2-4", b"234"), ("bytes=8-99", b"89")):
        reply = s3.get_object(Bucket=NAME, Key="range", Range=asked, IfMatch=tag)
        assert (reply["Body"].read(), reply["ContentLength"], reply["ETag"]) == (expected, len(expected), tag)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=NAME, Key="range", Range="bytes=10-12")
    assert code(error) == ("InvalidRange", 416)


def test_a_listing_up_to_a_delimiter(s3: Any) -> None:
    """What is below a folder is told by the folder, once; what is in none, by its key."""
    for key in ("runs/a/1", "runs/a/2", "runs/b/1", "runs/top", "other/x"):
        s3.put_object(Bucket=NAME, Key=key, Body=b"x")

    listed = s3.list_objects_v2(Bucket=NAME, Prefix="runs/", Delimiter="/")

    assert [one["Prefix"] for one in listed["CommonPrefixes"]] == ["runs/a/", "runs/b/"]
    assert [one["Key"] for one in listed["Contents"]] == ["runs/top"]
    assert "CommonPrefixes" not in s3.list_objects_v2(Bucket=NAME, Prefix="none/", Delimiter="/")


def test_what_is_not_there_is_an_error(s3: Any) -> None:
    """HEAD has no body, and so no code but the status."""
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=NAME, Key="none")
    assert code(error) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=NAME, Key="none")
    assert code(error) == ("404", 404)


def test_conditional_writes(s3: Any) -> None:
    """The compare-and-swap that the lease and the manifest rest on."""
    store = Store(NAME, s3)
    with pytest.raises(Moved):
        store.replace("key", "new", '"0123"')
    store.create("key", "one")
    with pytest.raises(Moved):
        store.create("key", "two")
    record = store.read("key", str)
    assert record is not None
    store.replace("key", "two", record.etag)
    with pytest.raises(Moved):
        store.replace("key", "three", record.etag)
    after = store.read("key", str)
    assert after is not None
    assert after.value == "two"


def test_streams(s3: Any) -> None:
    """Uploads and downloads, which boto3 may do in parts."""
    store = Store(NAME, s3)
    with store.writing("stream") as stream:
        stream.add({"id": "a"})

    assert list(store.lines("stream", stream.written.sha256)) == [b'{"id":"a"}\n'] or list(store.lines("stream")) == [
        b'{"id":"a"}'
    ]
