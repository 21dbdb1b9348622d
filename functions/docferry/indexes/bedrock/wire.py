"""What Amazon Bedrock Knowledge Bases and Docferry call the same thing: requests and replies, part by part. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from docferry.indexes import DocumentStatus, Indexed, Rejection
from docferry.model import AttributeValue, Content, ContentType, Date, Document, Principal, S3Object

TITLE, URI, UPDATED = "_document_title", "_source_uri", "_last_updated_at"

# https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base-ds.html. What is text anyway is sent as text.
MIME_TYPES: dict[ContentType, str] = {
    "PDF": "application/pdf",
    "HTML": "text/html",
    "MS_WORD": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "PLAIN_TEXT": "text/plain",
    "XML": "text/plain",
    "XSLT": "text/plain",
    "MS_EXCEL": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "CSV": "text/csv",
    "JSON": "text/plain",
    "MD": "text/markdown",
}
# Word and Excel before 2007: https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb.
COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
OLD_TYPES = {"MS_WORD": "application/msword", "MS_EXCEL": "application/vnd.ms-excel"}

STATUSES: dict[str, Indexed] = {
    "INDEXED": "INDEXED",
    "PENDING": "PROCESSING",
    "STARTING": "PROCESSING",
    "IN_PROGRESS": "PROCESSING",
    "DELETING": "PROCESSING",
    "DELETE_IN_PROGRESS": "PROCESSING",
    "FAILED": "FAILED",
    "IGNORED": "FAILED",
    # A part of it is found, and perhaps of the version before: it is sent again.
    "PARTIALLY_INDEXED": "UPDATE_FAILED",
    "METADATA_PARTIALLY_INDEXED": "UPDATE_FAILED",
    "METADATA_UPDATE_FAILED": "UPDATE_FAILED",
    "NOT_FOUND": "NOT_FOUND",
}
INVALID = "InvalidRequest"
"""The code of a rejection that blames the document. Bedrock has a status and a reason, and no codes."""


def document_to_wire(document: Document, entries: Iterable[Principal], content: Content) -> dict[str, Any]:
    """A KnowledgeBaseDocument. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_KnowledgeBaseDocument.html.

    Bedrock has no title and no time of change of its own, so they are attributes.
    """
    attributes: dict[str, AttributeValue] = {
        **({UPDATED: Date(document.updated_at)} if document.updated_at else {}),
        **({TITLE: document.title} if document.title else {}),
        **document.attributes,
    }
    metadata: dict[str, Any] = {"type": "IN_LINE_ATTRIBUTE"}
    if attributes:
        metadata["inlineAttributes"] = [{"key": key, "value": value_to_wire(it)} for key, it in attributes.items()]
    if listed := [{"name": one.name, "type": one.type, "access": one.access} for one in entries]:
        metadata["accessControlList"] = listed
    custom: dict[str, Any] = {"customDocumentIdentifier": {"id": document.id}}
    if isinstance(content, S3Object):
        custom |= {"sourceType": "S3_LOCATION", "s3Location": {"uri": f"s3://{content.bucket}/{content.key}"}}
    else:
        sent = {"mimeType": _mime_type(document.content_type, content), "data": content}
        custom |= {"sourceType": "IN_LINE", "inlineContent": {"type": "BYTE", "byteContent": sent}}
    wire: dict[str, Any] = {"content": {"dataSourceType": "CUSTOM", "custom": custom}}
    return {**wire, "metadata": metadata} if len(metadata) > 1 else wire


def value_to_wire(value: AttributeValue) -> dict[str, Any]:
    """A MetadataAttributeValue. Dates have no type: one is the seconds of the epoch, so that filters compare."""
    match value:
        case Date(date):
            return {"type": "NUMBER", "numberValue": (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()}
        case str():
            return {"type": "STRING", "stringValue": value}
        case int():
            return {"type": "NUMBER", "numberValue": value}
        case _:
            return {"type": "STRING_LIST", "stringListValue": list(value)}


def identifiers(ids: Iterable[str]) -> list[dict[str, Any]]:
    """DocumentIdentifiers of a custom data source."""
    return [{"dataSourceType": "CUSTOM", "custom": {"id": id_}} for id_ in ids]


def rejections(reply: dict[str, Any]) -> list[Rejection]:
    """The documents that were not accepted. Most fail later, if they do."""
    return [
        Rejection(detail["identifier"]["custom"]["id"], INVALID, detail.get("statusReason") or detail["status"])
        for detail in reply.get("documentDetails") or []
        if STATUSES.get(detail["status"], "FAILED") == "FAILED"
    ]


def document_status(detail: dict[str, Any]) -> DocumentStatus:
    """A KnowledgeBaseDocumentDetail. Bedrock's own word stands in the message where it says more."""
    said, status = detail["status"], STATUSES.get(detail["status"], "FAILED")
    reason = detail.get("statusReason", "")
    message = ": ".join(filter(None, ("" if said == status else said, reason)))
    return DocumentStatus(detail["identifier"]["custom"]["id"], status, message, detail.get("updatedAt"))


def token(execution_id: str, request: Sequence[Any]) -> str:
    """The clientToken of a request: the same for the same documents in the same job, so that a repeat does nothing."""
    digest = hashlib.sha256(execution_id.encode())
    for one in request:
        # Bytes become base64, so two requests with the same JSON are the same.
        digest.update(hashlib.sha256(msgspec.json.encode(one, order="sorted")).digest())
    return digest.hexdigest()


def time_of(reply: dict[str, Any]) -> datetime:
    """When the service has answered, by its own clock: the one that the times of documents come from."""
    date = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)


def _mime_type(content_type: ContentType, content: bytes) -> str:
    old = OLD_TYPES.get(content_type) if content.startswith(COMPOUND_FILE) else None
    return old or MIME_TYPES[content_type]
