"""Where a crawl begins: what the sitemaps name, those of the settings and those of robots.txt."""

from collections.abc import Iterator

from msgspec import Struct

from docferry.sources.web import sitemaps, urls
from docferry.sources.web.failures import PageFailed
from docferry.sources.web.fetcher import Fetcher
from docferry.sources.web.robots import Robots
from docferry.sources.web.settings import WebSettings
from docferry.sources.web.sitemaps import Broken, Entry


class Visit(Struct, frozen=True):
    """A page to go to: how many links and redirects led to it, and the lastmod of its sitemap."""

    url: str
    depth: int = 0
    hops: int = 0
    lastmod: str = ""


def entries(settings: WebSettings, scope: urls.Scope, robots: Robots, fetcher: Fetcher) -> Iterator[Entry | Broken]:
    """What every sitemap names, and the sitemaps that cannot be read."""
    roots = [normal(url) for url in settings.sitemaps]
    for url in dict.fromkeys(urls.site(normal(url)) + "/" for url in settings.start):
        try:
            named = robots.sitemaps(url) or [f"{url}sitemap.xml"]
        except PageFailed as error:
            yield Broken(url, str(error))
            continue
        for one in named:
            if scope.has_host(one):
                roots.append(one)
            else:
                yield Broken(one, "the sitemap, which robots.txt names, is on another host; add it to hosts")
    yield from sitemaps.pages(fetcher, roots)


def normal(url: str) -> str:
    """An address of the settings, which are checked."""
    return urls.normal(url) or url
