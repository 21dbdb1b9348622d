"""Sources: the repositories documents come from. One module a kind, imported when a connector uses it."""

from collections.abc import Iterator
from typing import Any, Protocol

from msgspec import Struct

from docferry.model import Document, Listed, Opened
from docferry.registry import Clients, load

KINDS = {
    "files": "docferry.sources.files:Files",
    "s3": "docferry.sources.s3:S3",
}


class Page(Struct, frozen=True):
    """Some of a listing, in the source's own order. A crawl that died goes on after ``checkpoint``."""

    listed: list[Listed]
    checkpoint: str


class Source(Protocol):
    """A repository of documents. ``Settings`` is the struct its part of connectors.yaml is read into."""

    Settings: type[Struct]
    presentation: frozenset[str]
    """The settings that say how a document is presented, and not which documents there are."""

    def __init__(self, *, connector: str, settings: Any, clients: Clients) -> None: ...

    def pages(self, checkpoint: str | None) -> Iterator[Page]:
        """List every document, from the start or after a checkpoint. The end of the iterator is the end of the source.

        Raises SourceUnavailable when the listing cannot go on: a listing that ends early must never look complete.
        """
        ...

    def open(self, document: Document) -> Opened:
        """Read a listed document, or point to it on S3.

        Raises DocumentVanished, DocumentUnreadable, or SourceUnavailable.
        """
        ...


def source_class(kind: str) -> type[Source]:
    """The class of a kind of source. Raises ConfigurationError for a kind that does not exist."""
    loaded: type[Source] = load(KINDS, "source", kind)
    return loaded
