"""The keys of a bucket in order, in pages that are listed ahead: ranges of keys side by side, or one page ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import islice, pairwise

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
# A range that was divided is divided again within its parts, such as years, months and days. Each time that takes the
# memory of as many ranges once more: 64 MB in all, of which there are no notes.
DIVISIONS = 3
# Where nothing divides the keys, it is looked for again after twice as many pages.
MOST_PAGES = 32 * RANGE_PAGES

List = Callable[[str | None], tuple[list[Entry], bool]]
"""Lists a page of the keys after a key, or of the first ones; and whether there are more."""

Divide = Callable[[str, str | None, "Sequence[Keys]"], list[str]]
"""Keys to divide at between two others, the second one or the end, after some pages: see Folders.divide."""


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

    @property
    def following(self) -> str | None:
        """The key after which the range goes on, or None at its end."""
        ends = self.until is None or (self.of.until is not None and self.until >= self.of.until)
        return None if ends else self.until


def pages(list_: List, ranges: Iterable[Range], divide: Divide, *, divisions: int = 0) -> Iterator[Keys]:
    """List ranges that follow each other: every key once, in order.

    A range with more than RANGE_PAGES goes on when those are taken: page by page at first, and then divided, where that
    can be. Memory holds RANGES_AT_ONCE ranges, for each of up to DIVISIONS divisions again.
    """
    for begun in in_order(partial(_begin, list_), ranges, RANGES_AT_ONCE):
        yield from begun
        # With fewer pages the range has ended: the last answer may have shown nothing but keys after it.
        if len(begun) == RANGE_PAGES and (after := begun[-1].following) is not None:
            yield from _going_on(list_, begun[-1].of, after, divide, divisions)


def _going_on(list_: List, wanted: Range, after: str | None, divide: Divide, divisions: int) -> Iterator[Keys]:
    """What is left of a range after a key."""
    if divisions == DIVISIONS:
        yield from _one_ahead(_listed(list_, wanted, after))
        return
    length = RANGE_PAGES
    while after is not None:
        passed = deque[Keys](maxlen=RANGE_PAGES)
        for page in _one_ahead(islice(_listed(list_, wanted, after), length)):
            passed.append(page)
            yield page
        after = passed[-1].following if passed else None
        if after is None:
            return
        boundaries = divide(after, wanted.until, passed)
        if not boundaries:
            length = min(2 * length, MOST_PAGES)
            continue
        parts = [Range(*part, wanted.notes) for part in pairwise((after, *boundaries))]
        yield from pages(list_, parts, divide, divisions=divisions + 1)
        length, after = RANGE_PAGES, boundaries[-1]
        wanted = Range(after, wanted.until, wanted.notes)


def _one_ahead(items: Iterator[Keys]) -> Iterator[Keys]:
    """Take the next page while one is used."""
    page = next(items, None)
    if page is None:
        return
    with ThreadPoolExecutor(1) as thread:
        while page is not None:
            following = thread.submit(copy_context().run, partial(next, items, None))
            yield page
            page = following.result()


def _begin(list_: List, wanted: Range) -> list[Keys]:
    return list(islice(_listed(list_, wanted, wanted.after), RANGE_PAGES))


def _listed(list_: List, wanted: Range, after: str | None) -> Iterator[Keys]:
    """The pages of a range. The last call may list some keys after it, which belong to the next range."""
    more = True
    while more:
        entries, more = list_(after)
        until = entries[-1].key if more else None
        sidecars = {entry.key: entry.etag for entry in entries if entry.key.endswith(SUFFIX)}
        if wanted.until is not None and entries and entries[-1].key >= wanted.until:
            entries, more = [entry for entry in entries if entry.key <= wanted.until], False
        if entries:
            after = entries[-1].key
            yield Keys(entries, sidecars, until, wanted)
