"""One spelling for each address, and which of them belong to a source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.sources.web.urls import Scope, host, name, normal, site

SPELLINGS = {
    "HTTP://Example.COM:80/a/../b/./c?x=1#part": "http://example.com/b/c?x=1",
    "https://bücher.example/ä b": "https://xn--bcher-kva.example/%C3%A4%20b",
    "https://example.com": "https://example.com/",
    "https://example.com?x": "https://example.com/?x",
    "http://example.com/%7euser/%c3%a4": "http://example.com/~user/%C3%A4",
    "http://example.com/%2e%2e/x": "http://example.com/x",
    "http://example.com/a%2fb": "http://example.com/a%2Fb",
    "http://example.com:8080/": "http://example.com:8080/",
    "http://[::1]:8080/x": "http://[::1]:8080/x",
    "../up?y#z": "https://base.example/up?y",
    "//other.example/x": "https://other.example/x",
    "?page=2": "https://base.example/folder/page?page=2",
    " /spaced ": "https://base.example/spaced",
}
NO_PAGES = [
    "mailto:a@example.com",
    "javascript:void(0)",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://example.com/",
    "http://user:secret@example.com/",
    "http://example.com:99999/",
    "http://[::1/",
    "http://",
    "https://example.com/\x00",
    "https://example.com/" + "x" * 3_000,
]


@pytest.mark.parametrize(("written", "spelled"), SPELLINGS.items())
def test_each_address_has_one_spelling(written: str, spelled: str) -> None:
    """Without fragment, with dots resolved, and escaped where it has to be."""
    assert normal(written, "https://base.example/folder/page") == spelled


@pytest.mark.parametrize("written", NO_PAGES)
def test_what_is_no_address_of_a_page_is_left_alone(written: str) -> None:
    """Only http and https, without a password."""
    assert normal(written, "https://base.example/") is None


@given(st.text(max_size=60))
def test_the_spelling_of_a_spelling_is_itself(text: str) -> None:
    """Any text may be in a link; nothing makes the crawler stop, and no page has two addresses by it."""
    spelled = normal(text, "https://base.example/folder/")
    assert spelled is None or normal(spelled) == spelled


def test_the_parts_of_an_address() -> None:
    """As settings, robots.txt and titles need them."""
    assert host("https://example.com:8443/a?b") == "example.com:8443"
    assert site("http://a.example/b") == "http://a.example"
    assert name("https://example.com/a/annual%20report.pdf?x=1") == "annual report.pdf"


def test_a_scope_has_hosts_and_patterns() -> None:
    """A pattern that begins with a slash holds on every host; what is excluded is not even read for its links."""
    scope = Scope(["Docs.example.com", "example.com:8443"], ["/guides/", "docs.example.com/faq"], ["**/drafts/**"])

    assert scope.selects("https://docs.example.com/guides/a?b=c/d")
    assert scope.selects("http://docs.example.com/faq")
    assert scope.selects("https://example.com:8443/guides/")
    assert not scope.selects("https://example.com/guides/")
    assert not scope.selects("https://docs.example.com/guides/drafts/a")
    assert not scope.selects("https://docs.example.com/other")
    assert scope.reaches("https://docs.example.com/other")
    assert not scope.reaches("https://docs.example.com/guides/drafts/a")
    assert not scope.reaches("https://docs.example.com.evil.example/guides/")
