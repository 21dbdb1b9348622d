"""Sources: the repositories documents come from. One module a kind, imported when a connector uses it."""

from typing import TYPE_CHECKING, Any

from docferry.registry import load
from docferry.sources import own
from docferry.sources.source import NOTHING, Ability, Finder, Known, Look, Open, Page, Sighting, Source, Watched, opener

if TYPE_CHECKING:
    from docferry.sources.records import Record, Records, Skip

__all__ = [
    "KINDS",
    "NOTHING",
    "Ability",
    "Finder",
    "Known",
    "Look",
    "Open",
    "Page",
    "Record",
    "Records",
    "Sighting",
    "Skip",
    "Source",
    "Watched",
    "kinds",
    "opener",
    "source_class",
]

KINDS = {
    "feed": "docferry.sources.records.feed:Feed",
    "files": "docferry.sources.folder.files:Files",
    "fsspec": "docferry.sources.remote.source:Fsspec",
    "http": "docferry.sources.records.http:Http",
    "s3": "docferry.sources.s3:S3",
    "sql": "docferry.sources.records.sql:Sql",
    "web": "docferry.sources.web:Web",
}


def __getattr__(name: str) -> Any:
    """Import what only sources of records need when one is made."""
    if name not in {"Record", "Records", "Skip"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from docferry.sources import records  # noqa: PLC0415  # most functions have another source, or none

    return getattr(records, name)


def kinds() -> dict[str, str]:
    """Every kind of source that has a name: ours, and those that installed packages bring."""
    return {**own.installed(), **KINDS}


def source_class(kind: str) -> type[Source]:
    """The class of a kind of source, or of one that is written as ``module:Class``.

    Raises ConfigurationError for a kind that does not exist.
    """
    loaded: type[Source]
    if kind in KINDS:
        loaded = load(KINDS, "source", kind)
    elif own.is_own(kind):
        loaded = own.load(kind)
    else:
        known = kinds()
        loaded = own.load(known[kind]) if kind in known else load(known, "source", kind)
    return loaded
