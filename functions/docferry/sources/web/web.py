"""The source of kind ``web``."""

from collections.abc import Iterator

from msgspec import Struct

from docferry.sources.records import Record, Records, Skip
from docferry.sources.source import Ability
from docferry.sources.web import network, urls
from docferry.sources.web.crawl import Crawl
from docferry.sources.web.fetcher import fetcher
from docferry.sources.web.network import CLOCK, CheckedNetwork, Clock, Resolve
from docferry.sources.web.notes import Remembered
from docferry.sources.web.pages import Pages
from docferry.sources.web.robots import Robots
from docferry.sources.web.settings import WebSettings, is_reference


class Web(Records):
    """The pages of websites. They have no access control: everybody may see them."""

    Settings: type[Struct] = WebSettings
    settings: WebSettings
    presentation = frozenset({"requests_per_second", "timeout"})
    abilities: frozenset[Ability] = frozenset({"carries_content", "remembers", "cheap_version"})
    clock: Clock = CLOCK
    resolve: Resolve = staticmethod(network.resolve)

    def records(self) -> Iterator[Record | Skip]:
        """Every page; see Records.records."""
        settings = self.settings
        scope = urls.Scope(self._hosts(), settings.include, settings.exclude)
        headers = {
            name: self.secret(value) if is_reference(value) else value for name, value in settings.headers.items()
        }
        checked = CheckedNetwork(allow_private=settings.allow_private, resolve=self.resolve, clock=self.clock)
        with fetcher(
            network=checked,
            clock=self.clock,
            scope=scope,
            user_agent=settings.user_agent,
            timeout=settings.timeout,
            requests_per_second=settings.requests_per_second,
            headers=headers,
        ) as fetching:
            crawl = Crawl(
                settings=settings,
                scope=scope,
                pages=Pages(fetching, settings.user_agent, settings.max_bytes),
                robots=Robots(fetching, settings.user_agent),
                remembered=Remembered(self.known.notes()),
                keep=self.note,
            )
            yield from crawl.items()

    def _hosts(self) -> tuple[str, ...]:
        """The hosts of the source: those of the settings, or else those of the addresses in them."""
        if self.settings.hosts:
            return self.settings.hosts
        addresses = (urls.normal(one) for one in (*self.settings.sitemaps, *self.settings.start))
        return tuple(urls.host(address) for address in addresses if address)
