"""Lines in blocks: cut anywhere, they are the same lines."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.state import blocks, lines
from docferry.state.blocks import Cursor
from docferry.state.chunks import chunks
from tests.unit.fakes import document

IDS = st.lists(st.text("ab\u00e9\U0001f6f3", max_size=3), max_size=12, unique=True).map(sorted)


def encoded(ids: list[str], version: str = "v1") -> list[bytes]:
    """The line of a document for each id."""
    return [lines.encode(document(id_, version)) for id_ in ids]


def in_blocks(each: list[bytes], size: int) -> list[bytes]:
    """Lines in blocks of so many."""
    return [b"\n".join(some) for some in chunks(each, size)]


@given(IDS, st.integers(1, 5))
def test_blocks_are_split_into_their_lines(ids: list[str], size: int) -> None:
    """And counted without being split."""
    each = encoded(ids)
    made = in_blocks(each, size)

    assert list(blocks.split(made)) == each
    assert sum(map(blocks.count, made)) == len(each)


@given(IDS, st.integers(1, 5), st.text("ab\u00e9\U0001f6f3", min_size=1, max_size=3))
def test_what_comes_after_an_id_begins_anywhere_in_a_block(ids: list[str], size: int, after: str) -> None:
    """Whether or not the id is there."""
    found = blocks.beyond(after, in_blocks(encoded(ids), size))

    assert list(blocks.split(found)) == encoded([id_ for id_ in ids if id_ > after])


@given(IDS, IDS, st.integers(1, 5), st.integers(1, 5), st.integers(1, 300))
def test_lines_are_paired_by_id_but_for_equal_ones(
    left: list[str], right: list[str], one: int, other: int, least: int
) -> None:
    """As from plain sets."""
    with patch.object(blocks, "LEAST", least):
        pairs = list(blocks.align(in_blocks(encoded(left), one), in_blocks(encoded(right), other)))

    assert [(a and lines.line_id(a), b and lines.line_id(b)) for a, b in pairs] == [
        (id_ if id_ in left else None, id_ if id_ in right else None) for id_ in sorted({*left} ^ {*right})
    ]
    changed = list(blocks.align(encoded(left), encoded(left, "v2")))
    assert changed == list(zip(encoded(left), encoded(left, "v2"), strict=True))


@pytest.mark.parametrize("length", [10, 1_000, 100_000])
def test_a_line_of_any_length_is_compared_whole(length: int) -> None:
    """Longer than what is compared at first, and than a block as it is read."""
    same, old, new = b"a" * length, b"b" * length + b"1", b"b" * length + b"2"
    one, other = Cursor([same + b"\n" + old]), Cursor([same, new])

    assert blocks.pass_equal(one, other) == 1
    assert (one.line, other.line) == (old, new)
