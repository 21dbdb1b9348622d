"""Objects as they are now, asked for in the order of their keys: a page of the listing tells of all that are in it.

A ListObjectsV2 costs as much as 13 HeadObjects (https://aws.amazon.com/s3/pricing/) and tells of up to 1,000 objects.
So pages are worth it where many of the objects that are asked for lie close together, as in a first sync.
"""

import threading
import time
from collections.abc import Callable

from msgspec import Struct

from docferry.errors import AccessDenied
from docferry.sources.bucket.listing import Entry

WORTH = 13
"""Objects that a page has to tell of."""
AT_FIRST, AFTERWARDS = 13, 130
"""Objects that are asked for one by one before the first page, which a run of few does without, and after one that was
not worth it: pages then cost a tenth more at most."""
FRESH_SECONDS = 10.0
"""How long a page counts. A worker that sends 125 documents a second has used it up by then."""
LAST = "\U0010ffff"
KEY_BYTES = 1024

List = Callable[[str], tuple[list[Entry], bool]]
"""Lists a page of the keys after a key; and whether there are more."""


class _Page(Struct):
    """What was listed after a key: ``until`` None, to the end. ``told`` counts the objects that it was asked for."""

    after: str
    until: str | None
    entries: dict[str, Entry]
    at: float
    told: int = 0

    def shows(self, key: str) -> bool:
        """Whether an object with this key would be in it, and still is as it says."""
        covered = self.after < key and (self.until is None or key <= self.until)
        return covered and time.monotonic() - self.at < FRESH_SECONDS


class Neighbours:
    """Looks objects up in pages, where those tell of enough of them. May be called in several threads."""

    def __init__(self, list_: List) -> None:
        self._list = list_
        self._lock = threading.Lock()
        self._one_by_one: float = AT_FIRST
        self._page: _Page | None = None

    def entry(self, key: str) -> Entry | None:
        """An object as it was listed some seconds ago at most; None: ask for it by itself.

        Raises what the listing raises; where that is denied, every object is asked for by itself.
        """
        with self._lock:
            page = self._page if self._page is not None and self._page.shows(key) else self._turned(key)
            if page is None:
                return None
            page.told += 1
            return page.entries.get(key)

    def _turned(self, key: str) -> _Page | None:
        """The page that begins with a key, when it is time for one."""
        if self._page is not None and self._page.told < WORTH:
            self._one_by_one = AFTERWARDS
        self._page = None
        if self._one_by_one > 0:
            self._one_by_one -= 1
            return None
        after, at = _just_before(key), time.monotonic()
        try:
            entries, more = self._list(after)
        except AccessDenied:
            self._one_by_one = float("inf")
            return None
        until = entries[-1].key if more and entries else None
        self._page = _Page(after, until, {entry.key: entry for entry in entries}, at)
        return self._page


def _just_before(key: str) -> str:
    """A text before a key, with as few keys as possible between them."""
    begin, last = key[:-1], ord(key[-1])
    if not last:
        return begin
    before = 0xD7FF if last == 0xE000 else last - 1  # noqa: PLR2004  # the surrogates between them are no characters
    begin += chr(before)
    return begin + LAST if len(begin.encode()) + len(LAST.encode()) <= KEY_BYTES else begin
