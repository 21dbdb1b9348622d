"""The scope of a source: the settings that say which documents there are.

Another path, bucket or pattern lists other documents, and those it leaves out look as if they were gone. The scope of
the last crawl that withheld no delete because of it is remembered with the data source (``scope.json``).
"""

from msgspec import Struct

from docferry.connector import Part
from docferry.state.keys import SCOPE
from docferry.state.store import Store


class Scope(Struct, frozen=True):
    """The kind and the settings that a listing depends on."""

    source: Part


def of(source: Part, presentation: frozenset[str]) -> Part:
    """The settings of a source without those that only say how a document is presented."""
    return Part(source.kind, {name: value for name, value in source.settings.items() if name not in presentation})


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


def remember(store: Store, now: Part) -> None:
    """Note the scope of a crawl that withheld nothing because of it."""
    record = store.read(store.held(SCOPE), Scope)
    if record is None or record.value.source != now:
        store.write(store.held(SCOPE), Scope(now))
