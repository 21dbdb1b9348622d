"""What Q Business says of an index and a data source. See docferry_cli.doctor.indexes."""

from typing import Any

from docferry.indexes.calls import patiently
from docferry.indexes.qbusiness_wire import error_text
from docferry_cli.doctor.indexes import IndexFacts, SourceFacts

DOCUMENTS, TEXT_BYTES = 20_000, 200 * 10**6
"""What one unit holds: https://docs.aws.amazon.com/amazonq/latest/qbusiness-ug/native-retriever.html."""


def index(client: Any, ids: dict[str, str]) -> IndexFacts:
    """See Kind.index. An application that is not active makes its index useless, so its status comes first."""
    application = patiently(client.get_application, applicationId=ids["application_id"])
    found = patiently(client.get_index, applicationId=ids["application_id"], indexId=ids["index_id"])
    broken = application["status"] != "ACTIVE"
    units = (found.get("capacityConfiguration") or {}).get("units", 1)
    held = (found.get("indexStatistics") or {}).get("textDocumentStatistics") or {}
    return IndexFacts(
        status=f"in an application that is {application['status']}" if broken else found["status"],
        edition=found.get("type", ""),
        documents=held.get("indexedTextDocumentCount", 0),
        text_bytes=held.get("indexedTextBytes", 0),
        most_documents=DOCUMENTS * units,
        most_text_bytes=TEXT_BYTES * units,
        error=error_text(application.get("error") or found.get("error")),
    )


def data_source(client: Any, ids: dict[str, str]) -> SourceFacts:
    """See Kind.data_source."""
    found = patiently(
        client.get_data_source,
        applicationId=ids["application_id"],
        indexId=ids["index_id"],
        dataSourceId=ids["data_source_id"],
    )
    configured = found.get("configuration") or {}
    said = found.get("type") or (configured.get("type", "") if isinstance(configured, dict) else "")
    return SourceFacts(found["status"], said, error_text(found.get("error")))


def resource(ids: dict[str, str]) -> str:
    """See Kind.resource."""
    return f"application/{ids['application_id']}"
