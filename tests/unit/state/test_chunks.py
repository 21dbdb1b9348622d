"""Streams in pieces."""

from itertools import count, islice

from hypothesis import given
from hypothesis import strategies as st

from docferry.state.chunks import chunks


@given(st.lists(st.integers()), st.integers(1, 5))
def test_chunks_are_the_stream_in_pieces(items: list[int], size: int) -> None:
    """In order, none empty, all but the last of the full size."""
    pieces = list(chunks(items, size))

    assert [item for piece in pieces for item in piece] == items
    assert all(len(piece) == size for piece in pieces[:-1])
    assert all(pieces)


def test_an_endless_stream_is_no_trouble() -> None:
    """Nothing is read ahead."""
    assert list(islice(chunks(count(), 2), 2)) == [[0, 1], [2, 3]]
