"""Sitemaps: read to their end, or broken."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.sources.web.failures import PageFailed
from docferry.sources.web.sitemaps import Entry, covers, moment, parsed
from tests.unit.sources.web.site import sitemap

BASE = "https://example.com/sitemap.xml"
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<urlset><url><loc>https://example.com/&b;</loc></url></urlset>"""
OUTSIDE = b"""<!DOCTYPE urlset [<!ENTITY file SYSTEM "file:///etc/passwd">]>
<urlset><url><loc>https://example.com/&file;</loc></url></urlset>"""
BROKEN = {
    "entities": (LAUGHS, "a DTD"),
    "a file of this machine": (OUTSIDE, "a DTD"),
    "another DTD": (b'<!DOCTYPE urlset SYSTEM "http://127.0.0.1/x.dtd"><urlset/>', "a DTD"),
    "an entity that is not declared": (b"<urlset><url><loc>&x;</loc></url></urlset>", "undefined entity"),
    "a page": (b"<html><body>Not found</body></html>", "it begins with <html>"),
    "no XML": (b"Not found", "broken"),
    "nothing": (b"", "broken"),
    "depth": (b"<urlset>" + b"<a>" * 100_000, "nested too deep"),
    "bytes that are no text": (b"<urlset><url><loc>\xff</loc></url></urlset>", "broken"),
}


def test_pages_and_their_dates_are_read() -> None:
    """With and without a namespace; other elements and attributes are passed over."""
    text = b"""<?xml version="1.0" encoding="UTF-8"?>
    <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/x">
      <url><loc> https://example.com/a?b=1&amp;c=2 </loc><lastmod>2026-01-31</lastmod><priority>0.5</priority></url>
      <url><loc>/relative</loc><image:image><image:loc>https://example.com/a.png</image:loc></image:image></url>
      <url><loc>mailto:a@example.com</loc></url>
    </urlset>"""

    assert list(parsed([text], BASE)) == [
        Entry("https://example.com/a?b=1&c=2", "2026-01-31"),
        Entry("https://example.com/relative"),
    ]
    assert list(parsed([b"<urlset><url><loc>https://e.example/</loc></url></urlset>"], BASE)) == [
        Entry("https://e.example/")
    ]


def test_an_index_names_sitemaps() -> None:
    """They are told from pages."""
    assert list(parsed([sitemap("https://example.com/1.xml", root="sitemapindex")], BASE)) == [
        Entry("https://example.com/1.xml", index=True)
    ]


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_sitemap_is_an_error(content: bytes, reason: str) -> None:
    """No entity is expanded, and no file and no address in it is opened."""
    with pytest.raises(PageFailed, match=reason):
        list(parsed([content], BASE))


@given(st.integers(0, 10), st.integers(1, 60))
def test_it_is_read_wherever_it_is_cut_and_never_when_its_end_is_missing(count: int, length: int) -> None:
    """A sitemap that breaks off would delete the pages behind the break."""
    urls = [f"https://example.com/{number}" for number in range(count)]
    content = sitemap(*urls, lastmod="2026-01-31")
    cut = [content[at : at + length] for at in range(0, len(content), length)]

    assert [entry.url for entry in parsed(cut, BASE)] == urls
    with pytest.raises(PageFailed):
        list(parsed(cut[:-1], BASE))


def test_a_date_covers_a_page_that_was_fetched_after_it() -> None:
    """On the day itself the page may change again."""
    evening = datetime(2026, 1, 31, 20, tzinfo=UTC).timestamp()

    assert moment("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert moment("2026-01-31T10:00:00+02:00") == datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert not covers("2026-01-31", evening)
    assert covers("2026-01-30", evening)
    assert covers("2026-01-31T10:00:00Z", evening)
    assert not covers("2026-01-31T22:00:00Z", evening)
    assert not covers("yesterday", evening)
    assert not covers("", evening)
    assert not covers("9999-12-31", evening)
    assert moment("0001-01-01T00:00:00+14:00") is None
