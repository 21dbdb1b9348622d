"""Sources: the repositories documents come from. One module a kind, imported when a connector uses it."""

from docferry.registry import load
from docferry.sources.records import Record, Records, Skip
from docferry.sources.source import NOTHING, Ability, Known, Page, Source

__all__ = ["KINDS", "NOTHING", "Ability", "Known", "Page", "Record", "Records", "Skip", "Source", "source_class"]

KINDS = {
    "files": "docferry.sources.files:Files",
    "s3": "docferry.sources.s3:S3",
    "sql": "docferry.sources.records.sql:Sql",
}


def source_class(kind: str) -> type[Source]:
    """The class of a kind of source. Raises ConfigurationError for a kind that does not exist."""
    loaded: type[Source] = load(KINDS, "source", kind)
    return loaded
