"""Small servers that answer as the documentation of a system's API says: enough of each for its recipe."""

from collections.abc import Callable
from html import escape
from typing import Any

from msgspec import Struct

from tests.servers import Answer, Reply, Request, as_json

SECRET = "letmein"


class Page(Struct):
    """A page, an issue, a topic or an article, in any of the systems."""

    number: int
    text: str = "text"
    revision: int = 1

    @property
    def title(self) -> str:
        """A title that has to be escaped in an address."""
        return f"Page {self.number}: a/b?"

    @property
    def changed(self) -> str:
        """When it was changed."""
        return f"2026-01-{self.revision:02}T10:00:00Z"


Pages = list[Page]


def refused(request: Request, header: str, value: str = SECRET) -> bool:
    """Whether a request does not say who asks."""
    return request.headers.get(header.lower()) != value


def bookstack(pages: Pages) -> Answer:
    """https://demo.bookstackapp.com/api/docs: count and offset, no content in the listing."""

    def answer(request: Request) -> Reply:
        if refused(request, "Authorization"):
            return as_json({"error": {"code": 401, "message": "No authorization token found on the request"}}, 401)
        if request.path == "/api/pages":
            offset, count = int(request.query["offset"]), int(request.query["count"])
            shown = pages[offset : offset + count]
            rows = [{"id": one.number, "name": one.title, "draft": False, "updated_at": one.changed} for one in shown]
            return as_json({"data": rows, "total": len(pages)})
        page = _numbered(pages, request.path.removeprefix("/api/pages/"))
        return as_json({"id": page.number, "html": f"<p>{page.text}</p>", "raw_html": page.text})

    return answer


def discourse(pages: Pages) -> Answer:
    """https://docs.discourse.org: pages of topics until one is empty; the posts of a topic have an address."""

    def answer(request: Request) -> Reply:
        if refused(request, "Api-Key") or refused(request, "Api-Username", "docferry"):
            return as_json({"errors": ["You are not permitted to view the requested resource."]}, 403)
        if request.path == "/latest.json":
            start = int(request.query["page"]) * 2
            topics = [
                {
                    "id": one.number,
                    "title": one.title,
                    "slug": f"page-{one.number}",
                    "posts_count": one.revision,
                    "created_at": "2026-01-01T10:00:00.000Z",
                    "bumped_at": one.changed,
                }
                for one in pages[start : start + 2]
            ]
            return as_json({"users": [], "topic_list": {"per_page": 2, "topics": topics}})
        page = _numbered(pages, request.path.removeprefix("/t/").removesuffix(".json"))
        return as_json({"post_stream": {"posts": [{"cooked": f"<p>{page.text}</p>"}, {"cooked": "<p>thanks</p>"}]}})

    return answer


def gitlab_wiki(pages: Pages) -> Answer:
    """https://docs.gitlab.com/api/wikis: everything in one reply."""

    def answer(request: Request) -> Reply:
        if refused(request, "PRIVATE-TOKEN"):
            return as_json({"message": "401 Unauthorized"}, 401)
        assert request.path == "/api/v4/projects/42/wikis"
        assert request.query == {"with_content": "true"}
        return as_json(
            [{"content": one.text, "format": "markdown", "slug": f"{one.number}", "title": one.title} for one in pages]
        )

    return answer


def gitlab_issues(pages: Pages) -> Answer:
    """https://docs.gitlab.com/api/issues: the header Link leads to the next page."""

    def answer(request: Request) -> Reply:
        if refused(request, "PRIVATE-TOKEN"):
            return as_json({"message": "401 Unauthorized"}, 401)
        assert request.query["confidential"] == "false"
        number, length = int(request.query.get("page", 1)), int(request.query["per_page"])
        shown = pages[(number - 1) * length : number * length]
        query = "&".join(f"{name}={value}" for name, value in {**request.query, "page": number + 1}.items())
        link = {"Link": f'<http://{request.headers["host"]}{request.path}?{query}>; rel="next"'}
        return as_json(
            [
                {
                    "iid": one.number,
                    "title": one.title,
                    "description": one.text if one.number > 1 else None,
                    "state": "opened",
                    "author": {"name": "Pilot"},
                    "web_url": f"https://gitlab.example.com/group/project/-/issues/{one.number}",
                    "created_at": "2026-01-01T10:00:00.000Z",
                    "updated_at": one.changed,
                }
                for one in shown
            ],
            headers=link if number * length < len(pages) else {},
        )

    return answer


