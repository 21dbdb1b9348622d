"""Groups that contain themselves are found, each with a way from it back to it, and no other group is."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from docferry.groups.cycles import cycles

NODES = "abcdef"
EDGES = st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), unique=True).map(tuple))


def reachable(edges: dict[str, tuple[str, ...]], node: str) -> set[str]:
    """The groups that a group contains, directly or through others."""
    found: set[str] = set()
    ahead = [node]
    while ahead:
        new = set(edges.get(ahead.pop(), ())) - found
        found |= new
        ahead += new
    return found


@given(EDGES)
def test_exactly_the_groups_that_contain_themselves_are_found(edges: dict[str, tuple[str, ...]]) -> None:
    """However they are nested."""
    found = cycles(edges)

    assert {name for _, names in found for name in names} == {node for node in NODES if node in reachable(edges, node)}
    assert sum(len(names) for _, names in found) == len({name for _, names in found for name in names})


@given(EDGES)
def test_each_way_is_one(edges: dict[str, tuple[str, ...]]) -> None:
    """From a group to one that it contains, and so on, back to the first."""
    for way, names in cycles(edges):
        assert way[0] == way[-1] == min(names)
        assert set(way) <= names
        assert len(set(way[:-1])) == len(way) - 1
        assert all(following in edges[node] for node, following in pairwise(way))


def test_a_long_chain_is_no_matter() -> None:
    """Deeper than Python's recursion goes."""
    edges = {str(number): (str(number + 1),) for number in range(10_000)}

    assert cycles(edges) == []
    ((way, names),) = cycles({**edges, "10000": ("0",)})
    assert len(names) == 10_001
    assert len(way) == 10_002
