"""What an HTML page says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.sources.web.markup import as_utf8, directives, read

URL = "https://example.com/folder/page"


def test_a_page_says_its_title_its_links_and_where_it_belongs() -> None:
    """Links are in one spelling, once each, and without those that are not to be followed."""
    page = read(
        b"""<html><head><title> Tides &amp;
        Currents </title><link rel="stylesheet canonical" href="/tides#top"></head>
        <body><svg><title>Icon</title></svg><a href="a">1</a><a href="a#b">2</a><a href="mailto:x@y">3</a>
        <a rel="external nofollow" href="c">4</a><map><area href="//other.example/d"></map><iframe src="e"></iframe>
        </body></html>""",
        URL,
        "Docferry",
    )

    assert page.title == "Tides & Currents"
    assert page.canonical == "https://example.com/tides"
    assert page.links == (
        "https://example.com/folder/a",
        "https://other.example/d",
        "https://example.com/folder/e",
    )
    assert page.robots == frozenset()


def test_links_begin_at_the_base() -> None:
    """The first that the page names; one that is no address of a page is passed over."""
    page = read(b'<base href="mailto:x"><base href="/docs/"><base href="/other/"><a href="a">', URL, "Docferry")
    assert page.links == ("https://example.com/docs/a",)


@pytest.mark.parametrize("content", ["0; url=/new", "5;URL='/new'", "0,/new", " 0 ; Url = /new "])
def test_a_page_that_sends_its_reader_on_links_there(content: str) -> None:
    """As a redirect, written in the page."""
    page = read(f'<meta http-equiv="Refresh" content="{content}">'.encode(), URL, "Docferry")
    assert page.links == ("https://example.com/new",)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ('<meta name="robots" content="NOINDEX, follow">', {"noindex", "follow"}),
        ('<meta name="ROBOTS" content="none">', {"none", "noindex", "nofollow"}),
        ('<meta name="docferry" content="noindex">', {"noindex"}),
        ('<meta name="otherbot" content="noindex">', set()),
        ('<meta property="robots">', set()),
    ],
)
def test_a_page_says_what_robots_may_not_do(head: str, found: set[str]) -> None:
    """Every robot, or this one by its name."""
    assert read(f"<head>{head}</head>".encode(), URL, "Docferry/1.0").robots == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["noindex"], {"noindex"}),
        (["noindex, nofollow"], {"noindex", "nofollow"}),
        (["docferry: noindex"], {"noindex"}),
        (["otherbot: noindex, nofollow"], set()),
        (["otherbot: noindex", "nofollow"], {"nofollow"}),
        (["*: none"], {"none", "noindex", "nofollow"}),
    ],
)
def test_a_header_says_what_robots_may_not_do(values: list[str], found: set[str]) -> None:
    """A robot that is named first is the one that the rest is for."""
    assert directives(values, "Docferry/1.0") == found


def test_what_nobody_sees_is_no_change() -> None:
    """A token or a nonce, which is another in every answer, sends no page again."""
    form = (
        '<head><meta name="csrf" content="{0}"><link rel="stylesheet" href="/x.css?{0}"><script nonce="{0}">f({0})'
        '</script></head><body>Text<form><input type="hidden" value="{0}"></form><!-- {0} --><style>a{{{0}}}</style>'
    )
    assert read(form.format(1).encode(), URL, "D").digest == read(form.format(2).encode(), URL, "D").digest


@pytest.mark.parametrize(
    "page",
    [
        "<title>Title{0}</title><body>Text",
        "<body><p>Text {0}",
        "<body><a href='/{0}'>Text</a>",
        "<body><img src=x alt='{0}'>",
        "<body><noscript><template>{0}",
        "<head><p>{0}",
        "{0}",
    ],
)
def test_what_people_see_is_a_change(page: str) -> None:
    """Whatever is not closed hides nothing of the rest."""
    assert read(page.format("one").encode(), URL, "D").digest != read(page.format("two").encode(), URL, "D").digest


def test_no_page_is_too_deep() -> None:
    """No tree is built."""
    assert read(b"<div>" * 200_000 + b"<a href=/x>", URL, "D").links == ("https://example.com/x",)


@given(st.binary(max_size=200))
def test_any_bytes_are_read(content: bytes) -> None:
    """Servers send anything as HTML."""
    assert read(content, URL, "D").digest


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ("<p>Café".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ('<meta charset="iso-8859-1"><p>Café'.encode("latin-1"), "text/html"),
        ("<p>Café".encode("utf-16"), "text/html"),
        ("<p>Café".encode(), "text/html; charset=utf-8"),
        ("<p>Café".encode(), "text/html"),
    ],
)
def test_a_page_becomes_utf8(content: bytes, content_type: str) -> None:
    """That is what the services index."""
    assert "<p>Café" in as_utf8(content, content_type, html=True).decode()


def test_what_cannot_be_decoded_stays_as_it_is() -> None:
    """It is skipped with a reason later."""
    assert as_utf8(b"\xff\xff", "text/plain; charset=utf-8", html=False) == b"\xff\xff"
    assert as_utf8(b"\xff", "text/plain; charset=no-such", html=False) == b"\xff"
    assert as_utf8(b"\xff", "text/plain; charset=shift_jis", html=False) == b"\xff"
    assert as_utf8(b"ZZ", "text/plain; charset=hex", html=False) == b"ZZ"
