"""Content types by extension."""

from posixpath import splitext
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.model import ContentType
from docferry.sources.describing.content_types import BY_EXTENSION, content_type


def test_every_content_type_has_an_extension() -> None:
    """No type that the services take can be reached by a sidecar alone."""
    assert set(BY_EXTENSION.values()) == set(get_args(ContentType))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.md", "MD"),
        ("a.MD", "MD"),
        ("folder.pdf/a.Html", "HTML"),
        ("archive.tar.docx", "MS_WORD"),
        ("two words.txt", "PLAIN_TEXT"),
        (".hidden.json", "JSON"),
    ],
)
def test_the_last_extension_counts_in_any_letter_case(path: str, expected: str) -> None:
    """Folders and earlier extensions say nothing about a file."""
    assert content_type(path) == expected


@pytest.mark.parametrize("path", ["a", "a.", ".md", "folder.md/a", "a.exe", "a.md~", "a.md.bak", ""])
def test_other_names_have_no_content_type(path: str) -> None:
    """A backup copy or a bare extension is not what it resembles."""
    assert content_type(path) is None


@given(st.text("a./M", max_size=4), st.sampled_from(["", ".md", ".MD", ".pdf", "md"]))
def test_the_extension_is_what_python_calls_so(stem: str, end: str) -> None:
    """The dots that a name begins with begin none."""
    assert content_type(stem + end) == BY_EXTENSION.get(splitext(stem + end)[1].lower())
