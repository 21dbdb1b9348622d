"""The simple way to write a source: yield records of any kind, and a crawl does the rest.

A record becomes a document: its content is checked, and kept for the sending when the index does not hold it yet.
``docs/own-source.md`` shows a source from nothing to deployed.
"""

from docferry.sources.records.record import Record, Skip
from docferry.sources.records.records import Records

__all__ = ["Record", "Records", "Skip"]
