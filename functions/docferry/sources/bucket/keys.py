"""The keys of a bucket in order, in pages that are listed ahead: ranges of keys side by side, or one page ahead."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import islice

from msgspec import Struct

from docferry.sources.bucket.listing import Entry
from docferry.sources.bucket.notes import Range
from docferry.sources.describing.sidecar import SUFFIX
from docferry.state.ahead import in_order

# A page takes 0.1 to 0.2 s, and 5 ms of a processor: eight at a time keep up with what is done with their keys.
RANGES_AT_ONCE = 8
# An entry takes 0.5 KB, a note 4 KB at most: 8 ranges of 4,000 keys are 16 MB, and 64 MB at most with a note for every
# second key. A boundary every four pages costs at most one call in five where keys were added.
RANGE_PAGES = 4
# One key in 64 of a page comes after the boundary in it.
MARGIN = 64

List = Callable[[str | None], tuple[list[Entry], bool]]
"""Lists a page of the keys after a key, or of the first ones; and whether there are more."""


class Keys(Struct, frozen=True):
    """A page of keys, at least one, of the range ``of``.

    ``sidecars`` are the ETags of those that the answer shows, by key. It shows everything up to ``until``, which may be
    after the last key of the page, or, with None, to the end of the bucket.
    """

    entries: list[Entry]
    sidecars: dict[str, str]
    until: str | None
    of: Range

    @property
    def last(self) -> str:
        """The last key."""
        return self.entries[-1].key

    @property
    def boundary(self) -> str:
        """A key after which a later listing can be divided.

        It is not the last one: so a few keys may be added before it, or a sidecar of it be after it, and both are still
        in the last answer of the range.
        """
        return self.entries[-1 - len(self.entries) // MARGIN].key


def pages(list_: List, ranges: Iterable[Range]) -> Iterator[Keys]:
    """List ranges that follow each other: every key once, in order.

    A range with more than RANGE_PAGES goes on page by page when those are taken. Memory holds RANGES_AT_ONCE ranges.
    """
    for begun, rest in in_order(partial(_begin, list_), ranges, RANGES_AT_ONCE):
        yield from begun
        yield from _one_ahead(rest)


def _one_ahead(items: Iterator[Keys]) -> Iterator[Keys]:
    """Take the next page while one is used."""
    page = next(items, None)
    if page is None:
        return
    with ThreadPoolExecutor(1) as thread:
        while page is not None:
            following = thread.submit(copy_context().run, next, items, None)
            yield page
            page = following.result()


def _begin(list_: List, wanted: Range) -> tuple[list[Keys], Iterator[Keys]]:
    found = _listed(list_, wanted)
    return list(islice(found, RANGE_PAGES)), found


def _listed(list_: List, wanted: Range) -> Iterator[Keys]:
    """The pages of a range. The last call may list some keys after it, which belong to the next range."""
    after, more = wanted.after, True
    while more:
        entries, more = list_(after)
        until = entries[-1].key if more else None
        sidecars = {entry.key: entry.etag for entry in entries if entry.key.endswith(SUFFIX)}
        if wanted.until is not None and entries and entries[-1].key >= wanted.until:
            entries, more = [entry for entry in entries if entry.key <= wanted.until], False
        if entries:
            after = entries[-1].key
            yield Keys(entries, sidecars, until, wanted)
