"""What Bedrock says of a knowledge base and a data source. See docferry_cli.doctor.indexes."""

from typing import Any

from docferry.indexes.bedrock.source import kind, problem
from docferry.indexes.calls import patiently
from docferry_cli.doctor.indexes import IndexFacts, SourceFacts


def index(client: Any, ids: dict[str, Any]) -> IndexFacts:
    """See Kind.index. A knowledge base tells neither how much it holds nor how much it may hold."""
    found = patiently(client.get_knowledge_base, knowledgeBaseId=ids["knowledge_base_id"])["knowledgeBase"]
    return IndexFacts(
        status=found["status"],
        edition=found["knowledgeBaseConfiguration"]["type"],
        documents=0,
        text_bytes=0,
        most_documents=None,
        most_text_bytes=None,
        error="; ".join(found.get("failureReasons") or []),
    )


def data_source(client: Any, ids: dict[str, Any]) -> SourceFacts:
    """See Kind.data_source. Its type, and whether it has access control, have to be what the connector says."""
    names = {"knowledgeBaseId": ids["knowledge_base_id"], "dataSourceId": ids["data_source_id"]}
    found = patiently(client.get_data_source, **names)["dataSource"]
    return SourceFacts(
        status="ACTIVE" if found["status"] == "AVAILABLE" else found["status"],
        type=kind(found),
        error="; ".join(found.get("failureReasons") or []),
        wrong=problem(found, acl=bool(ids.get("acl", False))),
    )


def resource(ids: dict[str, Any]) -> str:
    """See Kind.resource."""
    return f"knowledge-base/{ids['knowledge_base_id']}"
