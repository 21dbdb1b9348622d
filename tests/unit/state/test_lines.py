"""Canonical lines: equal records have equal lines, and whatever is written is read back."""

import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.model import Document, Skipped
from docferry.state import blocks, lines
from docferry.state.lines import LineWriter
from tests.unit.fakes import document

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def compressed(written: list[bytes]) -> io.BytesIO:
    """Lines, as they lie on S3."""
    file = io.BytesIO()
    with LineWriter(file) as writer:
        for line in written:
            writer.write(line)
    file.seek(0)
    return file


def test_equal_documents_have_equal_lines() -> None:
    """The order in which a source found the attributes does not make a document another one."""
    one: dict[str, Any] = {"b": "2", "a": ("x", "y"), "c": 3}

    lines_ = {lines.encode(document("d", attributes=dict(order))) for order in (one.items(), reversed(one.items()))}

    assert len(lines_) == 1


@given(TEXTS, TEXTS)
def test_a_line_is_one_line_and_decodes_to_its_record(id_: str, title: str) -> None:
    """No text breaks a line in two, not even one of line ends."""
    record = document(id_, title=title)

    line = lines.encode(record)

    assert b"\n" not in line
    assert lines.decode(line, Document) == record
    assert lines.line_id(line) == id_


@given(st.lists(TEXTS))
def test_what_is_written_is_read_back(texts: list[str]) -> None:
    """A stream gives back its lines, in order, whatever is in them."""
    written = [lines.encode(Skipped(text, "reason")) for text in texts]

    assert list(blocks.split(lines.read_blocks(compressed(written)))) == written


def test_streams_one_after_the_other_are_one_stream() -> None:
    """A file of several compressed frames is read to its end, not to the end of the first."""
    both = io.BytesIO(compressed([b"1"]).getvalue() + compressed([b"2", b"3"]).getvalue())

    assert list(blocks.split(lines.read_blocks(both))) == [b"1", b"2", b"3"]


def test_a_writer_counts_its_lines_and_leaves_the_file_open() -> None:
    """The file is its owner's to upload."""
    file = io.BytesIO()
    with LineWriter(file) as writer:
        writer.write(b"1")
        writer.write(b"2")

    assert writer.count == 2
    assert not file.closed


def test_an_empty_stream_has_no_lines() -> None:
    """A run without deletes writes a stream of them all the same."""
    assert list(blocks.split(lines.read_blocks(compressed([])))) == []


def test_a_probe_tells_documents_from_what_was_skipped() -> None:
    """A line is looked at before it is decoded."""
    assert lines.probe(lines.encode(document("d"))).skipped is None
    assert lines.probe(lines.encode(Skipped("d", "is empty"))).skipped == "is empty"


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"id": 1}', b'{"id": "d"}', b"\xff"])
def test_what_is_no_record_is_refused(line: bytes) -> None:
    """A corrupt line never becomes half a document."""
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        lines.decode(line, Document)
