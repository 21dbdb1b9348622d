"""The state bucket: records that change by compare-and-swap, streams that appear whole or not at all."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError
from botocore.response import StreamingBody
from msgspec import Struct

from docferry.errors import StateInvalid
from docferry.state import objects as module
from docferry.state import stream as stream_module
from docferry.state.objects import Moved
from docferry.state.store import Store
from docferry.state.stream import DOWNLOADS, Missing


class Note(Struct, frozen=True):
    """A record."""

    text: str


def test_a_record_is_read_as_it_was_written(store: Store) -> None:
    """Or it is not there."""
    assert store.read("note.json", Note) is None

    store.write("note.json", Note("é"))

    record = store.read("note.json", Note)
    assert record is not None
    assert record.value == Note("é")


def test_a_record_of_another_shape_is_refused(store: Store) -> None:
    """Nothing is guessed of what somebody else has written."""
    store.write("note.json", {"words": 1})

    with pytest.raises(StateInvalid, match=r"note\.json"):
        store.read("note.json", Note)


def test_a_record_is_created_once(store: Store) -> None:
    """Of two that create it one learns that it came late."""
    store.create("note.json", Note("one"))

    with pytest.raises(Moved):
        store.create("note.json", Note("two"))

    record = store.read("note.json", Note)
    assert record is not None
    assert record.value == Note("one")


def test_a_record_is_replaced_only_as_it_was_read(store: Store) -> None:
    """The ETag says what was read."""
    store.write("note.json", Note("one"))
    read = store.read("note.json", Note)
    assert read is not None

    store.replace("note.json", Note("two"), read.etag)
    with pytest.raises(Moved):
        store.replace("note.json", Note("three"), read.etag)

    record = store.read("note.json", Note)
    assert record is not None
    assert record.value == Note("two")


def test_a_record_that_is_gone_is_not_replaced(store: Store) -> None:
    """S3 answers an If-Match on nothing with 404, not with 412."""
    store.write("note.json", Note("one"))
    read = store.read("note.json", Note)
    assert read is not None
    store.delete("note.json")

    with pytest.raises(Moved):
        store.replace("note.json", Note("two"), read.etag)
    assert not store.exists("note.json")


def test_two_conditional_writes_at_once_are_a_move(s3: Any, store: Store) -> None:
    """S3 answers 409 to one of them; somebody else is writing the key."""
    busy: Any = {"Error": {"Code": "ConditionalRequestConflict", "Message": ""}}

    with patch.object(s3, "put_object", side_effect=ClientError(busy, "PutObject")), pytest.raises(Moved):
        store.create("note.json", Note("one"))


def test_another_error_is_not_taken_for_a_move(s3: Any, store: Store) -> None:
    """A missing permission is not a lost race."""
    denied: Any = {"Error": {"Code": "AccessDenied", "Message": ""}}

    with patch.object(s3, "put_object", side_effect=ClientError(denied, "PutObject")), pytest.raises(ClientError):
        store.create("note.json", Note("one"))


def test_a_missing_bucket_is_not_an_empty_one(s3: Any) -> None:
    """A wrong bucket would otherwise look like a connector before its first run."""
    with pytest.raises(ClientError):
        Store("no-such-bucket", s3).read("note.json", Note)


def test_a_stream_is_read_as_it_was_written(store: Store) -> None:
    """Records and encoded lines, counted, with the digest of the object."""
    with store.writing("stream") as stream:
        stream.add(Note("one"))
        stream.add_line(b'{"text":"two"}')
        assert stream.count == 2

    assert stream.written.lines == 2
    assert list(store.lines("stream", stream.written.sha256)) == [b'{"text":"one"}', b'{"text":"two"}']


def test_a_stream_larger_than_the_spool_goes_over_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with it, and nothing is lost on the way."""
    for where in (module, stream_module):
        monkeypatch.setattr(where, "SPOOL_BYTES", 64)
    lines = [f'"{number}"'.encode() for number in range(5_000)]

    with store.writing("stream") as stream:
        for line in lines:
            stream.add_line(line)

    assert list(store.lines("stream", stream.written.sha256)) == lines


def test_a_stream_that_fails_half_way_never_appears(store: Store) -> None:
    """Also not over the one that was there: a result object is a whole result."""
    with store.writing("stream") as stream:
        stream.add(Note("whole"))

    def fail() -> None:
        with store.writing("stream") as stream:
            stream.add(Note("half"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(store.lines("stream")) == [b'{"text":"whole"}']


def test_a_stream_with_another_digest_gives_no_line(store: Store) -> None:
    """Not even the first, which may be right."""
    with store.writing("stream") as stream:
        stream.add(Note("one"))

    with pytest.raises(ValueError, match="stream has the digest"):
        next(store.lines("stream", "0" * 64))


def test_a_stream_that_is_not_there(store: Store) -> None:
    """Is said, or has no lines, as the caller wants it."""
    with pytest.raises(Missing):
        next(store.lines("none"))
    assert list(store.lines_if_any("none")) == []


def test_a_download_that_breaks_off_begins_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And gives each line once; one that breaks off each time is an error."""
    with store.writing("stream") as stream:
        stream.add(Note("one"))
    whole = StreamingBody.iter_chunks
    breaks = iter([True, True])

    def broken(body: StreamingBody, size: int) -> Iterator[bytes]:
        for block in whole(body, size):
            if next(breaks, False):
                yield block[:5]
                raise ResponseStreamingError(error="reset")
            yield block

    monkeypatch.setattr(StreamingBody, "iter_chunks", broken)
    assert list(store.lines("stream")) == [b'{"text":"one"}']

    breaks = iter([True] * DOWNLOADS)
    with pytest.raises(ResponseStreamingError):
        list(store.lines("stream"))


def test_equal_streams_have_equal_digests(store: Store) -> None:
    """A run that is settled again writes the same manifest."""
    digests = set()
    for key in ("one", "two"):
        with store.writing(key) as stream:
            stream.add(Note("same"))
        digests.add(stream.written.sha256)

    assert len(digests) == 1


def test_what_is_under_a_prefix_is_deleted_and_nothing_else(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it takes more than one request."""
    monkeypatch.setattr(module, "DELETE_KEYS", 2)
    for key in ("runs/1/a", "runs/1/b", "runs/1/c/d", "runs/10", "runs/2/a"):
        store.put_content(key, b"x")

    store.delete_prefix("runs/1/")

    assert sorted(store.keys("")) == ["runs/10", "runs/2/a"]
    store.delete_prefix("runs/1/")


def test_deleting_nothing_is_no_error(store: Store) -> None:
    """Cleaning up twice is cleaning up once."""
    store.delete("note.json")

    assert not store.exists("note.json")
