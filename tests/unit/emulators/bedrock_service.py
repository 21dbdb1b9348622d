# ruff: noqa: D102 - the names of the harness say what they do
"""A knowledge base with one custom data source, and the few calls that every test makes."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from docferry_emulators import Emulation
from docferry_emulators.clock import VirtualClock
from tests.unit.emulators.emulated_services import ONCE, ROLE, SESSION

VECTOR: dict[str, Any] = {
    "knowledgeBaseConfiguration": {
        "type": "VECTOR",
        "vectorKnowledgeBaseConfiguration": {
            "embeddingModelArn": "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0"
        },
    },
    "storageConfiguration": {
        "type": "S3_VECTORS",
        "s3VectorsConfiguration": {"indexArn": "arn:aws:s3vectors:eu-west-1:123456789012:bucket/b/index/i"},
    },
}
MANAGED: dict[str, Any] = {
    "knowledgeBaseConfiguration": {
        "type": "MANAGED",
        "managedKnowledgeBaseConfiguration": {"embeddingModelType": "MANAGED"},
    }
}
CUSTOM: dict[str, Any] = {"type": "CUSTOM"}
BUCKET: dict[str, Any] = {"type": "S3", "s3Configuration": {"bucketArn": "arn:aws:s3:::bucket-name"}}

Start = Callable[..., "BedrockService"]


def managed(*, access: bool) -> dict[str, Any]:
    """The configuration of a custom data source of a managed knowledge base."""
    parameters = {"type": "CUSTOM", "version": "1", "aclEnabled": access}
    return {
        "type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
        "managedKnowledgeBaseConnectorConfiguration": {"connectorParameters": parameters},
    }


def attribute(key: str, value: Any) -> dict[str, Any]:
    """An attribute with the type of its value."""
    kinds: list[tuple[type, str, str]] = [
        (bool, "BOOLEAN", "booleanValue"),
        (str, "STRING", "stringValue"),
        (list, "STRING_LIST", "stringListValue"),
        (float, "NUMBER", "numberValue"),
        (int, "NUMBER", "numberValue"),
    ]
    kind, member = next((kind, member) for python, kind, member in kinds if isinstance(value, python))
    return {"key": key, "value": {"type": kind, member: value}}


def document(
    name: str, text: str = "some text", *, allow: Iterable[str] = (), deny: Iterable[str] = (), **attributes: Any
) -> dict[str, Any]:
    """A document with its text inline."""
    metadata: dict[str, Any] = {}
    if attributes:
        metadata["inlineAttributes"] = [attribute(key, value) for key, value in attributes.items()]
    entries = [("ALLOW", user) for user in allow] + [("DENY", user) for user in deny]
    if entries:
        metadata["accessControlList"] = [{"name": user, "type": "USER", "access": access} for access, user in entries]
    content = {
        "customDocumentIdentifier": {"id": name},
        "sourceType": "IN_LINE",
        "inlineContent": {"type": "TEXT", "textContent": {"data": text}},
    }
    made: dict[str, Any] = {"content": {"dataSourceType": "CUSTOM", "custom": content}}
    return made | ({"metadata": {"type": "IN_LINE_ATTRIBUTE", **metadata}} if metadata else {})


def identifiers(ids: Iterable[str]) -> list[dict[str, Any]]:
    """The ids of documents as a request has them."""
    return [{"dataSourceType": "CUSTOM", "custom": {"id": name}} for name in ids]


def statuses_in(reply: dict[str, Any]) -> dict[str, str]:
    """The status of each document in a reply."""
    return {detail["identifier"]["custom"]["id"]: detail["status"] for detail in reply["documentDetails"]}


def at_fault(error: pytest.ExceptionInfo[ClientError]) -> list[str]:
    """The members that a ValidationException names."""
    response: Any = error.value.response  # its stub knows no members of a service's own
    assert response["Error"]["Code"] == "ValidationException"
    return [field["name"] for field in response.get("fieldList", [])]


class BedrockService:
    """A managed knowledge base whose custom data source has access control, unless a test wants another."""

    def __init__(
        self,
        emulation: Emulation,
        clock: VirtualClock,
        *,
        base: dict[str, Any] = MANAGED,
        source: dict[str, Any] | None = None,
    ) -> None:
        self.emulation = emulation
        self.clock = clock
        make: Any = SESSION.client  # its stubs know each service by a literal
        self.agent = make("bedrock-agent", config=ONCE)
        self.runtime = make("bedrock-agent-runtime", config=ONCE)
        made = self.agent.create_knowledge_base(name="docs", roleArn=ROLE, **base)["knowledgeBase"]
        self.base: str = made["knowledgeBaseId"]
        self.search_by = "managedSearchConfiguration" if base is MANAGED else "vectorSearchConfiguration"
        self.settle()
        self.source = self.add_source("wiki", source or managed(access=True))
        self.at = {"knowledgeBaseId": self.base, "dataSourceId": self.source}

    def add_source(self, name: str, configuration: dict[str, Any]) -> str:
        made = self.agent.create_data_source(
            knowledgeBaseId=self.base, name=name, dataSourceConfiguration=configuration
        )["dataSource"]
        self.settle()
        identifier: str = made["dataSourceId"]
        return identifier

    def settle(self) -> None:
        """Let everything that is under way happen, now."""
        self.clock.sleep(60)
        self.emulation.engine.settle()

    def ingest(self, *documents: dict[str, Any], **more: Any) -> dict[str, str]:
        return statuses_in(self.agent.ingest_knowledge_base_documents(**{**self.at, **more}, documents=list(documents)))

    def delete(self, *ids: str, **more: Any) -> dict[str, str]:
        wanted = {**self.at, **more}
        return statuses_in(self.agent.delete_knowledge_base_documents(**wanted, documentIdentifiers=identifiers(ids)))

    def details(self, *ids: str) -> list[dict[str, Any]]:
        reply = self.agent.get_knowledge_base_documents(**self.at, documentIdentifiers=identifiers(ids))
        found: list[dict[str, Any]] = reply["documentDetails"]
        return found

    def status(self, name: str) -> str:
        status: str = self.details(name)[0]["status"]
        return status

    def retrieve(self, words: str, user: str | None = None, **configuration: Any) -> list[dict[str, Any]]:
        asked = {"retrievalConfiguration": {self.search_by: configuration}} if configuration else {}
        context = {"userContext": {"userId": user}} if user is not None else {}
        query = {"text": words}
        reply = self.runtime.retrieve(knowledgeBaseId=self.base, retrievalQuery=query, **asked, **context)
        found: list[dict[str, Any]] = reply["retrievalResults"]
        return found

    def search(self, words: str, user: str | None = None, **configuration: Any) -> set[str]:
        return {
            item["location"]["customDocumentLocation"]["id"] for item in self.retrieve(words, user, **configuration)
        }
