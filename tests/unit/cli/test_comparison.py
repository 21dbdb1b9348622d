"""Two lists of results: their overlap, the file of queries, and the page, on which nothing is markup but its own."""

import base64
import hashlib
import re
from html import escape, unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.errors import ConfigurationError
from docferry_cli.comparison.facts import Compared, Comparison
from docferry_cli.comparison.overlap import compared, mean, overlap
from docferry_cli.comparison.page import page
from docferry_cli.comparison.queries import read
from docferry_cli.comparison.showing import summary

IDS = st.lists(st.sampled_from("abcdefghijklmnop"), max_size=14, unique=True)


@pytest.mark.parametrize(
    ("old", "new", "at_5", "at_10"),
    [
        ("abcde", "edcba", 1.0, 1.0),
        ("abcdefghij", "fghijabcde", 0.0, 1.0),
        ("ab", "abcd", 0.5, 0.5),
        ("abcdefghijk", "k", 0.0, 0.0),
        ("a", "", 0.0, 0.0),
        ("aab", "ab", 1.0, 1.0),
    ],
)
def test_the_overlap_is_a_share_of_the_longer_list(old: str, new: str, at_5: float, at_10: float) -> None:
    """The order does not count within the first 5 or 10, and an id counts once."""
    found = compared("words", old, new)

    assert (found.overlap_5, found.overlap_10) == (at_5, at_10)
    assert len(found.old) <= 10


@given(IDS, IDS)
def test_the_overlap_is_the_same_both_ways(old: list[str], new: list[str]) -> None:
    """And between 0 and 1; it is 1 for a list with itself."""
    share = overlap(old, new, 5)

    assert share == overlap(new, old, 5)
    assert share is None or 0 <= share <= 1
    assert overlap(old, old, 5) == (1 if old else None)


def test_what_nobody_finds_has_no_overlap_and_counts_for_no_mean() -> None:
    """Two empty lists are not alike: nothing was compared."""
    assert compared("words", "", "").overlap_10 is None
    assert mean([None, 1.0, 0.0]) == 0.5
    assert mean([None]) is None


def test_a_query_that_was_not_answered_has_no_overlap() -> None:
    """The problem stands in its place."""
    found = compared("words", "ab", "", "new: too long")

    assert (found.overlap_5, found.problem) == (None, "new: too long")


def test_queries_are_read_one_a_line(tmp_path: Path) -> None:
    """Without comments, empty lines and repetitions; with or without a byte order mark, with any line ends."""
    file = tmp_path / "queries.txt"
    file.write_bytes("\ufeff# people ask\r\n\r\n  life jackets \r\nträge\r\nlife jackets\r\n".encode())

    assert read(file) == ["life jackets", "träge"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "has no query"),
        (b"\n# only this\n", "has no query"),
        (b"\xff\xfe\x00\x01", "is not UTF-8"),
        (b"PK\x03\x04\x00\x00", "is not text"),
    ],
    ids=["missing", "empty", "comments", "binary", "zeros"],
)
def test_a_file_without_queries_is_refused_in_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    """The message names the file."""
    file = tmp_path / "queries.txt"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigurationError) as raised:
        read(file)

    assert said in str(raised.value)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


NASTY = "<script>alert(1)</script>\u202e{{ 7 * 7 }}"


def test_nothing_on_the_page_is_markup_but_its_own() -> None:
    """Ids, queries and users are texts; the policy allows the page's own style, and no script and no request."""
    one = Compared(query=NASTY, old=(NASTY, "b"), new=("b",), overlap_5=0.5, overlap_10=0.5)

    written = page(
        Comparison(
            connector="old",
            to="new",
            kinds=("kendra", "bedrock"),
            target="here",
            queries=(one,),
            user=NASTY,
            apart=(NASTY,),
            notes=(NASTY,),
        )
    )

    assert "<script" not in written
    assert "\u202e" not in written
    assert escape("<script>alert(1)</script>\\u202e{{ 7 * 7 }}") in written
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]+)"', written)[0])
    style = re.findall(r"<style>(.*?)</style>", written, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.findall(r'(?:src|href)="(?!#)', written)


def test_the_summary_names_what_to_look_at() -> None:
    """The means, the queries with nothing in common, and those that nobody answers."""
    found = Comparison(
        connector="old",
        to="new",
        kinds=("kendra", "bedrock"),
        target="here",
        queries=(compared("tide", "a", "b"), compared("moon", "", ""), compared("x", "", "", "new: no")),
        user="ann@example.com",
        groups=("crew",),
        mean_overlap_5=0.0,
        mean_overlap_10=0.0,
        apart=("tide",),
        silent=("moon",),
    )

    assert list(summary(found)) == [
        "3 queries as ann@example.com in crew: mean overlap 0% at 5, 0% at 10",
        "nothing in common for 1: tide",
        "neither finds anything for 1: moon",
        "not answered: 1",
    ]
