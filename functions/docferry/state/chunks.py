"""Streams in pieces of bounded size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` items, in order: what one call takes at a time."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
