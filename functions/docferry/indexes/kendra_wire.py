"""What Amazon Kendra and Docferry call the same thing: requests and replies, part by part. Pure."""

from typing import Any

from docferry.indexes import Metrics, Rejection, SyncJob
from docferry.model import AttributeValue, Date


def attribute_value(value: AttributeValue) -> dict[str, Any]:
    """A DocumentAttributeValue: exactly one of its members."""
    match value:
        case Date(date):
            return {"DateValue": date}
        case str():
            return {"StringValue": value}
        case int():
            return {"LongValue": value}
        case _:
            return {"StringListValue": list(value)}


def rejections(reply: dict[str, Any]) -> list[Rejection]:
    """The FailedDocuments of a batch call."""
    return [
        Rejection(failed["Id"], failed.get("ErrorCode", ""), failed.get("ErrorMessage", ""))
        for failed in reply.get("FailedDocuments") or []
    ]


def sync_job(entry: dict[str, Any]) -> SyncJob:
    """One entry of ListDataSourceSyncJobs. Kendra gives the metrics as strings."""
    metrics = entry.get("Metrics") or {}
    return SyncJob(
        execution_id=entry["ExecutionId"],
        status=entry["Status"],
        started_at=entry["StartTime"],
        ended_at=entry.get("EndTime"),
        metrics=Metrics(
            added=int(metrics.get("DocumentsAdded", "0")),
            modified=int(metrics.get("DocumentsModified", "0")),
            deleted=int(metrics.get("DocumentsDeleted", "0")),
            failed=int(metrics.get("DocumentsFailed", "0")),
        ),
        error=": ".join(filter(None, (entry.get("ErrorCode"), entry.get("ErrorMessage")))),
    )
