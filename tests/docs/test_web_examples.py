"""The examples of docs/sources.md for websites, each run against a website of this machine."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from docferry.config.connectors import checked
from tests.unit.sources.web.site import Site, crawl, website

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"
EXAMPLES = [block.partition("```")[0] for block in PAGE.read_text().partition("\n## web\n")[2].split("```yaml\n")[1:3]]
HOST = "https://docs.example.com"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:docs-crawler-AbCdEf"


def settings_of(example: str) -> dict[str, Any]:
    """The settings of an example, without its kind."""
    source: dict[str, Any] = yaml.safe_load(example)["source"]
    assert source.pop("kind") == "web"
    return source


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_is_a_source_as_it_is_written(example: str) -> None:
    """connectors.yaml takes it."""
    source = yaml.safe_load(example)["source"]
    described = checked({"connectors": {"docs": {"source": source, "index": {"kind": "kendra"}}}}, "the example")
    assert described["docs"].connector.source.kind == "web"


def test_the_first_example_reads_a_sitemap() -> None:
    """What it includes and what it excludes."""
    with website() as site:
        _fill(site)
        found = crawl(site, **settings_of(EXAMPLES[0].replace(HOST, site.url)))
    assert set(found.documents) == {"/guides/a", "/guides/deep/b", "/report.pdf"}


def test_the_second_example_follows_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a secret, and as deep as it says."""
    monkeypatch.setenv("DOCS_CRAWLER", "Bearer abc")
    with website() as site:
        _fill(site)
        found = crawl(site, **settings_of(EXAMPLES[1].replace(HOST, site.url).replace(SECRET, "env:DOCS_CRAWLER")))
    assert set(found.documents) == {"/", "/about", "/guides/a", "/guides/drafts/c"}
    assert {headers["Authorization"] for headers in site.headers} == {"Bearer abc"}


def _fill(site: Site) -> None:
    site.sitemap("/sitemap.xml", "/guides/a", "/guides/deep/b", "/guides/drafts/c", "/about", "/report.pdf")
    site.html("/", links=("/about",))
    site.html("/about", links=("/guides/a",))
    site.html("/guides/a", links=("/guides/drafts/c",))
    site.html("/guides/drafts/c", links=("/guides/deep/b",))
    site.html("/guides/deep/b")
    site.put("/report.pdf", b"%PDF-1.7", "application/pdf")
