"""What an API may do wrong, and what a source of kind ``http`` makes of it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from docferry.errors import ConfigurationError, SourceInvalid, SourceUnavailable
from docferry.model import Document, Listed, Skipped
from docferry.sources.records import replies
from docferry.sources.records.http import Http, HttpSettings
from docferry.sources.source import Page
from tests.servers import Reply, Request, Server, as_json, serving

SECRET = "correct horse battery"
DOCUMENT = {"id": "id", "version": "version", "content": "body", "content_type": "PLAIN_TEXT"}


def article(number: int, **members: Any) -> dict[str, Any]:
    """An article as the API lists it."""
    return {"id": number, "version": "1", "body": f"text {number}", **members}


class Shelf:
    """An API with articles, paged by offset. A test changes what it says."""

    def __init__(self) -> None:
        self.articles: list[Any] = [article(number) for number in range(5)]
        self.first: list[Reply] = []

    def __call__(self, request: Request) -> Reply:
        """Answer."""
        if self.first:
            return self.first.pop(0)
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", 100))
        return as_json({"items": self.articles[offset : offset + limit], "total": len(self.articles)})


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waited.append)
    return waited


@pytest.fixture
def shelf() -> Shelf:
    """Five articles."""
    return Shelf()


@pytest.fixture
def server(shelf: Shelf) -> Iterator[Server]:
    """The API that serves them."""
    with serving(shelf) as running:
        yield running


def source(server: Server, **settings: Any) -> Http:
    """A source of the API."""
    written = {
        "base_url": f"{server.url}/api",
        "resource": "articles",
        "records": "items",
        "paginator": {"type": "offset", "limit": 2},
        "document": DOCUMENT,
        **settings,
    }
    return Http(connector="kb", settings=msgspec.convert(written, HttpSettings), clients=no_clients)


def no_clients(service: str) -> Any:
    """No test here needs AWS."""
    raise AssertionError(service)


def pages(source: Http) -> list[Page]:
    """The whole listing."""
    return list(source.pages(None))


def listed(source: Http) -> list[Listed]:
    """What is listed."""
    return [item for page in pages(source) for item in page.listed]


def ids(source: Http) -> list[str]:
    """The ids of the documents."""
    return [item.id for item in listed(source) if isinstance(item, Document)]


def contents(source: Http) -> dict[str, bytes]:
    """The contents that came with the listing."""
    return {document.id: content for page in pages(source) for document, content in page.contents}


LINKED: dict[str, tuple[dict[str, Any], Callable[[str, int], tuple[dict[str, Any], dict[str, str]]]]] = {
    "json_link": ({"type": "json_link", "next_url_path": "next"}, lambda url, n: ({"next": f"{url}?page={n}"}, {})),
    "relative json_link": ({"type": "json_link"}, lambda _, n: ({"next": f"/api/articles?page={n}"}, {})),
    "header_link": ({"type": "header_link"}, lambda url, n: ({}, {"Link": f'<{url}?page={n}>; rel="next"'})),
    "header_cursor": ({"type": "header_cursor", "cursor_param": "page"}, lambda _, n: ({}, {"next": f"{n}"})),
    "cursor": (
        {"type": "cursor", "cursor_path": "meta.next", "cursor_param": "page"},
        lambda _, n: ({"meta": {"next": f"{n}"}}, {}),
    ),
}


@pytest.mark.parametrize("kind", LINKED)
def test_every_way_of_paging_lists_everything(kind: str) -> None:
    """Links and cursors, in the reply and in its headers."""
    paginator, link = LINKED[kind]

    def answer(request: Request) -> Reply:
        page = int(request.query.get("page", 0))
        members, headers = link(f"{running.url}/api/articles", page + 1) if page < 2 else ({}, {})
        return as_json({"items": [article(page)], **members}, headers=headers)

    with serving(answer) as running:
        assert ids(source(running, paginator=paginator)) == ["kb/0", "kb/1", "kb/2"]


def test_numbered_pages_and_offsets_list_everything(server: Server, shelf: Shelf) -> None:
    """With a total, and until a page is empty."""
    everything = [f"kb/{number}" for number in range(5)]

    assert ids(source(server)) == everything
    assert ids(source(server, paginator={"type": "offset", "limit": 2, "total_path": None})) == everything
    assert ids(source(server, paginator={"type": "single_page"})) == everything

    def numbered(request: Request) -> Reply:
        page = int(request.query["p"])
        return as_json({"items": shelf.articles[page * 2 - 2 : page * 2], "pages": 3})

    with serving(numbered) as other:
        paginator = {"type": "page_number", "base_page": 1, "page_param": "p", "total_path": "pages"}
        assert ids(source(other, paginator=paginator)) == everything
        assert ids(source(other, paginator={**paginator, "total_path": None})) == everything


def test_a_busy_api_is_given_the_time_it_asks_for(server: Server, shelf: Shelf, naps: list[float]) -> None:
    """Retry-After of 429 and 503, up to a minute; other failures of a server are tried again, too."""
    shelf.first = [
        as_json({}, 429, {"Retry-After": "7"}),
        as_json({}, 503, {"Retry-After": "86400"}),
        as_json({}, 502),
        Reply(b'{"items": []}', cut=4),
    ]

    assert len(ids(source(server))) == 5
    assert naps[:2] == [7, replies.LONGEST_WAIT_SECONDS]
    assert len(naps) == 4


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_api_that_stays_down_is_unavailable(server: Server, shelf: Shelf, naps: list[float], status: int) -> None:
    """After five attempts."""
    shelf.first = [as_json({}, status)] * 5

    with pytest.raises(SourceUnavailable, match=f"/api/articles answers {status}, also after 5 attempts"):
        pages(source(server))
    assert len(naps) == 4


def test_a_reply_that_is_always_cut_off_fails(server: Server, shelf: Shelf, naps: list[float]) -> None:
    """Its length says so."""
    shelf.first = [Reply(b'{"items": [], "total": 0}     ', cut=5)] * 5

    with pytest.raises(SourceUnavailable, match="cannot be read: ChunkedEncodingError"):
        pages(source(server))
    assert naps


def test_an_api_that_is_not_there_is_unavailable(naps: list[float]) -> None:
    """Nothing listens at the port."""
    with serving(Shelf()) as gone:
        pass

    with pytest.raises(SourceUnavailable, match="cannot be read: ConnectionError"):
        pages(source(gone))
    assert naps


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_refused_is_told_the_setting(server: Server, shelf: Shelf, status: int) -> None:
    """Trying again changes nothing."""
    shelf.first = [as_json({"error": "who are you?"}, status)]

    with pytest.raises(ConfigurationError, match=f"auth: .*/api/articles answers {status}: check the setting auth"):
        pages(source(server))


BROKEN = {
    "no JSON": (Reply(b"<html>Please sign in</html>"), SourceUnavailable, "no JSON"),
    "half a JSON": (Reply(b'{"items": [{"id": 1}'), SourceUnavailable, "no JSON"),
    "no list": (as_json({"error": "try later"}), SourceInvalid, "'items' finds no list"),
    "another thing": (as_json({"items": {"id": 1}}), SourceInvalid, "finds no list in a reply of .*, but dict"),
    "no total": (as_json({"items": [article(1)]}), SourceInvalid, "total_path: total"),
    "no total of nothing": (as_json({"items": []}), SourceInvalid, "total_path: 'total' finds nothing"),
    "no number": (as_json({"items": [article(1)], "total": "many"}), SourceInvalid, "total_path: total"),
    "not found": (as_json({}, 404), SourceInvalid, "answers 404: check base_url, resource"),
    "too little": (as_json({"items": [article(1)], "total": 2}), SourceUnavailable, "lists 1 records, and says .* 2"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_reply_that_is_not_understood_is_no_empty_source(server: Server, shelf: Shelf, case: str) -> None:
    """The crawl fails, and deletes nothing."""
    reply, error, message = BROKEN[case]
    shelf.articles = []
    shelf.first = [reply]

    with pytest.raises(error, match=message):
        pages(source(server))


def test_a_reply_beyond_the_cap_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is packed."""
    monkeypatch.setattr(replies, "MAX_BYTES", 100)

    with pytest.raises(SourceInvalid, match=r"larger than 0.0001 MB; ask for less at once"):
        pages(source(server, paginator={"type": "single_page"}))


