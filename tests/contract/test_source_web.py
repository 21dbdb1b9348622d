"""The source of kind ``web`` keeps the promises of every source."""

from collections.abc import Iterator

import pytest

from docferry import testing
from docferry.sources import Source
from tests.unit.sources.web.site import Site, website


class TestWeb(testing.SourceSuite):
    """A website with pages of several types, one that fails, and one that is another's copy."""

    site: Site

    @pytest.fixture(autouse=True)
    def _website(self) -> Iterator[None]:
        with website() as self.site:
            self.site.html("/", links=("/a", "/copy", "/report.pdf", "/broken", "/gone", "/picture.png"))
            self.site.html("/a", "日本語", ETag="")
            self.site.html("/copy", head='<link rel="canonical" href="/a">')
            self.site.put("/report.pdf", b"%PDF-1.7", "application/pdf")
            self.site.status("/broken", 500)
            self.site.put("/picture.png", b"\x89PNG", "image/png")
            yield

    def source(self) -> Source:
        """The website, from its first page on."""
        return testing.source("web", start=[f"{self.site.url}/"], allow_private=True, requests_per_second=1_000)
