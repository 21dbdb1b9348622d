"""Buckets that outlive the process."""

import os
import time
from pathlib import Path

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.s3.models import S3Backend, s3_backends

from docferry_laptop.moto.buckets import file_of, kept_in, listed_meanwhile, read_to_the_end


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_objects_are_there_in_the_next_process(tmp_path: Path) -> None:
    """Written, overwritten, deleted and multipart objects are found again as they were."""
    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="state")
        s3.put_object(Bucket="state", Key="a/b.json", Body=b"1")
        s3.put_object(Bucket="state", Key="a/b.json", Body=b"2")
        s3.put_object(Bucket="state", Key="gone", Body=b"3")
        s3.delete_object(Bucket="state", Key="gone")
        s3.put_object(Bucket="state", Key="gone too", Body=b"4")
        s3.delete_objects(Bucket="state", Delete={"Objects": [{"Key": "gone too"}]})
        etag = s3.head_object(Bucket="state", Key="a/b.json")["ETag"]

    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="state")["Contents"]] == ["a/b.json"]
        found = s3.get_object(Bucket="state", Key="a/b.json")
        assert found["Body"].read() == b"2"
        assert found["ETag"] == etag


@pytest.mark.parametrize("change", ["put_object", "delete_object"])
def test_an_object_is_read_to_its_end_while_it_is_replaced(change: str) -> None:
    """A command that follows a run reads records that the run's thread replaces."""
    with mock_aws(), read_to_the_end():
        s3: S3Backend = s3_backends["123456789012"]["aws"]
        s3.create_bucket("state", "us-east-1")
        s3.put_object("state", "a.json", b"before")
        found = s3.get_object("state", "a.json")
        assert found is not None
        getattr(s3, change)("state", "a.json", *([b"after"] if change == "put_object" else []))

        assert found.value == b"before"


def test_a_bucket_is_listed_while_an_object_is_deleted() -> None:
    """A command that follows a run lists its results while the run's thread gives its lease back."""
    with mock_aws(), listed_meanwhile():
        s3: S3Backend = s3_backends["123456789012"]["aws"]
        bucket = s3.create_bucket("state", "us-east-1")
        for key in "abc":
            s3.put_object("state", key, b"before")
        found = bucket.keys.items()
        first, _ = next(found)
        s3.delete_object("state", "b")

        assert [first, *(key for key, _ in found)] == ["a", "b", "c"]
        assert [entry["Key"] for entry in boto3.client("s3").list_objects_v2(Bucket="state")["Contents"]] == ["a", "c"]


def test_a_refused_conditional_write_changes_nothing_on_disk(tmp_path: Path) -> None:
    """What S3 did not take must not come back after a restart."""
    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="state")
        s3.put_object(Bucket="state", Key="lease.json", Body=b"mine")
        with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket="state", Key="lease.json", Body=b"yours", IfNoneMatch="*")

    assert (tmp_path / "state" / "lease.json").read_bytes() == b"mine"


def test_runs_expire(tmp_path: Path) -> None:
    """What a life-cycle rule would have removed is removed; the rest is not."""
    old = time.time() - 40 * 24 * 3600
    for name in ("runs/old/report.json", "manifest/old.jsonl.zst"):
        file = tmp_path / "state" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
        os.utime(file, (old, old))

    with mock_aws(), kept_in(tmp_path):
        listed = boto3.client("s3").list_objects_v2(Bucket="state")["Contents"]

    assert [entry["Key"] for entry in listed] == ["manifest/old.jsonl.zst"]
    assert not (tmp_path / "state" / "runs" / "old" / "report.json").exists()


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60), st.data())
def test_every_key_has_a_file_of_its_own_inside_its_bucket(key: str, data: st.DataObject) -> None:
    """Keys with dots, slashes, percent signs and emoji neither collide nor climb out of the folder."""
    others = [key + "/", "/" + key, key.replace(".", "%2E"), "../" + key, key + "//x", "./" + key]
    other = data.draw(st.sampled_from(others))
    folder = Path("/buckets")

    file = file_of(folder, "state", key)

    assert (file == file_of(folder, "state", other)) == (key == other)
    assert ".." not in file.parts
    assert file.is_relative_to(folder / "state")
