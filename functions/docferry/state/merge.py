"""Streams that are sorted by id, side by side."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

L = TypeVar("L")
R = TypeVar("R")


def align(
    left: Iterable[L], right: Iterable[R], left_id: Callable[[L], str], right_id: Callable[[R], str]
) -> Iterator[tuple[L | None, R | None]]:
    """Pair the items of two streams that have one id; None stands for what one of the streams does not have.

    Both must be sorted by id, without an id twice. Memory holds one item of each.
    """
    lefts, rights = iter(left), iter(right)
    one, other = next(lefts, None), next(rights, None)
    while one is not None or other is not None:
        if other is None or (one is not None and left_id(one) < right_id(other)):
            yield one, None
            one = next(lefts, None)
        elif one is None or right_id(other) < left_id(one):
            yield None, other
            other = next(rights, None)
        else:
            yield one, other
            one, other = next(lefts, None), next(rights, None)


class Ascending:
    """Ids in ascending order that are asked for in ascending order. Memory holds one of them."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = iter(ids)
        self._next = next(self._ids, None)

    def __contains__(self, id_: object) -> bool:
        """Whether an id is among them. Each id that is asked for must come after the one before."""
        while self._next is not None and self._next < str(id_):
            self._next = next(self._ids, None)
        return self._next == id_
