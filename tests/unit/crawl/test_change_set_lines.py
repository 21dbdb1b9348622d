"""The lines of a change set: what each asks for, and what is refused."""

import base64
import hashlib
import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.crawl import change_set_lines
from docferry.crawl.change_set_lines import Edit
from docferry.errors import ChangeSetInvalid
from docferry.model import Document, Principal, Skipped
from docferry.sources.describing import sidecar
from tests.unit.fakes import NOON


def read(*lines: object) -> list[Edit]:
    """Read lines, given as what they encode or as they are."""
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return list(change_set_lines.read(io.BytesIO(b"\n".join(raw)), connector="team", uploaded=NOON))


def test_a_document_has_what_a_sidecar_says_and_its_content() -> None:
    """With the id under the connector's name, and the content's digest as its version."""
    (edit,) = read(
        {
            "DocumentId": "leave.md",
            "Title": "Leave",
            "Attributes": {"_category": "hr", "_source_uri": "https://wiki.example/leave"},
            "AccessControlList": [{"Name": "staff", "Type": "GROUP", "Access": "ALLOW"}],
            "Content": "# Lève",
        }
    )

    content = "# Lève".encode()
    digest = hashlib.sha256(content).hexdigest()
    assert edit.content == content
    assert edit.entry == Document(
        id="team/leave.md",
        version=f"sha256:{digest}",
        size=len(content),
        locator="",
        content_type="MD",
        title="Leave",
        attributes={"_category": "hr", "_source_uri": "https://wiki.example/leave"},
        access_control=(Principal("staff", "GROUP", "ALLOW"),),
        updated_at=NOON,
        origin="inbox",
    )


def test_binary_content_and_deletes() -> None:
    """Lines without anything on them are passed over."""
    put, delete = read(
        {"DocumentId": "a.pdf", "ContentBase64": base64.b64encode(b"%PDF\0").decode()},
        b"  ",
        {"DocumentId": "b.md", "Delete": True},
    )

    assert put.content == b"%PDF\0"
    assert delete == Edit("team/b.md", None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"DocumentId": "a.xyz", "Content": "x"}, "not a type that the services index; give it a ContentType"),
        ({"DocumentId": "a.md", "Content": ""}, "is empty"),
    ],
)
def test_what_cannot_be_indexed_is_listed_as_skipped(line: object, reason: str) -> None:
    """As a source lists it, with the reason."""
    (edit,) = read(line)

    assert isinstance(edit.entry, Skipped)
    assert reason in edit.entry.skipped


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"DocumentId": "a.md", "Content": "x"', "line 2 is not JSON"),
        (b'{"DocumentId": "a.md", "DocumentId": "b.md", "Content": "x"}', "line 2 gives 'DocumentId' twice"),
        (b"\xff", "line 2 is not UTF-8"),
        ([], "line 2 must be an object"),
        ({"Content": "x"}, "line 2 has no DocumentId"),
        ({"DocumentId": "a.md"}, "line 2 has neither Content, nor ContentBase64, nor 'Delete': true"),
        ({"DocumentId": "a.md", "Content": "x", "ContentBase64": "eA=="}, "line 2 gives both"),
        ({"DocumentId": "a.md", "Content": 7}, "line 2 has a content that is not a text"),
        ({"DocumentId": "a.md", "ContentBase64": "%%"}, "line 2 has a ContentBase64 that is not valid"),
        (b'{"DocumentId": "a.md", "Content": "\\ud800"}', "line 2 has half a character"),
        ({"DocumentId": "a.md", "Delete": True, "Content": "x"}, "line 2 is no delete"),
        ({"DocumentId": "a.md", "Delete": False, "Content": "x"}, "line 2 is no delete"),
        ({"DocumentId": "a.md", "Content": "x", "AccessControlLists": []}, "line 2 has the unknown key"),
        ({"DocumentId": "a.md", "Content": "x", "AccessControlList": []}, "line 2 AccessControlList is empty"),
    ],
)
def test_a_broken_line_refuses_the_change_set(line: object, problem: str) -> None:
    """The text says which line, and what is wrong."""
    with pytest.raises(ChangeSetInvalid, match="^" + problem.replace("(", r"\(")):
        read({"DocumentId": "fine.md", "Content": "x"}, line)


def test_a_line_has_little_beside_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is taken apart takes many times its memory; the content, which is not, may be large."""
    monkeypatch.setattr(sidecar, "MAX_BYTES", 100)
    (edit,) = read({"DocumentId": "a.md", "Content": "x" * 1_000})
    assert len(edit.content) == 1_000

    with pytest.raises(ChangeSetInvalid, match="line 1 has more than 100 bytes beside its content"):
        read({"DocumentId": "a.md", "Content": "x", "Attributes": {"a": ["b"] * 100}})
    with pytest.raises(ChangeSetInvalid, match="line 1 is no document"):
        read(["x"] * 100)


def test_an_id_may_look_like_a_sidecar() -> None:
    """There are none in an inbox."""
    (edit,) = read({"DocumentId": "a.metadata.json", "Content": "{}"})

    assert isinstance(edit.entry, Document)


def test_a_change_set_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """In lines, and in the bytes of a line."""
    monkeypatch.setattr(change_set_lines, "MAX_LINES", 3)
    monkeypatch.setattr(change_set_lines, "MAX_LINE_BYTES", 200)
    line = {"DocumentId": "a.md", "Content": "x"}
    assert len(read(line, line, line)) == 3

    with pytest.raises(ChangeSetInvalid, match="more than 3 lines"):
        read(line, line, line, line)
    with pytest.raises(ChangeSetInvalid, match="line 1 is longer than 200 bytes"):
        read({"DocumentId": "a.md", "Content": "x" * 200})


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """And nothing else is raised."""
    with suppress(ChangeSetInvalid):
        list(change_set_lines.read(io.BytesIO(data), connector="team", uploaded=NOON))
