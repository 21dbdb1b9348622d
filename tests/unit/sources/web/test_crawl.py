"""A crawl of a website: what becomes a document, what is remembered, and what is never deleted."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from docferry.errors import SourceUnavailable
from docferry.model import Document
from tests.unit.sources.web.site import Site, crawl, send


def test_links_lead_to_the_pages(site: Site) -> None:
    """Each page is one document: its address, its title and its type are those of the page."""
    site.html("/", "Welcome", links=("/a", "/b?x=1#part", "/report.pdf", "https://other.example/", "/gone"))
    site.html("/a", "Text", links=("/", "/c"), Last_Modified="Sat, 31 Jan 2026 10:30:00 GMT")
    site.html("/b?x=1")
    site.html("/c")
    site.put("/report.pdf", b"%PDF-1.7", "application/pdf")

    found = crawl(site)

    assert list(found.documents) == ["/", "/a", "/b?x=1", "/report.pdf", "/c"]
    assert not found.skipped
    page = found.documents["/a"]
    assert (page.title, page.content_type, page.size) == ("T/a", "HTML", 0)
    assert page.attributes == {"_source_uri": f"{site.url}/a"}
    assert page.updated_at is not None
    assert page.updated_at.isoformat() == "2026-01-31T10:30:00+00:00"
    assert found.documents["/report.pdf"].title == "report.pdf"
    assert found.contents["/report.pdf"] == b"%PDF-1.7"


def test_the_second_crawl_downloads_nothing(site: Site) -> None:
    """Each page is asked for with its ETag or its date; links that are remembered lead on."""
    site.html("/", links=("/a", "/b"))
    site.html("/a", links=("/c",), ETag="", Last_Modified="Sat, 31 Jan 2026 10:30:00 GMT")
    site.html("/b", head='<link rel="canonical" href="/a">')
    site.html("/c")
    first = crawl(site)
    site.taken()

    second = crawl(site, first)
    third = crawl(site, second)

    assert set(site.taken()) == {("/", 304), ("/a", 304), ("/b", 304), ("/c", 304)}
    assert second.documents == third.documents == first.documents
    assert not second.contents
    assert len(list(third.memory.notes())) == 5


def test_a_page_that_has_just_changed_is_downloaded_again(site: Site) -> None:
    """It may change a second time within the second that its Last-Modified names."""
    now = format_datetime(datetime.now(UTC), usegmt=True)
    site.html("/", "before", ETag="", Last_Modified=now)
    first = crawl(site)
    site.html("/", "after", ETag="", Last_Modified=now)

    assert b"after" in crawl(site, first).contents["/"]


def test_one_page_that_has_changed_is_downloaded(site: Site) -> None:
    """And it alone."""
    site.html("/", links=("/a", "/b"))
    site.html("/a", "before")
    site.html("/b")
    first = crawl(site)
    site.html("/a", "after")

    second = crawl(site, first)

    assert list(second.contents) == ["/a"]
    assert b"after" in second.contents["/a"]
    assert second.documents["/a"].version != first.documents["/a"].version


def test_what_the_index_does_not_hold_is_downloaded_again(site: Site) -> None:
    """It was rejected, or the index is another: that the page has not changed does not matter."""
    site.html("/", links=("/a",))
    site.html("/a", "text")
    first = crawl(site)
    first.memory.held.clear()

    second = crawl(site, first)

    assert set(second.contents) == {"/", "/a"}
    assert second.contents == first.contents


def test_a_page_that_changes_while_it_is_crawled_waits_for_the_next_run(site: Site) -> None:
    """The version that was listed and the content must be of one moment."""
    site.html("/", "before")
    first = crawl(site)
    first.memory.held.clear()
    unchanged = site.answers["/"]

    def changes(handler: object) -> None:
        site.html("/", "after")
        unchanged(handler)  # type: ignore[arg-type]

    site.answers["/"] = changes
    second = crawl(site, first)

    assert second.skipped == {"/": "has changed while it was crawled; the next run sends it"}
    assert b"after" in crawl(site, second).contents["/"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone_is_not_listed(site: Site, status: int) -> None:
    """So it is deleted from the index; what it led to is found no more."""
    site.html("/", links=("/a",))
    site.html("/a", links=("/b",))
    site.html("/b")
    first = crawl(site)
    site.status("/a", status)

    second = crawl(site, first)

    assert list(second.documents) == ["/"]
    assert not second.skipped
    assert not second.incomplete


@pytest.mark.parametrize("status", [401, 403, 451, 500, 502, 503, 504, 429])
def test_a_page_that_cannot_be_read_stays_with_all_it_led_to(site: Site, status: int) -> None:
    """Skipped, and not missing; its links are remembered, also through many crawls."""
    site.html("/", links=("/a",))
    site.html("/a", links=("/b",))
    site.html("/b")
    first = crawl(site)
    site.status("/a", status)

    second = crawl(site, first)
    third = crawl(site, second)
    site.html("/a", links=("/b",))
    fourth = crawl(site, third)

    for found in (second, third):
        assert list(found.documents) == ["/", "/b"]
        assert f"answered {status}" in found.skipped["/a"]
        assert not found.incomplete
    assert fourth.documents == first.documents
    assert not fourth.contents


def test_a_page_that_has_never_been_read_makes_the_listing_incomplete(site: Site) -> None:
    """Nobody knows what it leads to."""
    site.html("/", links=("/a",))
    site.status("/a", 500)

    assert crawl(site).incomplete
    assert crawl(site, crawl(site)).incomplete


def test_a_page_that_we_may_not_read_hides_nothing_new(site: Site) -> None:
    """Once it is known what a website has, a login page does not keep deletes back for ever."""
    site.html("/", links=("/a",))
    site.status("/a", 403)

    assert crawl(site).incomplete
    assert not crawl(site, crawl(site)).incomplete


def test_a_website_that_is_down_is_no_empty_website(site: Site) -> None:
    """The run fails, and is tried again."""
    site.status("/", 503)
    with pytest.raises(SourceUnavailable, match=r"no page can be read; the first: http.*/ answered 503"):
        crawl(site)


def test_pages_that_do_not_want_to_be_indexed_are_not(site: Site) -> None:
    """By a meta element or by a header; their links are followed unless they say no to that."""
    site.html("/", links=("/a", "/b", "/c.txt"), head='<meta name="robots" content="noindex">')
    site.html("/a", links=("/a1",), X_Robots_Tag="docferry: noindex")
    site.html("/b", links=("/b1",), head='<meta name="robots" content="none">')
    site.html("/a1")
    site.html("/b1")
    site.put("/c.txt", "text", "text/plain", X_Robots_Tag="otherbot: noindex")

    found = crawl(site)

    assert list(found.documents) == ["/c.txt", "/a1"]


def test_a_page_that_wants_to_be_indexed_again_is(site: Site) -> None:
    """Also when only its header has changed, which no ETag covers."""
    site.html("/", "text", X_Robots_Tag="noindex")
    first = crawl(site)
    site.html("/", "text")
    second = crawl(site, first)
    site.html("/", "text", X_Robots_Tag="noindex")
    send_tag = site.answers["/"]
    site.answers["/"] = lambda handler: (
        send(handler, 304, {"X-Robots-Tag": "noindex"}, b"")
        if "If-None-Match" in handler.headers
        else send_tag(handler)
    )

    assert not first.documents
    assert list(second.documents) == ["/"]
    assert not crawl(site, second).documents


class TestCanonicalAddresses:
    """A page under two addresses is one document."""

    def test_the_canonical_address_is_the_document(self, site: Site) -> None:
        """Also when nothing links to it."""
        canonical = '<link rel="canonical" href="/page">'
        site.html("/", links=("/page?from=a", "/page?from=b"))
        site.html("/page?from=a", head=canonical)
        site.html("/page?from=b", head=canonical)
        site.html("/page", head=canonical)

        assert list(crawl(site).documents) == ["/", "/page"]

    def test_an_address_that_is_no_document_is_not_believed(self, site: Site) -> None:
        """The page stays a document under its own address, now and in the next crawl."""
        site.html("/", links=("/a", "/b", "/c", "/d"))
        site.html("/a", head='<link rel="canonical" href="/gone">')
        site.html("/b", head='<link rel="canonical" href="/hidden">')
        site.html("/hidden", head='<meta name="robots" content="noindex">')
        site.html("/c", head='<link rel="canonical" href="https://other.example/c">')
        site.html("/d", head='<link rel="canonical" href="/old-d">')
        site.status("/old-d", 301, Location="/d")

        first = crawl(site)
        second = crawl(site, first)

        assert set(first.documents) == {"/", "/a", "/b", "/c", "/d"}
        assert second.documents == first.documents
        assert set(first.contents) == set(first.documents)

    def test_two_pages_that_name_each_other_are_one(self, site: Site) -> None:
        """Neither is lost."""
        site.html("/", links=("/a", "/b"))
        site.html("/a", head='<link rel="canonical" href="/b">')
        site.html("/b", head='<link rel="canonical" href="/a">')

        assert list(crawl(site).documents) == ["/", "/b"]

    def test_a_canonical_address_that_fails_keeps_its_document(self, site: Site) -> None:
        """What is indexed under it stays, and no second document is made of its copy."""
        canonical = '<link rel="canonical" href="/page">'
        site.html("/", links=("/copy",))
        site.html("/copy", head=canonical)
        site.html("/page", head=canonical)
        first = crawl(site)
        site.status("/page", 500)

        second = crawl(site, first)

        assert list(second.documents) == ["/"]
        assert list(second.skipped) == ["/page"]
        assert not second.incomplete
        site.status("/copy", 500)
        assert set(crawl(site, second).skipped) == {"/page", "/copy"}


class TestRedirects:
    """Each is a page of its own, and each hop is checked."""

    def test_a_page_that_has_moved_is_listed_where_it_is(self, site: Site) -> None:
        """Once, though two addresses lead there."""
        site.html("/", links=("/old", "/older", "/new"))
        site.status("/old", 301, Location="/new")
        site.status("/older", 308, Location="/old")
        site.html("/new")

        assert list(crawl(site).documents) == ["/", "/new"]

    def test_a_redirect_for_now_keeps_what_is_indexed(self, site: Site) -> None:
        """It may be a login page: an index is not emptied because a session has ended."""
        site.html("/", links=("/a",))
        site.html("/a")
        first = crawl(site)
        site.html("/login")
        for status, target in ((302, "/login"), (303, "https://login.example/"), (307, "/login")):
            site.status("/a", status, Location=target)
            second = crawl(site, crawl(site, first))
            assert "redirects to" in second.skipped["/a"]
            assert "for now" in second.skipped["/a"]
            assert not second.incomplete

    def test_a_website_that_asks_for_a_login_loses_nothing(self, site: Site) -> None:
        """The pages that were found before are all visited, though no page shows its links any more."""
        site.html("/", links=("/a",))
        site.html("/a", links=("/b",))
        site.html("/b")
        first = crawl(site)
        site.html("/login")
        for path in ("/", "/a", "/b"):
            site.status(path, 302, Location="/login")

        second = crawl(site, first)
        third = crawl(site, second)

        for found in (second, third):
            assert set(found.skipped) == {"/", "/a", "/b"}
            assert set(found.documents) == {"/login"}
        assert crawl(site).incomplete

    def test_a_page_that_has_moved_out_of_the_source_is_gone(self, site: Site) -> None:
        """Nothing is asked for there."""
        site.html("/", links=("/a",))
        site.status("/a", 301, Location="http://localhost:9/a")

        found = crawl(site)

        assert list(found.documents) == ["/"]
        assert not found.skipped

    def test_redirects_in_a_circle_end(self, site: Site) -> None:
        """Each address is asked for once."""
        site.html("/", links=("/a",))
        site.status("/a", 301, Location="/b")
        site.status("/b", 301, Location="/a")

        assert list(crawl(site).documents) == ["/"]

    def test_redirects_without_end_are_given_up(self, site: Site) -> None:
        """After ten, and not after ten thousand."""
        site.html("/", links=("/0",))
        for number in range(100):
            site.status(f"/{number}", 301, Location=f"/{number + 1}")

        found = crawl(site)

        assert "redirects more than 10 times" in next(iter(found.skipped.values()))
        assert len(site.taken()) < 20

    @pytest.mark.parametrize("location", ["", "file:///etc/passwd", "gopher://127.0.0.1/", "http://a:b@127.0.0.1/"])
    def test_a_redirect_to_no_page_fails(self, site: Site, location: str) -> None:
        """Only http and https."""
        site.html("/", links=("/a",))
        site.status("/a", 301, Location=location)

        assert "is no address of a page" in crawl(site).skipped["/a"]


class TestBounds:
    """A crawl has an end, and a listing that does not have one deletes nothing."""

    def test_the_depth_is_bounded(self, site: Site) -> None:
        """What is deeper is no part of the source."""
        for number in range(5):
            site.html(f"/{number or ''}", links=(f"/{number + 1}",))

        found = crawl(site, max_depth=2)

        assert list(found.documents) == ["/", "/1", "/2"]
        assert not found.incomplete

    def test_the_number_of_pages_is_bounded(self, site: Site) -> None:
        """The listing is incomplete; the notes of the pages beyond are kept."""
        site.html("/", links=tuple(f"/{number}" for number in range(9)))
        for number in range(9):
            site.html(f"/{number}")
        whole = crawl(site)

        found = crawl(site, whole, max_pages=4)

        assert len(found.documents) == 4
        assert found.incomplete
        assert "the crawl ends after 4 pages (max_pages)" in next(iter(found.skipped.values()))
        site.taken()
        assert crawl(site, found).documents == whole.documents
        assert {status for _, status in site.taken()} == {304}

    def test_a_website_without_end_ends(self, site: Site) -> None:
        """A calendar has a next month for ever."""

        def calendar(handler: object) -> None:
            month = int(handler.path.removeprefix("/month/"))  # type: ignore[attr-defined]
            body = f'<title>{month}</title><a href="/month/{month + 1}">next</a>'.encode()
            send(handler, 200, {"Content-Type": "text/html"}, body)  # type: ignore[arg-type]

        site.html("/", links=("/month/0",))
        site.answers.update({f"/month/{number}": calendar for number in range(1_000)})

        found = crawl(site, max_depth=100, max_pages=50)
        assert len(found.documents) == 50
        assert found.incomplete

    def test_include_and_exclude_select(self, site: Site) -> None:
        """What is not included is read for its links; what is excluded is not asked for."""
        site.html("/", links=("/guides/", "/private/"))
        site.html("/guides/", links=("/guides/a", "/guides/drafts/b"))
        site.html("/guides/a")

        found = crawl(site, include=["/guides/**"], exclude=["/private/", "**/drafts/**"])

        assert list(found.documents) == ["/guides/", "/guides/a"]
        assert [path for path, _ in site.taken()] == ["/", "/guides/", "/guides/a"]


class TestSitemaps:
    """Every page of the sitemaps, and no other."""

    def test_pages_come_from_sitemaps_and_their_indexes(self, site: Site) -> None:
        """Packed or not; links are not followed, pages of other hosts are passed over."""
        import gzip  # noqa: PLC0415  # used here alone

        from tests.unit.sources.web.site import sitemap  # noqa: PLC0415

        site.sitemap("/sitemap.xml", "/1.xml", "/2.xml.gz", "/sitemap.xml", root="sitemapindex")
        site.sitemap("/1.xml", "/a", "/b")
        packed = gzip.compress(sitemap(f"{site.url}/b", f"{site.url}/c", "https://other.example/"))
        site.put("/2.xml.gz", packed, "application/gzip")
        site.html("/a", links=("/d",))
        for path in ("/b", "/c", "/d"):
            site.html(path)

        found = crawl(site, sitemaps=[f"{site.url}/sitemap.xml"])

        assert list(found.documents) == ["/a", "/b", "/c"]
        assert not found.skipped

    def test_sitemaps_are_found_in_robots_txt(self, site: Site) -> None:
        """Or where they are by custom."""
        site.sitemap("/custom.xml", "/a")
        site.html("/a")
        site.put("/robots.txt", "Sitemap: /custom.xml", "text/plain")
        assert list(crawl(site, start=[f"{site.url}/x/y"], sitemap="auto").documents) == ["/a"]

        del site.answers["/robots.txt"]
        site.answers["/sitemap.xml"] = site.answers.pop("/custom.xml")
        assert list(crawl(site, start=[f"{site.url}/x/y"], sitemap="auto").documents) == ["/a"]

    def test_a_sitemap_that_cannot_be_read_deletes_nothing(self, site: Site) -> None:
        """The others are read."""
        site.sitemap("/sitemap.xml", "/1.xml", "/2.xml", "/3.xml", root="sitemapindex")
        site.sitemap("/1.xml", "/a")
        site.status("/2.xml", 500)
        site.put("/3.xml", b"<urlset><url><loc>/b</loc></url>", "text/xml")
        for path in ("/a", "/b"):
            site.html(path)

        found = crawl(site, sitemaps=[f"{site.url}/sitemap.xml"])

        assert list(found.documents) == ["/a", "/b"]
        assert found.incomplete
        assert found.skipped["/2.xml"] == "the sitemap answered 500"
        assert found.skipped["/3.xml"].startswith("the sitemap is broken")

    @pytest.mark.parametrize("status", [404, 403, 500, 301])
    def test_without_any_sitemap_the_run_fails(self, site: Site, status: int) -> None:
        """An empty listing would look like a website whose pages are all gone."""
        site.status("/sitemap.xml", status, Location="https://other.example/sitemap.xml")
        with pytest.raises(SourceUnavailable, match="no sitemap can be read"):
            crawl(site, sitemaps=[f"{site.url}/sitemap.xml"])

    def test_a_sitemap_that_names_itself_ends(self, site: Site) -> None:
        """Each is read once; indexes of indexes end, too."""
        for number in range(20):
            site.sitemap(f"/{number}.xml", f"/{number + 1}.xml", "/0.xml", root="sitemapindex")

        with pytest.raises(SourceUnavailable, match="names more sitemaps than are read"):
            crawl(site, sitemaps=[f"{site.url}/0.xml"])

        assert len(site.taken()) < 10

    def test_more_pages_than_the_bound_are_not_even_listed(self, site: Site) -> None:
        """The listing is incomplete."""
        site.sitemap("/sitemap.xml", *(f"/{number}" for number in range(50)))
        for number in range(50):
            site.html(f"/{number}")

        found = crawl(site, sitemaps=[f"{site.url}/sitemap.xml"], max_pages=10)

        assert len(found.documents) == 10
        assert found.incomplete

    def test_a_page_that_has_never_been_read_is_skipped_alone(self, site: Site) -> None:
        """A sitemap says which page it is: nothing is hidden behind it."""
        site.sitemap("/sitemap.xml", "/a", "/b")
        site.html("/a")
        first = crawl(site, sitemaps=[f"{site.url}/sitemap.xml"])
        site.status("/b", 500)

        second = crawl(site, first, sitemaps=[f"{site.url}/sitemap.xml"])

        assert second.skipped == {"/b": "answered 500"}
        assert not second.incomplete

    def test_a_lastmod_that_is_trusted_spares_the_request(self, site: Site) -> None:
        """Until it is another one; without trust each page is asked for."""
        settings: dict[str, Any] = {"sitemaps": [f"{site.url}/sitemap.xml"], "trust_lastmod": True}
        site.sitemap("/sitemap.xml", "/a", lastmod="2026-01-31")
        site.html("/a")
        first = crawl(site, **settings)
        assert first.documents["/a"].updated_at is not None
        site.taken()

        second = crawl(site, first, **settings)
        assert site.taken() == [("/sitemap.xml", 200)]
        crawl(site, second, **{**settings, "trust_lastmod": False})
        assert ("/a", 304) in site.taken()
        site.sitemap("/sitemap.xml", "/a", lastmod="2026-02-01")
        third = crawl(site, second, **settings)
        assert ("/a", 304) in site.taken()
        crawl(site, third, **settings)

        assert ("/a", 304) not in site.taken()
        assert first.documents == second.documents == third.documents


class TestTypes:
    """The Content-Type decides, and where it says nothing, the extension."""

    @pytest.mark.parametrize(
        ("path", "header", "kind"),
        [
            ("/a", "text/html; charset=utf-8", "HTML"),
            ("/a.txt", "text/plain", "PLAIN_TEXT"),
            ("/a.md", "text/plain", "MD"),
            ("/a.csv", "application/octet-stream", "CSV"),
            ("/a.docx", "", "MS_WORD"),
            ("/a.json", "application/json", "JSON"),
            ("/feed", "application/rss+xml", "XML"),
            ("/a.php", "application/pdf", "PDF"),
            ("/a", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "PPT"),
            ("/a", "application/vnd.ms-excel", "MS_EXCEL"),
        ],
    )
    def test_what_the_services_take_is_listed(self, site: Site, path: str, header: str, kind: str) -> None:
        """Whatever the address looks like."""
        site.html("/", links=(path,))
        site.put(path, "text", header)

        assert crawl(site).documents[path].content_type == kind

    def test_what_they_do_not_take_is_skipped_without_a_download(self, site: Site) -> None:
        """The reason names the type."""
        site.html("/", links=("/a.png", "/b"))
        site.put("/a.png", b"\x89PNG", "image/png")
        site.put("/b", b"?", "")

        found = crawl(site)

        assert found.skipped["/a.png"] == "image/png is not a type that the services index; exclude it"
        assert found.skipped["/b"].startswith("what has no Content-Type is not a type")
        assert not found.incomplete

    def test_text_in_another_charset_is_converted(self, site: Site) -> None:
        """The services take UTF-8; what cannot be converted is skipped."""
        site.html("/", links=("/a.txt", "/b.txt"))
        site.put("/a.txt", "Café".encode("latin-1"), "text/plain; charset=iso-8859-1")
        site.put("/b.txt", b"\xff\xff", "text/plain")

        found = crawl(site)

        assert found.contents["/a.txt"].decode() == "Café"
        assert found.skipped["/b.txt"] == "is not UTF-8 text, which is what the services index; convert it"

    def test_an_empty_page_is_skipped(self, site: Site) -> None:
        """Neither service takes it."""
        site.html("/", links=("/a.txt",))
        site.put("/a.txt", "", "text/plain")

        assert crawl(site).skipped == {"/a.txt": "is empty"}


def test_notes_that_are_damaged_are_done_without(site: Site) -> None:
    """They only spare downloads."""
    site.html("/")
    first = crawl(site)
    broken = type(first.pages[0])([], None, notes=(b"{", b"[]", b'{"url":1}', b'{"url":"x","number":0,"links":[7]}'))
    first.memory._pages = [broken]

    assert crawl(site, first).documents == first.documents


def test_documents_survive_their_line_in_the_manifest(site: Site) -> None:
    """A document that comes from a note is equal to the one that came from the page."""
    import msgspec  # noqa: PLC0415  # used here alone

    site.html("/", "日本語", Last_Modified="Sat, 31 Jan 2026 10:30:00 GMT")
    for document in crawl(site).documents.values():
        assert msgspec.json.decode(msgspec.json.encode(document), type=Document) == document


def test_a_document_that_nothing_leads_to_stays_while_some_pages_cannot_be_read(site: Site) -> None:
    """One of them may lead to it now. One that is gone is gone."""
    site.html("/", links=("/a", "/b"))
    site.html("/a", links=("/c", "/d"))
    for path in ("/b", "/c", "/d"):
        site.html(path)
    first = crawl(site)
    site.html("/a")
    site.status("/b", 500)
    del site.answers["/d"]

    second = crawl(site, first)
    third = crawl(site, second)
    site.html("/b", links=("/c",))
    fourth = crawl(site, third)
    site.html("/b")
    fifth = crawl(site, fourth)

    for found in (second, third):
        assert list(found.documents) == ["/", "/a"]
        assert list(found.skipped) == ["/b", "/c"]
        assert found.skipped["/c"].startswith("no page leads to it")
        assert not found.incomplete
    assert list(fourth.documents) == ["/", "/a", "/b", "/c"]
    assert not fourth.contents.keys() & {"/", "/a", "/c"}
    assert list(fifth.documents) == ["/", "/a", "/b"]
