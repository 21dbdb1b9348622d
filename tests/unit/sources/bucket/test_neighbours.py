"""Objects that are looked up in pages: the same answers as one by one, for fewer calls."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.errors import AccessDenied, SourceUnavailable
from docferry.sources.bucket import neighbours
from docferry.sources.bucket.listing import Entry
from docferry.sources.bucket.neighbours import Neighbours

PAGE = 1_000
KEYS = st.text("\0ab/\ud7ff\ue000\U0010ffff", min_size=1, max_size=3)
"""Few characters, so that keys meet; those around the surrogates, and the first and the last one, are among them."""


class Listing:
    """Keys of a bucket, in pages, and how many of those were listed."""

    def __init__(self, keys: Iterable[str], page: int = PAGE) -> None:
        self.keys = sorted(keys)
        self.page = page
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self, after: str) -> tuple[list[Entry], bool]:
        """List a page of the keys after one."""
        self.calls += 1
        if self.error:
            raise self.error
        rest = self.keys[bisect_right(self.keys, after) :]
        return [entry(key) for key in rest[: self.page]], len(rest) > self.page


def entry(key: str) -> Entry:
    """An object as S3 lists it."""
    return Entry(key, datetime(2026, 1, 1, tzinfo=UTC), f"of {key}", 1)


def numbered(count: int, step: int = 1) -> list[str]:
    """Keys in order."""
    return [f"{number:07}.txt" for number in range(0, count, step)]


def asked_alone(listing: Listing, keys: Iterable[str]) -> int:
    """Look keys up in order, and return how many have to be asked for one by one."""
    looked_up = Neighbours(listing)
    return sum(looked_up.entry(key) is None for key in keys)


def test_objects_that_lie_together_cost_a_call_a_page() -> None:
    """A first sync asks for all of them: a thousand by a page, but for the first few."""
    listing = Listing(numbered(10_000))

    assert asked_alone(listing, listing.keys) == neighbours.AT_FIRST
    assert listing.calls == 10


def test_objects_with_sidecars_between_them_are_half_of_a_page() -> None:
    """A sidecar takes a place on the page, and is not asked for."""
    keys = numbered(5_000)
    listing = Listing([*keys, *(f"{key}.metadata.json" for key in keys)])

    assert asked_alone(listing, keys) == neighbours.AT_FIRST
    assert listing.calls == 10


def test_few_objects_are_asked_for_one_by_one() -> None:
    """A run that changes a dozen documents lists nothing."""
    listing = Listing(numbered(10_000))

    assert asked_alone(listing, listing.keys[: neighbours.AT_FIRST]) == neighbours.AT_FIRST
    assert listing.calls == 0


def test_objects_far_from_each_other_are_asked_for_one_by_one() -> None:
    """A page that tells of five is not worth it; what is spent on trying is a tenth at most."""
    listing = Listing(numbered(1_000_000))
    asked = numbered(1_000_000, step=200)

    alone = asked_alone(listing, asked)

    assert alone > 0.95 * len(asked)
    assert listing.calls * neighbours.WORTH <= 0.1 * len(asked) + neighbours.WORTH


def test_a_page_is_forgotten_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document is opened as it is now."""
    now = [0.0]
    monkeypatch.setattr("docferry.sources.bucket.neighbours.time.monotonic", lambda: now[0])
    monkeypatch.setattr(neighbours, "AT_FIRST", 0)
    listing = Listing(numbered(100))
    looked_up = Neighbours(listing)
    for key in listing.keys[:20]:
        assert looked_up.entry(key)

    now[0] += neighbours.FRESH_SECONDS
    listing.keys.remove(f"{20:07}.txt")

    assert looked_up.entry(f"{20:07}.txt") is None
    assert looked_up.entry(f"{21:07}.txt") == entry(f"{21:07}.txt")
    assert listing.calls == 2


def test_a_bucket_that_may_not_be_listed_is_asked_one_by_one() -> None:
    """It is listed once, to find out."""
    listing = Listing(numbered(1_000))
    listing.error = AccessDenied("no")

    assert asked_alone(listing, listing.keys) == 1_000
    assert listing.calls == 1


def test_trouble_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would meet the next object, too. The next call tries again."""
    monkeypatch.setattr(neighbours, "AT_FIRST", 0)
    listing = Listing(numbered(10))
    listing.error = SourceUnavailable("busy")
    looked_up = Neighbours(listing)
    with pytest.raises(SourceUnavailable):
        looked_up.entry(listing.keys[0])

    listing.error = None

    assert looked_up.entry(listing.keys[0]) == entry(listing.keys[0])


@given(st.sets(KEYS), st.lists(KEYS, max_size=30), st.integers(1, 5), st.booleans())
def test_what_a_page_says_is_so(keys: set[str], asked: list[str], page: int, ascending: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    """In any order, with any characters: what is there is found, and what is not is asked for by itself."""
    listing = Listing(keys, page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "AT_FIRST", 0)
        patch.setattr(neighbours, "WORTH", 0)
        looked_up = Neighbours(listing)

        for key in sorted(asked) if ascending else asked:
            assert looked_up.entry(key) == (entry(key) if key in keys else None)
