"""What a feed may look like, and what a source of kind ``feed`` makes of it."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from docferry.errors import SourceInvalid, SourceUnavailable
from docferry.model import Date, Document, Listed, Skipped
from docferry.sources.records import replies
from docferry.sources.records.feed import Feed, FeedSettings
from tests.servers import Reply, Server, serving

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <title>Notices</title><id>urn:feed</id><updated>2026-02-01T00:00:00Z</updated>
  <entry>
    <id>urn:notice:1</id><title>Buoy adrift</title><link href="/notices/1"/>
    <author><name>Harbour Master</name></author><author><name>Pilot</name></author>
    <category term="safety"/><category term="buoys"/>
    <published>2026-01-30T10:00:00+02:00</published><updated>2026-01-31T10:30:00+02:00</updated>
    <summary>short</summary>
    <content type="html">&lt;p&gt;A buoy is &lt;b&gt;adrift&lt;/b&gt;.&lt;/p&gt;
&lt;script&gt;steal()&lt;/script&gt;</content>
  </entry>
  <entry><id>urn:notice:2</id><title>Plain</title><updated>2026-01-31T10:30:00Z</updated>
    <content type="text">1 &lt; 2</content></entry>
</feed>"""

RSS = """<?xml version="1.0"?>
<rss version="2.0"><channel><title>News</title><link>https://news.example.com/</link>
  <item><guid isPermaLink="false">42</guid><title>Fog</title><link>https://news.example.com/fog</link>
    <description>&lt;p&gt;Fog signal&lt;/p&gt;</description><pubDate>Sat, 31 Jan 2026 08:30:00 GMT</pubDate></item>
  <item><title>No guid</title><link>https://news.example.com/tide</link><description>Tide tables</description></item>
  <item><title>Neither</title><description>Nobody knows what this is</description></item>
  <item><guid isPermaLink="false">js</guid><link>javascript:alert(1)</link><description>text</description></item>
</channel></rss>"""

BOMB = """<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">
<!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;"><!ENTITY h "&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;">
<!ENTITY file SYSTEM "file:///etc/passwd"><!ENTITY web SYSTEM "%s/secret">]>
<rss version="2.0"><channel><item><guid>1</guid><title>t</title>
<description>text &h; &file; &web;</description></item></channel></rss>"""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of a feed."""
    with serving(lambda _: Reply(ATOM.encode(), headers={"Content-Type": "application/atom+xml"})) as running:
        yield running


def no_clients(service: str) -> Any:
    """No test here needs AWS."""
    raise AssertionError(service)


def source(server: Server, **settings: Any) -> Feed:
    """A source of the feed."""
    written = {"url": f"{server.url}/feed.xml?key=geheim", **settings}
    return Feed(connector="news", settings=msgspec.convert(written, FeedSettings), clients=no_clients)


def listed(source: Feed) -> dict[str, Listed]:
    """What is listed, by its id."""
    return {item.id.removeprefix("news/"): item for page in source.pages(None) for item in page.listed}


def contents(source: Feed) -> dict[str, bytes]:
    """What comes with it."""
    return {document.locator: content for page in source.pages(None) for document, content in page.contents}


def answer(server: Server, text: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
    """Serve another feed."""
    body = text.encode() if isinstance(text, str) else text
    server.answer = lambda _: Reply(body, status, headers or {})


def test_an_atom_feed(server: Server) -> None:
    """Everything that an entry says; scripts are taken out."""
    found = listed(source(server, tags="keywords"))

    first = found["urn:notice:1"]
    assert isinstance(first, Document)
    assert (first.title, first.content_type) == ("Buoy adrift", "HTML")
    assert first.attributes["_source_uri"] == f"{server.url}/notices/1"
    assert first.attributes["_authors"] == ("Harbour Master", "Pilot")
    assert first.attributes["_category"] == "safety"
    assert first.attributes["keywords"] == ("safety", "buoys")
    assert isinstance(first.attributes["_created_at"], Date)
    assert first.updated_at is not None
    assert first.updated_at.isoformat() == "2026-01-31T08:30:00+00:00"
    assert contents(source(server)) == {
        "urn:notice:1": b"<p>A buoy is <b>adrift</b>.</p>",
        "urn:notice:2": b"1 < 2",
    }
    assert isinstance(found["urn:notice:2"], Document)
    assert found["urn:notice:2"].content_type == "PLAIN_TEXT"


def test_an_rss_feed(server: Server) -> None:
    """The guid, or else the link, is the id; an entry with neither is told, and deletes are no question here."""
    answer(server, RSS)

    found = listed(source(server))

    assert set(found) == {"42", "https://news.example.com/tide", "entry 3", "js"}
    nameless, script = found["entry 3"], found["js"]
    assert isinstance(nameless, Skipped)
    assert "neither an id nor a link" in nameless.skipped
    assert not nameless.incomplete
    assert isinstance(script, Document)
    assert "_source_uri" not in script.attributes
    assert contents(source(server))["42"] == b"<p>Fog signal</p>"


def test_entities_do_no_harm(server: Server) -> None:
    """They neither grow, nor read files, nor ask anybody."""
    answer(server, BOMB % server.url)

    text = contents(source(server)).get("1", b"")

    assert len(text) < 1_000
    assert b"root:" not in text
    assert [request.path for request in server.asked] == ["/feed.xml"]


def test_a_feed_that_is_cut_short_gives_what_it_has(server: Server) -> None:
    """Nothing is deleted, so a part does no harm."""
    answer(server, ATOM[: ATOM.index("<entry><id>urn:notice:2")])

    assert set(listed(source(server))) == {"urn:notice:1"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><body>Sign in</body></html>",
        "no XML at all",
        '{"items": []}',
        ATOM[:60],
        "/etc/passwd",
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_feed_fails(server: Server, text: str | bytes) -> None:
    """A broken one without entries, too."""
    answer(server, text)

    with pytest.raises(SourceInvalid, match=r"/feed.xml is (no feed|a broken feed)"):
        listed(source(server))


def test_a_feed_without_entries_is_one(server: Server) -> None:
    """A quiet week."""
    answer(server, '<rss version="2.0"><channel><title>Quiet</title></channel></rss>')

    assert listed(source(server)) == {}


def test_letters_are_read_as_the_feed_is_written(server: Server) -> None:
    """As its header says."""
    answer(
        server,
        RSS.replace('<?xml version="1.0"?>', "").replace("Fog signal", "Nebelh\u00f6rner").encode("latin-1"),
        headers={"Content-Type": "text/xml; charset=iso-8859-1"},
    )

    assert contents(source(server))["42"] == "<p>Nebelh\u00f6rner</p>".encode()


@pytest.mark.parametrize(
    ("status", "error"), [(404, SourceInvalid), (401, SourceInvalid), (503, SourceUnavailable), (302, SourceInvalid)]
)
def test_a_feed_that_is_not_given_fails(
    server: Server, monkeypatch: pytest.MonkeyPatch, status: int, error: type[Exception]
) -> None:
    """Gone, refused, down, or moved to another host; the query of its address is not told."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    answer(server, "", status, {"Location": "http://elsewhere.example/?key=geheim"})

    with pytest.raises(error) as raised:
        listed(source(server))
    assert "geheim" not in str(raised.value)
    assert "/feed.xml" in str(raised.value)


def test_a_feed_beyond_the_cap_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it goes on."""
    monkeypatch.setattr(replies, "MAX_BYTES", 100)

    with pytest.raises(SourceInvalid, match="a reply is larger than"):
        listed(source(server))
