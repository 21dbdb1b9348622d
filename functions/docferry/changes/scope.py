"""The scope of a source: the settings that say which documents there are.

Another path, bucket or pattern lists other documents, and those it leaves out look as if they were gone. The scope of
the last crawl that withheld no delete because of it is remembered with the data source (``scope.json``).

With it stands a digest of all the settings of the connector: what was listed with others says nothing about what is not
listed now.
"""

import hashlib

from msgspec import Struct

from docferry.connector import Connector, Part
from docferry.state import lines
from docferry.state.keys import SCOPE
from docferry.state.store import Store


class Scope(Struct, frozen=True):
    """The kind and the settings that a listing depends on. ``settings`` is the digest of all, "" when not known."""

    source: Part
    settings: str = ""


def of(source: Part, presentation: frozenset[str]) -> Part:
    """The settings of a source without those that only say how a document is presented."""
    return Part(source.kind, {name: value for name, value in source.settings.items() if name not in presentation})


def settings(connector: Connector) -> str:
    """The digest of all that a connector is told."""
    return hashlib.sha256(lines.encode(connector)).hexdigest()


def is_crawled_with(store: Store, connector: Connector) -> bool:
    """Whether the last crawl of the whole source that withheld no delete was made with all of these settings."""
    record = store.read(store.held(SCOPE), Scope)
    return record is not None and record.value.settings == settings(connector)


def changed(store: Store, now: Part) -> tuple[str, ...]:
    """The names of the settings that are others than at the last crawl; none when there was no crawl before."""
    record = store.read(store.held(SCOPE), Scope)
    if record is None:
        return ()
    before = record.value.source
    if before.kind != now.kind:
        return ("kind",)
    names = sorted(before.settings.keys() | now.settings.keys())
    return tuple(name for name in names if before.settings.get(name) != now.settings.get(name))


def remember(store: Store, now: Scope) -> None:
    """Note the scope of a crawl that withheld nothing because of it."""
    record = store.read(store.held(SCOPE), Scope)
    if record is None or record.value != now:
        store.write(store.held(SCOPE), now)