def mediawiki(pages: Pages) -> Answer:
    """https://www.mediawiki.org/wiki/API:Query: ``continue`` says how the listing goes on."""

    def answer(request: Request) -> Reply:
        assert request.path == "/w/api.php"
        if request.query["action"] == "parse":
            page = _numbered(pages, request.query["pageid"])
            return as_json({"parse": {"title": page.title, "pageid": page.number, "text": f"<p>{page.text}</p>"}})
        start, limit = int(request.query.get("gapcontinue", 0)), int(request.query["gaplimit"])
        found = [
            {
                "pageid": one.number,
                "ns": 0,
                "title": one.title,
                "touched": one.changed,
                "lastrevid": one.revision,
                "fullurl": f"https://wiki.example.com/wiki/{one.number}",
            }
            for one in pages[start : start + limit]
        ]
        more = start + limit < len(pages)
        goes_on = {"continue": {"gapcontinue": f"{start + limit}", "continue": "gapcontinue||"}} if more else {}
        return as_json({"batchcomplete": True, **goes_on, "query": {"pages": found}})

    return answer


def redmine(pages: Pages) -> Answer:
    """https://www.redmine.org/projects/redmine/wiki/Rest_Issues: offset and limit."""

    def answer(request: Request) -> Reply:
        if refused(request, "X-Redmine-API-Key"):
            return as_json({}, 401)
        assert (request.query["status_id"], request.query["is_private"]) == ("*", "0")
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        issues = [
            {
                "id": one.number,
                "project": {"id": 1, "name": "Fleet"},
                "subject": one.title,
                "description": one.text,
                "author": {"id": 1, "name": "Pilot"},
                "created_on": "2026-01-01T10:00:00Z",
                "updated_on": one.changed,
            }
            for one in pages[offset : offset + limit]
        ]
        return as_json({"issues": issues, "total_count": len(pages), "offset": offset, "limit": limit})

    return answer


def tiddlywiki(pages: Pages) -> Answer:
    """https://tiddlywiki.com/static/WebServer%2520API%253A%2520Get%2520All%2520Tiddlers.html: everything at once."""

    def answer(request: Request) -> Reply:
        assert request.path == "/recipes/default/tiddlers.json"
        assert request.query == {"exclude": "none"}
        image = {"title": "logo.png", "text": "iVBORw0KGgo=", "type": "image/png", "revision": 0}
        texts = [{"title": one.title, "text": one.text, "type": "text/vnd.tiddlywiki", "revision": 0} for one in pages]
        return as_json([image, *texts])

    return answer


def zendesk(pages: Pages) -> Answer:
    """https://developer.zendesk.com/api-reference/help_center/help-center-api/articles: cursors."""

    def answer(request: Request) -> Reply:
        assert request.path == "/api/v2/help_center/en-us/articles.json"
        assert "authorization" not in request.headers
        start, size = int(request.query.get("page[after]", 0)), int(request.query["page[size]"])
        more = start + size < len(pages)
        articles = [
            {
                "id": one.number,
                "title": one.title,
                "body": f"<p>{escape(one.text)}</p>",
                "html_url": f"https://example.zendesk.com/hc/en-us/articles/{one.number}",
                "user_segment_id": None,
                "draft": False,
                "created_at": "2026-01-01T10:00:00Z",
                "updated_at": one.changed,
            }
            for one in pages[start : start + size]
        ]
        cursor = f"{start + size}" if more else None
        return as_json({"articles": articles, "meta": {"has_more": more, "after_cursor": cursor}, "links": {}})

    return answer


class System(Struct):
    """A system: its server, where the API is below the server, how pages of two are asked for, and what is expected.

    ``lazy`` is what the address of a content has in it, where contents have addresses. ``ids`` gives the id of a page.
    """

    answer: Callable[[Pages], Answer]
    base: str = "/"
    short: dict[str, Any] = {}
    uri: str = ""
    lazy: str | None = None
    id: Callable[[Page], str] = lambda page: f"{page.number}"


SYSTEMS = {
    "bookstack": System(bookstack, "/api/", {"limit": 2}, "https://books.example.com/link/3", lazy="/api/pages/"),
    "discourse": System(discourse, uri="https://forum.example.com/t/page-3/3", lazy="/t/"),
    "gitlab-issues": System(
        gitlab_issues, "/api/v4/", {"per_page": 2}, "https://gitlab.example.com/group/project/-/issues/3"
    ),
    "gitlab-wiki": System(gitlab_wiki, "/api/v4/", uri="https://gitlab.example.com/group/project/-/wikis/3"),
    "mediawiki": System(mediawiki, "/w/", {"gaplimit": 2}, "https://wiki.example.com/wiki/3", lazy="parse"),
    "redmine": System(redmine, short={"limit": 2}, uri="https://redmine.example.com/issues/3"),
    "tiddlywiki": System(
        tiddlywiki, uri="https://wiki.example.com/#Page%203%3A%20a%2Fb%3F", id=lambda page: page.title
    ),
    "zendesk": System(
        zendesk, "/api/v2/help_center/", {"page[size]": 2}, "https://example.zendesk.com/hc/en-us/articles/3"
    ),
}


def _numbered(pages: Pages, number: str) -> Page:
    return next(page for page in pages if f"{page.number}" == number)
