"""Sorted streams side by side: nothing is lost, paired wrongly, or held in memory."""

from hypothesis import given
from hypothesis import strategies as st

from docferry.state.merge import Ascending, align
from tests.unit.fakes import IDS


@given(st.dictionaries(IDS, st.integers(), max_size=8), st.dictionaries(IDS, st.integers(), max_size=8))
def test_items_of_one_id_meet(left: dict[str, int], right: dict[str, int]) -> None:
    """An outer join: each id once, in order, with what each side has of it."""
    lefts, rights = sorted(left.items()), sorted(right.items())

    found = align(lefts, rights, _id, _id)

    ids = sorted(left.keys() | right.keys())
    assert list(found) == [
        ((id_, left[id_]) if id_ in left else None, (id_, right[id_]) if id_ in right else None) for id_ in ids
    ]


def _id(item: tuple[str, int]) -> str:
    return item[0]


@given(st.sets(IDS, max_size=8), st.sets(IDS, max_size=8))
def test_ascending_ids_are_found_in_order(known: set[str], asked: set[str]) -> None:
    """The same answers as of a set."""
    ascending = Ascending(sorted(known))

    assert [id_ for id_ in sorted(asked) if id_ in ascending] == sorted(asked & known)
