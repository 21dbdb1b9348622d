"""The files of a bucket read as the bucket is, while another process has it."""

import re
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from docferry.state.keys import RUNS
from docferry.state.store import Store
from docferry.state.stream import Missing
from docferry_laptop.bucket_files import BucketFiles
from docferry_laptop.moto.buckets import kept_in
from tests.unit.conftest import SESSION


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of buckets with records, a stream, and names that no file can have."""
    with mock_aws(), kept_in(tmp_path):
        s3: Any = SESSION.client("s3")
        s3.create_bucket(Bucket="state")
        store = Store("state", s3)
        store.write("runs/a-1/run.json", {"number": 1})
        store.write("runs/a-2/run.json", {"number": 2})
        store.write("runs/b-1/..%/odd name.json", {"number": 3})
        with store.writing("runs/a-1/failed.jsonl.zst") as stream:
            stream.add({"id": "x"})
    (tmp_path / "state" / "runs" / "a-1" / ".writing-x").write_text("half")
    return tmp_path


def test_records_streams_and_lists_are_read(folder: Path) -> None:
    """As S3 would give them; a file that is being written is not there yet."""
    store = Store("state", BucketFiles(folder))

    record = store.read("runs/a-1/run.json", dict[str, int])

    assert record is not None
    assert record.value == {"number": 1}
    assert record.age.total_seconds() >= 0
    assert list(store.lines("runs/a-1/failed.jsonl.zst")) == [b'{"id":"x"}']
    assert list(store.keys("runs/a")) == ["runs/a-1/failed.jsonl.zst", "runs/a-1/run.json", "runs/a-2/run.json"]
    assert list(store.keys("runs/b-1/")) == ["runs/b-1/..%/odd name.json"]
    assert list(store.folders(RUNS)) == ["a-1", "a-2", "b-1"]
    assert list(store.folders(f"{RUNS}a")) == ["a-1", "a-2"]
    assert store.exists("runs/a-1/run.json")


def test_what_is_not_there_is_said_as_s3_says_it(folder: Path) -> None:
    """An object, a folder, a bucket."""
    store = Store("state", BucketFiles(folder))

    assert store.read("runs/none", dict[str, int]) is None
    assert store.read("runs/a-1", dict[str, int]) is None
    assert not store.exists("runs/a-1")
    assert list(store.keys("none/")) == list(store.folders("none/")) == []
    assert Store("none", BucketFiles(folder)).read("ledger.json", dict[str, int]) is None
    with pytest.raises(Missing):
        list(store.lines("runs/none"))


def test_nothing_can_be_written(folder: Path) -> None:
    """The process that has the folder is the only one that writes."""
    with pytest.raises(AttributeError, match=re.escape("put_object")):
        Store("state", BucketFiles(folder)).write("runs/a-1/run.json", {})
