"""What Amazon Q Business and Docferry call the same thing: requests and replies, part by part. Pure."""

from typing import Any

from docferry.indexes import DocumentStatus, Indexed, Metrics, Rejection, SyncJob
from docferry.model import AttributeValue, Date, Principal

STATUSES: dict[str, Indexed] = {
    "RECEIVED": "PROCESSING",
    "PROCESSING": "PROCESSING",
    "INDEXED": "INDEXED",
    "UPDATED": "INDEXED",
    "FAILED": "FAILED",
    "DOCUMENT_FAILED_TO_INDEX": "FAILED",
    "DELETING": "NOT_FOUND",
    "DELETED": "NOT_FOUND",
}


def principal(entry: Principal) -> dict[str, Any]:
    """A principal, in the scope of the whole index."""
    if entry.type == "USER":
        return {"user": {"id": entry.name, "access": entry.access, "membershipType": "INDEX"}}
    return {"group": {"name": entry.name, "access": entry.access, "membershipType": "INDEX"}}


def attribute_value(value: AttributeValue) -> dict[str, Any]:
    """A DocumentAttributeValue: exactly one of its members."""
    match value:
        case Date(date):
            return {"dateValue": date}
        case str():
            return {"stringValue": value}
        case int():
            return {"longValue": value}
        case _:
            return {"stringListValue": list(value)}


def rejections(reply: dict[str, Any]) -> list[Rejection]:
    """The failedDocuments of a batch call; here the error is a structure of its own."""
    return [
        Rejection(failed["id"], error.get("errorCode", ""), error.get("errorMessage", ""))
        for failed in reply.get("failedDocuments") or []
        for error in (failed.get("error") or {},)
    ]


def document_status(detail: dict[str, Any]) -> DocumentStatus:
    """One entry of ListDocuments."""
    return DocumentStatus(
        id=detail["documentId"],
        status=STATUSES.get(detail["status"], "FAILED"),
        message=error_text(detail.get("error")),
        updated_at=detail.get("updatedAt"),
    )


def sync_job(entry: dict[str, Any]) -> SyncJob:
    """One entry of ListDataSourceSyncJobs. Q Business gives the metrics as strings."""
    metrics = entry.get("metrics") or {}
    return SyncJob(
        execution_id=entry["executionId"],
        status=entry["status"],
        started_at=entry["startTime"],
        ended_at=entry.get("endTime"),
        metrics=Metrics(
            added=int(metrics.get("documentsAdded", "0")),
            modified=int(metrics.get("documentsModified", "0")),
            deleted=int(metrics.get("documentsDeleted", "0")),
            failed=int(metrics.get("documentsFailed", "0")),
        ),
        error=error_text(entry.get("error")),
    )


def error_text(error: dict[str, Any] | None) -> str:
    """An ErrorDetail in one line."""
    return ": ".join(filter(None, ((error or {}).get("errorCode"), (error or {}).get("errorMessage"))))
