"""A feed as a source: entries are added and updated, and never deleted."""

from collections.abc import Iterator
from html import escape

import pytest

from docferry_laptop.laptop import Laptop
from tests.servers import Reply, Server, serving
from tests.workflow.sources.world import carried, held, synced


@pytest.fixture
def kind() -> str:
    """One service: a source knows nothing of the index. test_own.py tries them all."""
    return "qbusiness"


class News:
    """A feed of the newest entries."""

    def __init__(self) -> None:
        self.entries = {"1": "fog", "2": "tide", "3": "ice"}

    def reply(self) -> Reply:
        """The feed as RSS."""
        items = "".join(
            f'<item><guid isPermaLink="false">{id_}</guid><title>News {id_}</title>'
            f"<description>{escape(f'<p>{text}</p>')}</description></item>"
            for id_, text in self.entries.items()
        )
        return Reply(f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'.encode())


@pytest.fixture
def news() -> News:
    """Three entries."""
    return News()


@pytest.fixture
def server(news: News) -> Iterator[Server]:
    """The server of the feed."""
    with serving(lambda _: news.reply()) as running:
        yield running


def test_entries_come_and_change_and_stay(aws: Laptop, kind: str, server: Server, news: News) -> None:
    """Three at first, nothing for an unchanged feed; an old entry that is named no more stays in the index."""
    world = synced(aws, {"kind": "feed", "url": server.url}, kind)

    assert world.sync().added == 3
    again = world.sync()
    assert (again.unchanged, again.added, again.modified) == (3, 0, 0)

    del news.entries["1"]
    news.entries |= {"2": "a lighthouse", "4": "wind"}
    run = world.sync()

    assert (run.added, run.modified, run.deleted, run.withheld) == (1, 1, 0, 0)
    assert set(held(world)) == {"1", "2", "3", "4"}
    assert [hit.document_id for hit in world.deployment.wired.index.search("lighthouse", 5)] == ["team/2"]
    assert carried(world) == []


def test_a_feed_that_fails_changes_nothing(aws: Laptop, kind: str, server: Server) -> None:
    """The run fails; the index stays."""
    world = synced(aws, {"kind": "feed", "url": server.url}, kind)
    world.sync()
    server.answer = lambda _: Reply(b"<html>maintenance</html>")

    assert world.sync().status == "FAILED"
    assert set(held(world)) == {"1", "2", "3"}
