"""Buckets that outlive the process."""

import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.s3.models import S3Backend, s3_backends

from docferry.state.keys import LEDGER
from docferry_laptop import object_files
from docferry_laptop.moto.buckets import kept_in, listed_meanwhile, read_to_the_end
from docferry_laptop.object_files import file_of, key_of


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


@pytest.mark.parametrize(
    ("more", "refusal"),
    [({"IfNoneMatch": "*"}, "PreconditionFailed"), ({"StorageClass": "BOGUS"}, "InvalidStorageClass")],
)
def test_a_refused_put_changes_nothing_on_disk(more: dict[str, Any], refusal: str, tmp_path: Path) -> None:
    """What S3 did not take must not come back after a restart. Of a bucket that does not exist, there is no folder."""
    with mock_aws(), kept_in(tmp_path):
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket="state")
        s3.put_object(Bucket="state", Key="lease.json", Body=b"mine")
        with pytest.raises(s3.exceptions.ClientError, match=refusal):
            s3.put_object(Bucket="state", Key="lease.json", Body=b"yours", **more)
        with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucket"):
            s3.put_object(Bucket="no-such-bucket", Key="lease.json", Body=b"x")

    assert (tmp_path / "state" / "lease.json").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_buckets_are_there_in_the_next_process(tmp_path: Path) -> None:
    """An empty one too; a deleted one is not."""
    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        for bucket in ("empty", "gone"):
            s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket="gone", Key="a/b", Body=b"x")
        s3.delete_object(Bucket="gone", Key="a/b")
        s3.delete_bucket(Bucket="gone")

    with mock_aws(), kept_in(tmp_path):
        assert [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]] == ["empty"]


def test_what_is_current_of_versions_is_on_disk(tmp_path: Path) -> None:
    """An old version goes, the newest goes, a delete marker goes: the next process has what this one has."""
    file = tmp_path / "wiki" / "a.txt"
    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="wiki")
        s3.put_bucket_versioning(Bucket="wiki", VersioningConfiguration={"Status": "Enabled"})
        first, second, third = (
            s3.put_object(Bucket="wiki", Key="a.txt", Body=body)["VersionId"] for body in (b"1", b"2", b"3")
        )

        s3.delete_object(Bucket="wiki", Key="a.txt", VersionId=first)
        assert file.read_bytes() == b"3"
        s3.delete_object(Bucket="wiki", Key="a.txt", VersionId=third)
        assert file.read_bytes() == b"2"
        marker = s3.delete_object(Bucket="wiki", Key="a.txt")["VersionId"]
        assert not file.exists()
        s3.delete_object(Bucket="wiki", Key="a.txt", VersionId=marker)
        assert file.read_bytes() == b"2"
        s3.delete_object(Bucket="wiki", Key="a.txt", VersionId=second)
        assert not file.exists()


@pytest.mark.parametrize("keys", [["a", "a/b", "a/b/c"], ["a/b/c", "a/b", "a"]])
def test_a_key_may_be_the_beginning_of_another(keys: list[str], tmp_path: Path) -> None:
    """In S3 there are no folders, so ``a`` and ``a/b`` are two objects."""
    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="wiki")
        for key in keys:
            s3.delete_object(Bucket="wiki", Key=f"{key}/no/such")
            s3.put_object(Bucket="wiki", Key=key, Body=key.encode())
            s3.delete_object(Bucket="wiki", Key=f"{key}/no/such")
        s3.delete_object(Bucket="wiki", Key="a/b")
        s3.delete_object(Bucket="wiki", Key="a/no/such")

    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="wiki")["Contents"]] == ["a", "a/b/c"]
        assert s3.get_object(Bucket="wiki", Key="a")["Body"].read() == b"a"


@pytest.mark.parametrize(
    "key",
    [
        *("docs/", "/", "a//b", "..", "a/../b", "Übersicht 100 %.md", "U\u0308bersicht.md", "12:00:00Z.jsonl"),
        *("手" * 200, "x" * 700, "." * 200, "x" * 300 + ".", "x" * 300 + "..", ".writing-x", "y" * 300 + ".writing-x"),
        *("50%+/x.md", "x" * 20 + "%+/y"),
    ],
)
def test_every_key_of_s3_comes_back(key: str, tmp_path: Path) -> None:
    """As long as S3 allows, in any script, and what the console makes for a folder."""
    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="wiki")
        s3.put_object(Bucket="wiki", Key=key, Body=b"x")

    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="wiki")["Contents"]] == [key]
        s3.delete_object(Bucket="wiki", Key=key)

    with mock_aws(), kept_in(tmp_path):
        assert boto3.client("s3").list_objects_v2(Bucket="wiki")["KeyCount"] == 0


