"""A full custom sync of either service, in the operations of its API; full_sync.mjs does the same in JavaScript."""

from collections.abc import Callable
from typing import Any, Protocol

ROLE = "arn:aws:iam::123456789012:role/kendra"
AWKWARD = "folder//b%2F ü😀.txt"
"""An id that does not survive careless escaping."""
WAYS = ["SYNCING", "STOPPING", "SYNCING_INDEXING"]


class Call(Protocol):
    """Calls one operation of one service: its name, and the members of its request. Text stands for a blob."""

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        """Return the members of the response."""


def kendra(call: Call, wait: Callable[[], None]) -> None:
    """Create an index, put two documents in one job, find them, delete one in the next job."""
    index = {"IndexId": call("CreateIndex", Name="docs", RoleArn=ROLE)["Id"]}
    until_active(lambda: call("DescribeIndex", Id=index["IndexId"]), "Status", wait)
    source = call("CreateDataSource", **index, Name="wiki", Type="CUSTOM")["Id"]
    until_active(lambda: call("DescribeDataSource", **index, Id=source), "Status", wait)

    def start() -> str:
        job: str = call("StartDataSourceSyncJob", **index, Id=source)["ExecutionId"]
        return job

    def stop() -> dict[str, str]:
        call("StopDataSourceSyncJob", **index, Id=source)
        last = until_ended(lambda: call("ListDataSourceSyncJobs", **index, Id=source)["History"][0], "Status", wait)
        counts: dict[str, str] = last["Metrics"]
        return counts

    def found() -> set[str]:
        return {item["DocumentId"] for item in call("Query", **index, QueryText="foxes")["ResultItems"]}

    def document(id_: str, job: str) -> dict[str, Any]:
        ties = {"_data_source_id": source, "_data_source_sync_job_execution_id": job}
        attributes = [{"Key": key, "Value": {"StringValue": value}} for key, value in ties.items()]
        return {"Id": id_, "Title": id_, "Blob": "The quick brown fox", "Attributes": attributes}

    job = start()
    documents = [document(id_, job) for id_ in ("fox", AWKWARD)]
    assert call("BatchPutDocument", **index, Documents=documents).get("FailedDocuments", []) == []
    assert stop()["DocumentsAdded"] == "2"
    assert found() == {"fox", AWKWARD}

    target = {"DataSourceId": source, "DataSourceSyncJobId": start()}
    gone = {"DocumentIdList": [AWKWARD], "DataSourceSyncJobMetricTarget": target}
    assert call("BatchDeleteDocument", **index, **gone).get("FailedDocuments", []) == []
    assert stop()["DocumentsDeleted"] == "1"
    assert found() == {"fox"}


def qbusiness(call: Call, wait: Callable[[], None]) -> None:
    """The same, with an application and a retriever around the index."""
    at = {"applicationId": call("CreateApplication", displayName="docs")["applicationId"]}
    until_active(lambda: call("GetApplication", **at), "status", wait)
    index = {**at, "indexId": call("CreateIndex", **at, displayName="docs")["indexId"]}
    until_active(lambda: call("GetIndex", **index), "status", wait)
    native = {"nativeIndexConfiguration": {"indexId": index["indexId"]}}
    retriever = call("CreateRetriever", **at, type="NATIVE_INDEX", displayName="docs", configuration=native)
    custom = {"type": "CUSTOM", "version": "1.0.0"}
    created = call("CreateDataSource", **index, displayName="wiki", configuration=custom)
    source = {**index, "dataSourceId": created["dataSourceId"]}
    until_active(lambda: call("GetDataSource", **source), "status", wait)

    def start() -> str:
        job: str = call("StartDataSourceSyncJob", **source)["executionId"]
        return job

    def stop() -> dict[str, str]:
        call("StopDataSourceSyncJob", **source)
        last = until_ended(lambda: call("ListDataSourceSyncJobs", **source)["history"][0], "status", wait)
        counts: dict[str, str] = last["metrics"]
        return counts

    def found() -> set[str]:
        content = {"retriever": {"retrieverId": retriever["retrieverId"]}}
        reply = call("SearchRelevantContent", **at, queryText="foxes", contentSource=content)
        return {item["documentId"] for item in reply["relevantContent"]}

    job = start()
    documents = [{"id": id_, "title": id_, "content": {"blob": "The quick brown fox"}} for id_ in ("fox", AWKWARD)]
    put = call("BatchPutDocument", **index, dataSourceSyncId=job, documents=documents)
    assert put.get("failedDocuments", []) == []
    assert stop()["documentsAdded"] == "2"
    assert found() == {"fox", AWKWARD}
    access = call("CheckDocumentAccess", **index, userId="ann@example.com", documentId=AWKWARD)
    assert access["hasAccess"] is True

    deleted = call("BatchDeleteDocument", **index, dataSourceSyncId=start(), documents=[{"documentId": AWKWARD}])
    assert deleted.get("failedDocuments", []) == []
    assert stop()["documentsDeleted"] == "1"
    assert found() == {"fox"}


def until_active(ask: Callable[[], dict[str, Any]], member: str, wait: Callable[[], None]) -> None:
    """Poll until a resource can be used."""
    while (status := ask()[member]) != "ACTIVE":
        assert status == "CREATING"
        wait()


def until_ended(ask: Callable[[], dict[str, Any]], member: str, wait: Callable[[], None]) -> dict[str, Any]:
    """Poll until a job has succeeded; its states come in order. Returns the job."""
    seen = 0
    while (job := ask())[member] != "SUCCEEDED":
        assert WAYS.index(job[member]) >= seen
        seen = WAYS.index(job[member])
        wait()
    return job
