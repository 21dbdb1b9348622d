"""The promises of every source, kept by those that read an API and a feed."""

from collections.abc import Iterator
from typing import Any

import pytest

from docferry import testing
from tests.servers import Reply, Request, Server, as_json, serving


class Served(testing.SourceSuite):
    """A source that asks a server."""

    server: Server

    def answer(self, request: Request) -> Reply:
        """What the server answers."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def serve(self) -> Iterator[None]:
        """Run the server while a test runs."""
        with serving(self.answer) as self.server:
            yield


class TestApi(Served):
    """Articles, with their contents in the listing."""

    settings: dict[str, Any] = {"document": {"id": "id", "content": "body", "content_type": "PLAIN_TEXT"}}  # noqa: RUF012

    def source(self) -> Any:
        """A source of kind ``http``."""
        return testing.source(
            "http",
            base_url=self.server.url,
            resource="articles",
            records="items",
            paginator={"type": "offset", "limit": 3},
            **self.settings,
        )

    def answer(self, request: Request) -> Reply:
        """See Served."""
        if request.path != "/articles":
            return Reply(request.path.encode())
        offset = int(request.query["offset"])
        rows = [{"id": number, "version": 1, "body": f"text {number}"} for number in range(10)]
        return as_json({"items": rows[offset : offset + 3], "total": 10})


class TestApiWithContentElsewhere(TestApi):
    """Articles, with contents that have addresses."""

    settings = {  # noqa: RUF012
        "document": {"id": "id", "version": "version", "content_type": "PLAIN_TEXT"},
        "content_url": "to_string(id)",
    }


class TestFeed(Served):
    """Entries of a feed."""

    def source(self) -> Any:
        """A source of kind ``feed``."""
        return testing.source("feed", url=self.server.url)

    def answer(self, request: Request) -> Reply:
        """See Served."""
        del request
        items = "".join(f"<item><guid>urn:{number}</guid><title>News {number}</title></item>" for number in range(10))
        return Reply(f'<rss version="2.0"><channel>{items}</channel></rss>'.encode())
