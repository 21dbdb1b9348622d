"""What Kendra says of an index and a data source. See docferry_cli.doctor.indexes."""

from typing import Any

from docferry.indexes.calls import patiently
from docferry_cli.doctor.indexes import IndexFacts, SourceFacts

GB, MB = 10**9, 10**6
PER_UNIT = {
    "DEVELOPER_EDITION": (10_000, 3 * GB),
    "ENTERPRISE_EDITION": (100_000, 30 * GB),
    "GEN_AI_ENTERPRISE_EDITION": (20_000, 200 * MB),
}
"""Documents and bytes of text that one unit of storage holds: https://docs.aws.amazon.com/kendra/latest/dg/adjusting-capacity.html.

The first unit comes with the index.
"""


def index(client: Any, ids: dict[str, str]) -> IndexFacts:
    """See Kind.index."""
    found = patiently(client.describe_index, Id=ids["index_id"])
    edition = found.get("Edition", "")
    documents, text = PER_UNIT.get(edition, (None, None))
    units = 1 + (found.get("CapacityUnits") or {}).get("StorageCapacityUnits", 0)
    held = (found.get("IndexStatistics") or {}).get("TextDocumentStatistics") or {}
    return IndexFacts(
        status=found["Status"],
        edition=edition,
        documents=held.get("IndexedTextDocumentsCount", 0),
        text_bytes=held.get("IndexedTextBytes", 0),
        most_documents=documents and documents * units,
        most_text_bytes=text and text * units,
        error=found.get("ErrorMessage", ""),
    )


def data_source(client: Any, ids: dict[str, str]) -> SourceFacts:
    """See Kind.data_source."""
    found = patiently(client.describe_data_source, IndexId=ids["index_id"], Id=ids["data_source_id"])
    return SourceFacts(found["Status"], found["Type"], found.get("ErrorMessage", ""))


def resource(ids: dict[str, str]) -> str:
    """See Kind.resource."""
    return f"index/{ids['index_id']}"
