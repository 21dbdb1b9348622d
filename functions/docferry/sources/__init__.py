"""Sources: the repositories documents come from. One module a kind, imported when a connector uses it."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Protocol

from msgspec import Struct

from docferry.errors import ConfigurationError
from docferry.model import Document, Listed, Opened

KINDS = {
    "files": "docferry.sources.files:Files",
    "s3": "docferry.sources.s3:S3",
}

Clients = Callable[[str], Any]
"""Gives the boto3 client of a service by its name, such as ``s3``."""


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


def load(kinds: dict[str, str], what: str, kind: str) -> Any:
    """Import the class that a registry gives for ``kind``."""
    if kind not in kinds:
        raise ConfigurationError(f"{what} kind {kind!r} does not exist; there are: {', '.join(sorted(kinds))}")
    module, name = kinds[kind].split(":")
    return getattr(import_module(module), name)