def test_what_the_disk_refuses_is_not_in_s3_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that tries again would meet its own object, and take it for another's."""
    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="state")

        def full(**_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(tempfile, "mkstemp", full)
            with pytest.raises(OSError, match="No space left"):
                s3.put_object(Bucket="state", Key="lease.json", Body=b"mine", IfNoneMatch="*")

        assert s3.list_objects_v2(Bucket="state")["KeyCount"] == 0
        s3.put_object(Bucket="state", Key="lease.json", Body=b"mine", IfNoneMatch="*")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_disk_and_memory_change_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads an object, and replaces it by compare-and-swap, must not be overtaken on disk by who wrote it first."""
    in_memory, overtaken, put = threading.Event(), threading.Event(), object_files.put

    def first_waits(file: Path, *place: Any) -> None:
        if file.read_bytes() == b"1":
            in_memory.set()
            overtaken.wait(0.2)  # as long as the second one would need
        put(file, *place)

    monkeypatch.setattr(object_files, "put", first_waits)
    with mock_aws(), kept_in(tmp_path):
        s3: S3Backend = s3_backends["123456789012"]["aws"]
        s3.create_bucket("state", "us-east-1")
        first = threading.Thread(target=s3.put_object, args=("state", "lease.json", b"1"))
        first.start()
        assert in_memory.wait(60)
        s3.put_object("state", "lease.json", b"2")
        overtaken.set()
        first.join()

    assert (tmp_path / "state" / "lease.json").read_bytes() == b"2"


def test_two_names_of_a_person_that_are_in_each_others_way(tmp_path: Path) -> None:
    """``a`` is an object, and ``a%2Fb`` is below it; what is no UTF-8 stays under the name that it has."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name in ("a", "a%2Fb", "%FE.md", "%FF.md"):
        (folder / name).write_text(name)

    for _ in range(2):
        with mock_aws(), kept_in(tmp_path):
            s3 = boto3.client("s3")
            found = {entry["Key"] for entry in s3.list_objects_v2(Bucket="mirror")["Contents"]}
            assert {"a", "a/b"} <= found

    assert (folder / "%FE.md").read_text() == "%FE.md"
    assert (folder / "%FF.md").read_text() == "%FF.md"


@pytest.mark.parametrize("name", ["2026-08-01T12:00:00Z.jsonl", "Änderung.jsonl", "100%.jsonl", "a%20b.jsonl"])
def test_a_file_that_a_person_puts_there_goes_when_its_object_goes(name: str, tmp_path: Path) -> None:
    """A change set of the inbox that came back would be taken again, and revert what was changed since."""
    (tmp_path / "state" / "inbox").mkdir(parents=True)
    (tmp_path / "state" / "inbox" / name).write_bytes(b"x")
    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        (found,) = s3.list_objects_v2(Bucket="state")["Contents"]
        s3.delete_object(Bucket="state", Key=found["Key"])

    with mock_aws(), kept_in(tmp_path):
        assert boto3.client("s3").list_objects_v2(Bucket="state")["KeyCount"] == 0


def test_of_two_files_with_one_key_the_newer_one_counts(tmp_path: Path) -> None:
    """One was written by S3, the other put there by hand, under a name that S3 would not have written."""
    folder = tmp_path / "wiki"
    folder.mkdir()
    (folder / "100%25.md").write_bytes(b"kept by S3")
    (folder / "100%.md").write_bytes(b"put there by hand")
    os.utime(folder / "100%.md", (0, 0))

    with mock_aws(), kept_in(tmp_path):
        assert boto3.client("s3").get_object(Bucket="wiki", Key="100%.md")["Body"].read() == b"kept by S3"

    (folder / "100%.md").write_bytes(b"put there by hand")
    os.utime(folder / "100%25.md", (0, 0))

    with mock_aws(), kept_in(tmp_path):
        assert boto3.client("s3").get_object(Bucket="wiki", Key="100%.md")["Body"].read() == b"put there by hand"


def test_runs_expire(tmp_path: Path) -> None:
    """What a life-cycle rule of a state bucket would have removed is removed; the rest is not, nor any document."""
    old = time.time() - 40 * 24 * 3600
    for name in ("state/runs/old/report.json", "state/manifest/old.jsonl.zst", "wiki/runs/shoes.md"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
        os.utime(file, (old, old))
    (tmp_path / "state" / LEDGER).write_text("{}")

    with mock_aws(), kept_in(tmp_path):
        s3 = boto3.client("s3")
        found = [entry["Key"] for name in ("state", "wiki") for entry in s3.list_objects_v2(Bucket=name)["Contents"]]

    assert found == [LEDGER, "manifest/old.jsonl.zst", "runs/shoes.md"]
    assert not (tmp_path / "state" / "runs" / "old" / "report.json").exists()


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60), st.data())
def test_every_key_has_a_file_of_its_own_inside_its_bucket(key: str, data: st.DataObject) -> None:
    """Keys with dots, slashes, percent signs and emoji neither collide nor climb out of the folder."""
    others = [key + "/", "/" + key, key.replace(".", "%2E"), "../" + key, key + "//x", "./" + key, key * 20]
    other = data.draw(st.sampled_from(others))
    folder = Path("/buckets")

    file = file_of(folder, "state", key)

    assert (file == file_of(folder, "state", other)) == (key == other)
    assert ".." not in file.parts
    assert file.is_relative_to(folder / "state")
    assert key_of(folder, "state", file_of(folder, "state", other)) == other
