"""A knowledge base of Bedrock, managed, and its custom data source."""

from typing import Any

import boto3

from docferry.indexes.bedrock.source import MANAGED
from docferry_emulators.clock import Clock
from docferry_laptop.indexes import INDEX, ROLE


def provide(name: str, settings: dict[str, Any], clock: Clock) -> dict[str, str]:
    """Find or make the data source with this name, and its knowledge base. Return their ids."""
    agent = boto3.client("bedrock-agent")
    base_name = f"{INDEX}-{settings.get('knowledge_base_id') or 'knowledge-base'}"
    base = _named(agent, "list_knowledge_bases", "knowledgeBaseSummaries", "knowledgeBaseId", base_name)
    if base is None:
        base = agent.create_knowledge_base(
            name=base_name,
            roleArn=ROLE,
            knowledgeBaseConfiguration={
                "type": "MANAGED",
                "managedKnowledgeBaseConfiguration": {"embeddingModelType": "MANAGED"},
            },
        )["knowledgeBase"]["knowledgeBaseId"]
    while agent.get_knowledge_base(knowledgeBaseId=base)["knowledgeBase"]["status"] != "ACTIVE":
        clock.sleep(1)
    acl = bool(settings.get("acl", False))
    named = f"{name}-{'with' if acl else 'without'}-access-control"
    source = _named(agent, "list_data_sources", "dataSourceSummaries", "dataSourceId", named, knowledgeBaseId=base)
    if source is None:
        parameters = {"type": "CUSTOM", "version": "1", "aclEnabled": acl}
        source = agent.create_data_source(
            knowledgeBaseId=base,
            name=named,
            dataSourceConfiguration={
                "type": MANAGED,
                "managedKnowledgeBaseConnectorConfiguration": {"connectorParameters": parameters},
            },
        )["dataSource"]["dataSourceId"]
    ids = {"knowledgeBaseId": base, "dataSourceId": source}
    while agent.get_data_source(**ids)["dataSource"]["status"] != "AVAILABLE":
        clock.sleep(1)
    return {"knowledge_base_id": base, "data_source_id": str(source)}


def _named(agent: Any, operation: str, listed: str, id_key: str, name: str, **ids: str) -> str | None:
    pages = agent.get_paginator(operation).paginate(**ids)
    return next((one[id_key] for page in pages for one in page[listed] if one["name"] == name), None)
