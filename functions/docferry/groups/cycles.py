"""Groups that contain themselves. Pure."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]
"""The groups that each group contains directly."""


def cycles(edges: Edges) -> list[tuple[tuple[str, ...], frozenset[str]]]:
    """Find every set of groups that contain each other.

    Gives one cycle among them, such as ``("a", "b", "a")``, and all of them. A group that only contains such groups is
    not one of them.
    """
    found = []
    for component in components(edges):
        first = min(component)
        if len(component) > 1 or first in edges.get(first, ()):
            found.append((_shortest(edges, first, component), component))
    return sorted(found, key=lambda one: one[0])


def components(edges: Edges) -> Iterator[frozenset[str]]:
    """The strongly connected components, by Tarjan's algorithm, without recursion: chains of groups may be long."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in edges:
        if root in numbers:
            continue
        work = [(root, iter(edges.get(root, ())))]
        numbers[root] = lowest[root] = len(numbers)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in numbers:
                    numbers[other] = lowest[other] = len(numbers)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(edges.get(other, ()))))
                    break
                if other in on_stack:
                    lowest[node] = min(lowest[node], numbers[other])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == numbers[node]:
                    place = stack.index(node)
                    component = frozenset(stack[place:])
                    del stack[place:]
                    on_stack -= component
                    yield component


def _shortest(edges: Edges, first: str, component: frozenset[str]) -> tuple[str, ...]:
    """The shortest way from a group back to itself."""
    before: dict[str, str] = {}
    ahead = deque([first])
    while True:
        node = ahead.popleft()
        for other in sorted(set(edges.get(node, ())) & component):
            if other == first:
                way = [first, node]
                while way[-1] != first:
                    way.append(before[way[-1]])
                return tuple(reversed(way)) if node != first else (first, first)
            if other not in before:
                before[other] = node
                ahead.append(other)
