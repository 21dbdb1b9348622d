"""Where a listing can be divided of which there are no notes: at folders, which S3 shows when it is given a delimiter.

The first crawl of a bucket is listed side by side so, and later what was added after the last note.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from docferry.errors import AccessDenied
from docferry.sources.bucket.keys import Keys

SEPARATOR = "/"
# A division costs a call or some, and each part one at least: with 32 small ones a crawl takes nine calls for one.
PARTS = 32
LEVELS = 4
"""In how many of the folders around a key others are looked for that follow it: each costs a call."""

List = Callable[[str, str], list[str]]
"""Lists the folders below a prefix with keys after a key, in order: those among the first thousand of what is there."""


class Folders:
    """Divides what is below a prefix."""

    def __init__(self, list_: List, prefix: str) -> None:
        self._list = list_
        self._prefix = prefix
        self._denied = False

    def divide(self, after: str, until: str | None, passed: Sequence[Keys]) -> list[str]:
        """Keys between two others, the second one or the end: about as many keys apart as were ``passed`` before them.

        They are the names of folders, in order: the innermost of which the next thousand hold as many keys. Empty where
        there are none. Raises what the listing raises; where it is denied, nothing is divided any more: a policy may
        allow the prefix of the source alone.
        """
        for level in islice(self._levels(after, until), LEVELS if not self._denied else 0):
            try:
                found = self._list(level, after)
            except AccessDenied:
                self._denied = True
                return []
            ahead = [folder for folder in found if after < folder and (until is None or folder < until)]
            step = _a_range_of(level, passed)
            if boundaries := ahead[step - 1 :: step][:PARTS]:
                return boundaries
        return []

    def _levels(self, after: str, until: str | None) -> Iterator[str]:
        """The folders around a key, the innermost first, in which others may follow before ``until``."""
        levels = [self._prefix]
        levels += [
            after[: place + 1]
            for place, character in enumerate(after)
            if character == SEPARATOR and place >= len(self._prefix)
        ]
        common = [level for level in levels if until is not None and until.startswith(level)]
        yield from reversed(levels[max(len(common) - 1, 0) :])


def _a_range_of(level: str, passed: Sequence[Keys]) -> int:
    """How many folders of a level hold as many keys as some pages, judged by the folders in these."""
    keys = [entry.key for page in passed for entry in page.entries]
    ends = [key.find(SEPARATOR, len(level)) if key.startswith(level) else -1 for key in keys]
    held = [key[:end] for key, end in zip(keys, ends, strict=True) if end >= 0]
    return max(1, round(len(keys) * len(set(held)) / len(held))) if held else 1
