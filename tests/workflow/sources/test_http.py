"""An API as a source, from its first sync to a change: what moves."""

from collections.abc import Iterator
from typing import Any

import pytest

from docferry.reporting import report
from docferry_laptop.laptop import Laptop
from tests.servers import Reply, Request, Server, as_json, serving
from tests.workflow.sources.world import carried, held, synced

DOCUMENT = {
    "id": "id",
    "version": "updated",
    "title": "title",
    "content": "body",
    "content_type": "HTML",
    "uri": "join('', ['https://kb.example.com/a/', to_string(id)])",
    "attributes": {"_category": "section"},
}


@pytest.fixture
def kind() -> str:
    """One service: a source knows nothing of the index. test_own.py tries them all."""
    return "kendra"


class KnowledgeBase:
    """Articles, listed in pages, each with its body in the listing and at an address of its own."""

    def __init__(self) -> None:
        self.articles = {number: self.article(number) for number in range(1, 6)}

    def article(self, number: int, updated: str = "2026-01-01", text: str = "text") -> dict[str, Any]:
        """An article."""
        return {
            "id": number,
            "updated": updated,
            "title": f"Article {number}",
            "body": f"<p>{text} {number}</p>",
            "section": "guides",
        }

    def __call__(self, request: Request) -> Reply:
        """Answer as the API."""
        if request.headers.get("authorization") != "Bearer letmein":
            return as_json({"error": "sign in"}, 401)
        if request.path.startswith("/api/articles/"):
            return Reply(self.articles[int(request.path.rpartition("/")[2])]["body"].encode())
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        rows = list(self.articles.values())
        return as_json({"items": rows[offset : offset + limit], "total": len(rows)})


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> KnowledgeBase:
    """Five articles, for those who know the token."""
    monkeypatch.setenv("KB_TOKEN", "letmein")
    return KnowledgeBase()


@pytest.fixture
def server(base: KnowledgeBase) -> Iterator[Server]:
    """The API."""
    with serving(base) as running:
        yield running


def described(server: Server, **settings: Any) -> dict[str, Any]:
    """The source, as connectors.yaml writes it."""
    return {
        "kind": "http",
        "base_url": f"{server.url}/api/",
        "resource": "articles",
        "records": "items",
        "paginator": {"type": "offset", "limit": 2, "total_path": "total"},
        "auth": {"type": "bearer", "token": "env:KB_TOKEN"},
        "document": DOCUMENT,
        **settings,
    }


def test_only_what_changed_is_put(aws: Laptop, kind: str, server: Server, base: KnowledgeBase) -> None:
    """Everything at first, then nothing, then one article that changed, one that is new, one that is gone."""
    world = synced(aws, described(server), kind)

    assert world.sync().added == 5
    third = held(world)["3"]
    assert (third.title, third.attributes["_source_uri"]) == ("Article 3", "https://kb.example.com/a/3")

    unchanged = world.sync()
    assert (unchanged.unchanged, unchanged.added, unchanged.modified) == (5, 0, 0)

    base.articles[3] = base.article(3, "2026-02-01", "a lighthouse")
    base.articles[6] = base.article(6)
    del base.articles[2]
    run = world.sync()

    assert (run.modified, run.added, run.deleted, run.unchanged) == (1, 1, 1, 3)
    assert [hit.document_id for hit in world.deployment.wired.index.search("lighthouse", 5)] == ["team/3"]
    assert carried(world) == []


def test_content_is_fetched_for_what_changed_and_once(
    aws: Laptop, kind: str, server: Server, base: KnowledgeBase
) -> None:
    """From its own address, several at once; an unchanged article is not asked for."""
    document = {name: expression for name, expression in DOCUMENT.items() if name != "content"}
    url = "join('', ['articles/', to_string(id)])"
    world = synced(aws, described(server, document=document, content_url=url), kind)

    world.sync()
    assert sorted(path for path in server.paths() if "articles/" in path) == [f"/api/articles/{n}" for n in range(1, 6)]

    base.articles[4] = base.article(4, "2026-02-01", "a lighthouse")
    run = world.sync()

    assert (run.modified, run.unchanged) == (1, 4)
    assert [path for path in server.paths() if "articles/" in path] == ["/api/articles/4"]
    assert [hit.document_id for hit in world.deployment.wired.index.search("lighthouse", 5)] == ["team/4"]


@pytest.mark.parametrize("failure", [401, 503, 200])
def test_a_listing_that_fails_deletes_nothing_and_tells_no_secret(
    aws: Laptop, kind: str, server: Server, base: KnowledgeBase, failure: int
) -> None:
    """Refused, down, or an answer without the list: the run fails, the index stays as it is."""
    world = synced(aws, described(server), kind)
    world.sync()
    server.answer = lambda request: (
        as_json({"echo": request.headers}, failure) if "2" in request.query["offset"] else (base(request))
    )

    run = world.sync()

    assert run.status == "FAILED"
    assert "letmein" not in str(run)
    assert set(held(world)) == {"1", "2", "3", "4", "5"}
    assert "letmein" not in str(report.read(world.store, run.run))


def test_a_row_without_an_id_deletes_nothing(aws: Laptop, kind: str, server: Server, base: KnowledgeBase) -> None:
    """It may be any of the articles that are missing."""
    world = synced(aws, described(server), kind)
    world.sync()
    base.articles[2]["id"] = None

    run = world.sync()

    assert (run.deleted, run.withheld, run.skipped) == (0, 1, 1)
    assert "2" in held(world)
