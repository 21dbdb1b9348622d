"""Windows: two sorted streams are cut at the same ids, and steps do not depend on where somebody stopped."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.state import lines, windows
from docferry.state.windows import Steps, split
from tests.unit.fakes import IDS, document

SORTED = st.lists(IDS, max_size=30).map(sorted)


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Windows of a line or two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "WINDOW_BYTES", 250)
        yield


def encoded(ids: Iterable[str]) -> list[bytes]:
    """Documents with these ids; one that comes twice has two versions."""
    return [lines.encode(document(id_, f"v{number}")) for number, id_ in enumerate(ids)]


def ids(block: bytes) -> list[str]:
    """The ids in a block."""
    return list(map(lines.line_id, split(block)))


def after(id_: str, stream: list[bytes]) -> list[bytes]:
    """The lines that come after an id."""
    return [line for line in stream if lines.line_id(line) > id_]


@given(left=SORTED, right=SORTED, size=st.integers(1, 9), joined=st.integers(1, 5))
def test_windows_are_the_streams_cut_at_the_same_ids(left: list[str], right: list[str], size: int, joined: int) -> None:
    """Nothing is lost, each id is in one window, and lines may come in blocks."""
    blocks = [b"\n".join(encoded(left)[at : at + joined]) for at in range(0, len(left), joined)]
    steps = Steps(blocks, encoded(right), size=size)
    found = []
    while steps.left:
        found += list(steps.step())

    assert [id_ for window in found for id_ in ids(window.left)] == left
    assert [id_ for window in found for id_ in ids(window.right)] == right
    lasts = [window.last for window in found]
    assert lasts == sorted(set(lasts))
    assert all(max(ids(window.left) + ids(window.right)) == window.last for window in found)
    for one, following in pairwise(found):
        assert min(ids(following.left) + ids(following.right)) > one.last


@given(left=SORTED, right=SORTED, size=st.integers(1, 9))
def test_a_step_is_the_same_for_one_who_begins_there(left: list[str], right: list[str], size: int) -> None:
    """Its bounds depend on what comes after the last one, and a stream has no more lines in it than it may have."""
    one, other = encoded(left), encoded(right)
    whole = Steps(one, other, size=size)
    while whole.left:
        anew = Steps(after(whole.after, one), after(whole.after, other), size=size)
        steps = [list(steps.step()) for steps in (whole, anew)]
        taken = [[b"\n".join(filter(None, side)) for side in zip(*map(sides, step), strict=True)] for step in steps]

        assert taken[0] == taken[1]
        assert whole.after == anew.after
        assert all(len(set(ids(side))) <= size for side in taken[0])


def sides(window: windows.Window) -> tuple[bytes, bytes]:
    """Both sides of a window."""
    return window.left, window.right


def test_nothing_is_no_step() -> None:
    """There is nothing left of two empty streams."""
    steps = Steps((), ())

    assert not steps.left
    assert list(steps.step()) == []