def test_pages_shorter_than_asked_for_leave_a_gap(shelf: Shelf) -> None:
    """The API gives two at most, so those between the offsets would never be listed."""

    def stingy(request: Request) -> Reply:
        offset = int(request.query["offset"])
        return as_json({"items": shelf.articles[offset : offset + 2]})

    with serving(stingy) as other, pytest.raises(SourceInvalid, match=r"gives 2 records at once, not 3: .* limit: 2"):
        pages(source(other, paginator={"type": "offset", "limit": 3, "total_path": None}))


EARLY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no cursor": (
        {"type": "cursor", "cursor_path": "next", "has_more_path": "more"},
        {"items": [article(1)], "more": True, "next": None},
    ),
    "an empty page": (
        {"type": "page_number", "total_path": None, "has_more_path": "more"},
        {"items": [], "more": True},
    ),
    "an empty page of three": ({"type": "page_number", "total_path": "pages"}, {"items": [], "pages": 3}),
}


@pytest.mark.parametrize("case", EARLY)
def test_a_listing_that_ends_too_early_fails(case: str) -> None:
    """The API says that there is more, and does not give it."""
    paginator, reply = EARLY[case]

    with (
        serving(lambda _: as_json(reply)) as running,
        pytest.raises(SourceUnavailable, match="ends after page 1, and says that there is more"),
    ):
        pages(source(running, paginator=paginator))


