"""The examples of docs/sources.md run as they are written, except for their addresses and secrets."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from docferry_laptop.laptop import Laptop
from tests.servers import Reply, Request, as_json, serving
from tests.workflow.sources.world import held, restricted, synced

PAGE = Path(__file__).parents[3] / "docs" / "sources.md"
FEED = '<rss version="2.0"><channel><item><guid isPermaLink="false">1</guid><title>Fog</title></item></channel></rss>'


def example(kind: str) -> dict[str, Any]:
    """The first example of a section."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    (block, *_) = re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL)
    written: dict[str, Any] = yaml.safe_load(block)["source"]
    return written


def test_the_example_of_an_api(aws: Laptop, kind: str, tmp_path: Path) -> None:
    """With its secret in Secrets Manager; who may see an article is in the index."""
    secrets: Any = boto3.client("secretsmanager")
    arn = secrets.create_secret(Name="kb-token", SecretString="letmein")["ARN"]

    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") != "Bearer letmein":
            return as_json({}, 401)
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        rows = [
            {"id": number, "updated": "1", "title": "Fog", "body": "<p>fog</p>", "readers": ["crew"]}
            for number in range(150)
        ]
        return as_json({"items": rows[offset : offset + limit], "total": len(rows)})

    written = example("http")
    with serving(answer) as server:
        source = {**written, "base_url": f"{server.url}/api/", "auth": {**written["auth"], "token": arn}}
        world = restricted(aws, source, kind, tmp_path)
        assert world.sync().added == 150
    article = held(world)["7"]
    assert article.attributes["_source_uri"] == "https://kb.example.com/a/7"
    assert [one.name for one in article.access_control] == ["crew"]


def test_the_example_of_a_feed(aws: Laptop, kind: str) -> None:
    """One entry."""
    with serving(lambda _: Reply(FEED.encode())) as server:
        assert synced(aws, {**example("feed"), "url": f"{server.url}/feed.xml"}, kind).sync().added == 1


def test_the_example_of_a_table(aws: Laptop, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of SQLite in the current folder, as its URL says."""
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("tickets.db", isolation_level=None)) as database:
        database.execute("create table tickets (id integer, title text, body text, changed text, dept text, team text)")
        database.execute("insert into tickets values (7, 'Fog', 'in fog', '2026-01-31', 'nav', 'crew')")

    world = restricted(aws, example("sql"), kind, tmp_path)

    assert world.sync().added == 1
    assert (held(world)["7"].title, held(world)["7"].attributes["department"]) == ("Fog", "nav")
