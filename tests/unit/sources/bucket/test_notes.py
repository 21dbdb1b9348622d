"""What is noted of a listing: sidecars that are short texts, and keys to divide at."""

import pytest

from docferry.sources.bucket.notes import MAX_BYTES, Note, Range, of_boundary, of_sidecar, ranges


def test_ranges_follow_each_other_and_have_the_notes_of_their_sidecars() -> None:
    """The last one has no end."""
    lines = [of_sidecar("a", "1", b"{}"), of_boundary("b"), of_sidecar("c", "2", b"[]"), of_boundary("d")]

    assert list(ranges(iter([line for line in lines if line]), None)) == [
        Range(None, "b", {"a": Note(1, "a", "1", "{}")}),
        Range("b", "d", {"c": Note(1, "c", "2", "[]")}),
        Range("d", None, {}),
    ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [("a", [("a", "b"), ("b", "d"), ("d", None)]), ("b", [("b", "d"), ("d", None)]), ("x", [("x", None)])],
)
def test_what_was_listed_before_is_in_no_range(after: str, expected: list[tuple[str, str | None]]) -> None:
    """A crawl goes on in the middle of a range, at its end, or after all of them."""
    found = ranges(iter([of_boundary("b"), of_boundary("d")]), after)

    assert [(each.after, each.until) for each in found] == expected


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b'[2,"c"]', b'[1,"c","e","t",5]', b'[1,"a"]', b"\xff"])
def test_a_line_that_is_no_note_or_goes_back_is_passed_over(line: bytes) -> None:
    """Ranges never overlap, whatever the notes say."""
    found = list(ranges(iter([of_boundary("b"), line, of_boundary("d")]), None))

    assert [(each.after, each.until) for each in found] == [(None, "b"), ("b", "d"), ("d", None)]


@pytest.mark.parametrize("data", [b"x" * (MAX_BYTES + 1), b"\xff"])
def test_what_is_long_or_no_text_is_not_noted(data: bytes) -> None:
    """It is read again."""
    assert of_sidecar("a", "1", data) is None