def test_a_listing_that_loses_records_while_it_is_read_fails(server: Server, shelf: Shelf) -> None:
    """What comes after a removed record moves up, past the offset that is asked for next."""

    def removing(request: Request) -> Reply:
        reply = shelf(request)
        del shelf.articles[0]
        return reply

    server.answer = removing
    with pytest.raises(SourceUnavailable, match="records were removed while it was listed"):
        pages(source(server))


ENDLESS: dict[str, tuple[dict[str, Any], Any]] = {
    "a cursor that comes back": (
        {"type": "cursor", "cursor_path": "next"},
        lambda n: {"items": [article(n)], "next": f"{n % 3}"},
    ),
    "a link to itself": (
        {"type": "json_link"},
        lambda n: {"items": [article(n)], "next": "/api/articles"},
    ),
    "the same page for every number": (
        {"type": "page_number", "total_path": None},
        lambda _: {"items": [article(1, seen="now")]},
    ),
    "a page from before": (
        {"type": "page_number", "total_path": None},
        lambda n: {"items": [article(n % 3)]},
    ),
    "no end": (
        {"type": "page_number", "total_path": None},
        lambda n: {"items": [article(n)]},
    ),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_a_listing_without_an_end_fails(case: str) -> None:
    """In a circle, or beyond max_pages."""
    paginator, answer = ENDLESS[case]
    numbers = iter(range(1000))
    message = "more pages than max_pages, 9" if case == "no end" else "does not end: page [2-5] "

    with (
        serving(lambda _: as_json(answer(next(numbers)))) as server,
        pytest.raises(SourceInvalid, match=message),
    ):
        pages(source(server, paginator=paginator, max_pages=9))


@pytest.mark.parametrize("how", ["redirect", "link", "header"])
def test_no_other_host_is_asked_for_the_listing(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect, or a next page: another port is another host, and is told no secret."""
    monkeypatch.setenv("TOKEN", SECRET)
    with serving(Shelf()) as other:

        def answer(_: Request) -> Reply:
            if how == "redirect":
                return Reply(status=302, headers={"Location": f"{other.url}/api/articles"})
            link = {"Link": f'<{other.url}/api>; rel="next"'} if how == "header" else {}
            return as_json({"items": [], "next": f"{other.url}/api"}, headers=link)

        paginator = {"type": "header_link" if how == "header" else "json_link"}
        with serving(answer) as server, pytest.raises(SourceInvalid, match=r"leads to another host: http://127.0.0.1"):
            pages(source(server, paginator=paginator, auth={"type": "bearer", "token": "env:TOKEN"}))
        assert other.asked == []


def test_a_redirect_on_the_same_host_is_followed(server: Server, shelf: Shelf) -> None:
    """As when an API adds a slash."""
    shelf.first = [Reply(status=301, headers={"Location": "/api/articles/?limit=2&offset=0"})]

    assert len(ids(source(server))) == 5


def test_rows_that_are_no_documents_are_told(server: Server, shelf: Shelf) -> None:
    """Without an id nobody knows which document is missing: the crawl deletes nothing."""
    shelf.articles = [article(1), article(2, id=None), "three", article(4, body=17)]

    items = listed(source(server))

    reasons = {item.id: (item.skipped, item.incomplete) for item in items if isinstance(item, Skipped)}
    assert reasons["kb/record 2 of page 1"][1]
    assert reasons["kb/record 1 of page 2"] == ("is no JSON object; see the setting records ('three')", True)
    assert reasons["kb/4"] == ("document.content: is 17, which is neither text nor bytes", False)
    assert ids(source(server)) == ["kb/1"]


AUTHS: dict[str, tuple[dict[str, Any], str, str]] = {
    "bearer": ({"type": "bearer", "token": "env:TOKEN"}, "authorization", f"Bearer {SECRET}"),
    "api_key": ({"type": "api_key", "name": "X-Key", "api_key": "env:TOKEN"}, "x-key", SECRET),
    "http_basic": (
        {"type": "http_basic", "username": "reader", "password": "env:TOKEN"},
        "authorization",
        "Basic cmVhZGVyOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==",
    ),
}


@pytest.mark.parametrize("kind", AUTHS)
def test_each_way_to_sign_in(server: Server, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The secret is read from where the setting says; a line end behind it does no harm."""
    auth, header, value = AUTHS[kind]
    monkeypatch.setenv("TOKEN", f"{SECRET}\n")

    pages(source(server, auth=auth, headers={"Private-Token": "env:TOKEN"}, params={"all": True}))

    assert {request.headers[header] for request in server.asked} == {value}
    assert {request.headers["private-token"] for request in server.asked} == {SECRET}
    assert {request.query["all"] for request in server.asked} == {"true"}


def test_a_token_from_another_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """OAuth 2: the id and the secret go there, the token to the API."""
    monkeypatch.setenv("TOKEN", SECRET)
    with serving(lambda _: as_json({"access_token": "for an hour", "expires_in": 3600})) as tokens:
        auth = {
            "type": "oauth2_client_credentials",
            "access_token_url": f"{tokens.url}/token",
            "client_id": "docferry",
            "client_secret": "env:TOKEN",
        }
        assert len(ids(source(server, auth=auth))) == 5
        assert {request.headers["authorization"] for request in server.asked} == {"Bearer for an hour"}
        (asked,) = tokens.asked
        assert b"grant_type=client_credentials" in asked.body

        tokens.answer = lambda _: as_json({"error": SECRET}, 401)
        with pytest.raises(ConfigurationError, match=r"auth.access_token_url: .*/token gives no token") as raised:
            pages(source(server, auth=auth))
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("failure", [401, 404, 500, 302, 200])
def test_no_error_tells_a_secret(
    server: Server, monkeypatch: pytest.MonkeyPatch, naps: list[float], failure: int
) -> None:
    """Not even one in the address, and not in the errors behind the error."""
    monkeypatch.setenv("TOKEN", "geheim")
    server.answer = lambda _: Reply(b"geheim", failure, {"Location": "http://elsewhere.example/?key=geheim"})
    auth = {"type": "api_key", "name": "key", "api_key": "env:TOKEN", "location": "query"}

    with pytest.raises((ConfigurationError, SourceInvalid, SourceUnavailable)) as raised:
        pages(source(server, auth=auth))

    assert server.asked[0].query["key"] == "geheim"
    assert "geheim" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert naps is not None


@pytest.mark.parametrize("secret", ["two\nlines", "\u20ac"])
def test_a_secret_that_no_header_can_carry(server: Server, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """Is told without the secret."""
    monkeypatch.setenv("TOKEN", secret)

    with pytest.raises((ConfigurationError, SourceUnavailable)) as raised:
        pages(source(server, headers={"X-Key": "env:TOKEN"}))
    assert secret not in str(raised.value)


def test_content_has_an_address_of_its_own(server: Server, shelf: Shelf) -> None:
    """Relative or whole, as bytes or as a part of JSON; several are read at once."""
    page = {"id": "id", "version": "version", "content_type": "HTML"}

    def answer(request: Request) -> Reply:
        if request.path.startswith("/api/pages/"):
            return Reply(f"<p>{request.path}</p>".encode())
        return as_json({"parse": {"text": request.path}}) if "json" in request.path else shelf(request)

    server.answer = answer
    url = "join('', ['pages/', to_string(id)])"
    assert contents(source(server, document=page, content_url=url))["kb/3"] == b"<p>/api/pages/3</p>"

    whole = f"join('', ['{server.url}/json/', to_string(id)])"
    parsed = contents(source(server, document={**page, "content": "parse.text"}, content_url=whole))
    assert parsed["kb/3"] == b"/json/3"


def test_contents_are_read_at_the_same_time(server: Server, shelf: Shelf) -> None:
    """As many as open_at_once says: each waits here until all of them are asked for."""
    together = threading.Barrier(5, timeout=20)

    def answer(request: Request) -> Reply:
        if request.path.startswith("/api/pages/"):
            together.wait()
        return shelf(request) if request.path == "/api/articles" else Reply(b"text")

    server.answer = answer
    page = {"id": "id", "version": "version", "content_type": "HTML"}
    url = "join('', ['pages/', to_string(id)])"

    assert len(contents(source(server, document=page, content_url=url, open_at_once=5))) == 5


def test_content_of_another_host_is_read_where_it_is_allowed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is not told who we are, also when the API itself leads there."""
    monkeypatch.setenv("TOKEN", SECRET)
    shelf = Shelf()
    with serving(lambda _: Reply(b"from elsewhere")) as other:
        settings: dict[str, Any] = {
            "document": {"id": "id", "version": "version", "content_type": "PLAIN_TEXT"},
            "content_url": "url",
            "auth": {"type": "bearer", "token": "env:TOKEN"},
            "headers": {"X-Key": "env:TOKEN"},
        }
        shelf.articles = [article(1, url=f"{other.url}/1"), article(2, url="/moved")]
        server.answer = lambda request: (
            Reply(status=302, headers={"Location": f"{other.url}/2"}) if request.path == "/moved" else shelf(request)
        )
        items = listed(source(server, **settings))
        assert all(isinstance(item, Skipped) and "name it in content_hosts" in item.skipped for item in items)
        assert other.asked == []

        allowed = other.url.removeprefix("http://")
        assert len(contents(source(server, **settings, content_hosts=[allowed]))) == 2
        assert sorted(request.path for request in other.asked) == ["/1", "/2"]
        assert not any({"authorization", "x-key"} & set(request.headers) for request in other.asked)
        moved = [request for request in server.asked if request.path == "/moved"]
        assert all(request.headers["authorization"] == f"Bearer {SECRET}" for request in moved)


CONTENT_PROBLEMS: dict[str, tuple[Any, str]] = {
    "gone": (Reply(status=404), "its content is gone"),
    "refused": (Reply(status=403), "answers 403"),
    "in a circle": (Reply(status=302, headers={"Location": "/content"}), "redirects without an end"),
    "empty": (Reply(), "is empty"),
    "too large": (Reply(b"x" * 5_000), "larger than"),
}


@pytest.mark.parametrize("case", CONTENT_PROBLEMS)
def test_content_that_cannot_be_read_is_skipped(
    server: Server, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """One document is told; the others go on."""
    reply, reason = CONTENT_PROBLEMS[case]
    monkeypatch.setattr(replies, "MAX_BYTES", 2_000)
    server.answer = lambda request: reply if request.path == "/content" else shelf(request)
    document = {"id": "id", "version": "version", "content_type": "PLAIN_TEXT"}
    shelf.articles = [article(1)]

    (item,) = listed(source(server, document=document, content_url="'/content'"))

    assert isinstance(item, Skipped)
    assert reason in item.skipped
    assert not item.incomplete


@pytest.mark.parametrize("url", [None, "", 5, "ftp://127.0.0.1/x", "http://[broken", "file:///etc/passwd", "//other/x"])
def test_an_address_that_is_none_is_skipped(server: Server, shelf: Shelf, url: Any) -> None:
    """Whatever a row has in its place."""
    shelf.articles = [article(1, url=url)]
    document = {"id": "id", "version": "version", "content_type": "PLAIN_TEXT"}

    (item,) = listed(source(server, document=document, content_url="url"))

    assert isinstance(item, Skipped)
    assert "content_url" in item.skipped


def test_a_server_that_cannot_give_content_fails_the_crawl(server: Server, shelf: Shelf, naps: list[float]) -> None:
    """It is no fault of the document."""
    server.answer = lambda request: Reply(status=503) if request.path == "/content" else shelf(request)
    document = {"id": "id", "version": "version", "content_type": "PLAIN_TEXT"}

    with pytest.raises(SourceUnavailable, match="/content answers 503"):
        pages(source(server, document=document, content_url="'/content'"))
    assert naps


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a guess": ({"paginator": {"type": "auto"}}, "paginator.type: is 'auto'; allowed: single_page, json_link"),
    "no kind": ({"paginator": {"limit": 5}}, "paginator.type: is None"),
    "a misspelt key": ({"paginator": {"type": "offset", "limt": 5}}, "paginator: Object"),
    "an early end": ({"paginator": {"type": "page_number", "maximum_page": 3}}, "unknown field `maximum_page`"),
    "no end": (
        {"paginator": {"type": "offset", "limit": 5, "total_path": None, "stop_after_empty_page": False}},
        "has no end",
    ),
    "half an auth": ({"auth": {"type": "http_basic", "username": "me"}}, "auth: Object missing required field"),
    "an expression": ({"records": "items["}, "records: 'items\\[' is not a JMESPath expression"),
    "no content": ({"document": {"id": "id", "content_type": "HTML"}}, "document.content: is required"),
    "an address": ({"resource": "https://other.example/"}, "resource: is a path below base_url"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_told_before_anything_is_read(server: Server, case: str) -> None:
    """With the setting."""
    settings, message = MISTAKES[case]

    with pytest.raises(msgspec.ValidationError, match=message):
        source(server, **settings)


def test_the_words_are_those_of_dlt() -> None:
    """Each paginator and authentication takes dlt's own names, with dlt's own defaults where dlt has some."""
    from inspect import Parameter, signature  # noqa: PLC0415

    from dlt.sources.rest_api.config_setup import AUTH_MAP, PAGINATOR_MAP  # noqa: PLC0415

    from docferry.sources.records import http_options  # noqa: PLC0415

    options: Mapping[Any, Mapping[str, Any]] = {
        http_options.Paginator: PAGINATOR_MAP,
        http_options.Auth: AUTH_MAP,
    }
    for union, classes in options.items():
        for option in union.__args__:
            info = msgspec.inspect.type_info(option)
            assert isinstance(info, msgspec.inspect.StructType)
            known = signature(classes[str(info.tag)]).parameters
            for one in info.fields:
                assert one.name in known
                theirs = known[one.name].default
                if theirs not in (None, Parameter.empty) and one.default is not msgspec.NODEFAULT:
                    assert one.default == theirs, (info.tag, one.name)


def test_dlt_reads_and_writes_no_files_and_calls_nobody(server: Server, tmp_path: Path) -> None:
    """In a process of its own, with a home that cannot be written and dlt's own settings in it."""
    for folder in (tmp_path / "home", tmp_path / "here"):
        (folder / ".dlt").mkdir(parents=True)
        (folder / ".dlt" / "config.toml").write_text("[runtime]\nhttp_show_error_body = true\n")
        (folder / ".dlt" / "secrets.toml").write_text("token = 'another'\n")
        (folder / ".netrc").write_text("default login me password another\n")
        for inner in (folder / ".dlt", folder):
            inner.chmod(0o555)

    ran = subprocess.run(
        [sys.executable, "-c", AUDITED, server.url],
        cwd=tmp_path / "here",
        env={"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    told = ran.stdout.splitlines()
    assert told[-1] == "5 documents"
    assert [line for line in told[:-1] if str(tmp_path) in line or "connect" in line] == [
        line for line in told[:-1] if f"connect {server.url.removeprefix('http://')}" in line
    ]
    assert not [line for line in told[:-1] if line.startswith("write")]
    assert not any("authorization" in request.headers for request in server.asked)


AUDITED = """
import sys, os

def hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, str) and path != os.devnull and (".dlt" in path or ".netrc" in path):
            print("read", os.path.abspath(path))
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and path != os.devnull:
            print("write", path)
    if event in ("os.mkdir", "os.rename", "os.remove"):
        print("write", arguments[0])
    if event == "socket.connect":
        print("connect", ":".join(map(str, arguments[1])))

sys.addaudithook(hook)
from docferry.sources.records.http import Http, HttpSettings
assert "dlt" not in sys.modules
import msgspec
settings = msgspec.convert({
    "base_url": sys.argv[1] + "/api", "resource": "articles", "records": "items",
    "paginator": {"type": "offset", "limit": 2},
    "document": {"id": "id", "version": "version", "content": "body", "content_type": "PLAIN_TEXT"},
}, HttpSettings)
source = Http(connector="kb", settings=settings, clients=None)
print(sum(len(page.listed) for page in source.pages(None)), "documents")
"""
