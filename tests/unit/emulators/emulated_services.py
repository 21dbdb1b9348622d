# ruff: noqa: D101, D102 - the names of the harness say what they do
"""One harness for both services, so that a rule both have is one test."""

from abc import ABC, abstractmethod
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from docferry_emulators import Emulation
from docferry_emulators.clock import VirtualClock

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/docferry"
# One attempt: a test that wants to see an error does not want boto3 to hide it.
ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})

# One session for all tests: it reads each service model once, which takes longer than most tests.
SESSION = boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name=REGION)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    """The error code that boto3 understood."""
    code: str = error.value.response["Error"]["Code"]
    return code


class Service(ABC):
    """An ACTIVE index with one data source, and the few calls every test makes."""

    busy: str
    missing = "ResourceNotFoundException"
    source: str

    def __init__(self, emulation: Emulation, clock: VirtualClock, *, client: Any = None) -> None:
        self.emulation = emulation
        self.clock = clock
        make: Any = SESSION.client  # its stubs know each service by a literal
        self.client = client or make(self.name, config=ONCE)
        self.set_up()

    name: str

    @abstractmethod
    def set_up(self) -> None: ...

    @abstractmethod
    def add_source(self) -> str: ...

    @abstractmethod
    def start(self, source: str | None = None) -> str: ...

    @abstractmethod
    def stop(self, source: str | None = None) -> None: ...

    @abstractmethod
    def history(self, source: str | None = None, **filters: Any) -> list[dict[str, Any]]:
        """The jobs, in Kendra's capitals."""

    @abstractmethod
    def put(self, *documents: dict[str, Any], job: str | None = None, source: str | None = None, **more: Any) -> Any:
        """Put documents of ``document()``; returns [(id, code, message)] of those rejected."""

    @abstractmethod
    def delete(self, *ids: str, job: str | None = None, source: str | None = None) -> Any: ...

    @abstractmethod
    def document(self, name: str, text: str = "some text", **more: Any) -> dict[str, Any]: ...

    @abstractmethod
    def status(self, name: str) -> str: ...

    @abstractmethod
    def declare(self, **fields: str) -> None: ...

    @abstractmethod
    def search(self, words: str) -> list[str]:
        """The ids found."""

    @abstractmethod
    def counted(self) -> int:
        """How many documents the index says it holds."""

    @abstractmethod
    def delete_source(self, source: str | None = None) -> None: ...

    def job(self, source: str | None = None) -> dict[str, Any]:
        """The newest job."""
        return self.history(source)[0]

    def metrics(self) -> tuple[int, int, int, int]:
        """Added, modified, deleted and failed of the newest job."""
        found = self.job()["Metrics"]
        assert all(isinstance(value, str) for value in found.values())
        names = ("DocumentsAdded", "DocumentsModified", "DocumentsDeleted", "DocumentsFailed")
        added, modified, deleted, failed = (int(found[name]) for name in names)
        return added, modified, deleted, failed

    def settle(self) -> None:
        """Let everything that is under way happen, now: with the next request the knobs may be others."""
        self.clock.sleep(60)
        self.emulation.engine.settle()

    def sync(self, *documents: dict[str, Any], delete: tuple[str, ...] = ()) -> str:
        """One whole job."""
        job = self.start()
        if documents:
            assert self.put(*documents, job=job) == []
        if delete:
            assert self.delete(*delete, job=job) == []
        self.stop()
        self.settle()
        return job


class KendraService(Service):
    name = "kendra"
    busy = "ResourceInUseException"

    def set_up(self) -> None:
        self.index = self.client.create_index(Name="docs", RoleArn=ROLE)["Id"]
        self.settle()
        self.source = self.add_source()

    def add_source(self) -> str:
        made = self.client.create_data_source(IndexId=self.index, Name="wiki", Type="CUSTOM")
        self.settle()
        identifier: str = made["Id"]
        return identifier

    def _at(self, source: str | None) -> dict[str, str]:
        return {"IndexId": self.index, "Id": source or self.source}

    def start(self, source: str | None = None) -> str:
        execution: str = self.client.start_data_source_sync_job(**self._at(source))["ExecutionId"]
        return execution

    def stop(self, source: str | None = None) -> None:
        self.client.stop_data_source_sync_job(**self._at(source))

    def history(self, source: str | None = None, **filters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.list_data_source_sync_jobs(**self._at(source), **filters)["History"]
        return found

    def document(self, name: str, text: str = "some text", **more: Any) -> dict[str, Any]:
        return {"Id": name, "Blob": text.encode(), "ContentType": "PLAIN_TEXT", **more}

    def put(self, *documents: dict[str, Any], job: str | None = None, source: str | None = None, **more: Any) -> Any:
        ties = []
        if job is not None or source is not None:
            ties.append({"Key": "_data_source_id", "Value": {"StringValue": source or self.source}})
        if job is not None:
            ties.append({"Key": "_data_source_sync_job_execution_id", "Value": {"StringValue": job}})
        tied = [{**document, "Attributes": [*document.get("Attributes", []), *ties]} for document in documents]
        reply = self.client.batch_put_document(IndexId=self.index, Documents=tied, **more)
        return [(one["Id"], one["ErrorCode"], one["ErrorMessage"]) for one in reply["FailedDocuments"]]

    def delete(self, *ids: str, job: str | None = None, source: str | None = None) -> Any:
        target = {"DataSourceId": source or self.source, **({"DataSourceSyncJobId": job} if job else {})}
        tie = {"DataSourceSyncJobMetricTarget": target} if job or source else {}
        reply = self.client.batch_delete_document(IndexId=self.index, DocumentIdList=list(ids), **tie)
        return [(one["Id"], one["ErrorCode"], one["ErrorMessage"]) for one in reply["FailedDocuments"]]

    def status(self, name: str) -> str:
        reply = self.client.batch_get_document_status(IndexId=self.index, DocumentInfoList=[{"DocumentId": name}])
        status: str = reply["DocumentStatusList"][0]["DocumentStatus"]
        return status

    def declare(self, **fields: str) -> None:
        updates = [
            {"Name": name, "Type": kind, "Search": {"Facetable": True, "Displayable": True}}
            | (
                {}
                if kind == "STRING_LIST_VALUE"
                else {"Search": dict.fromkeys(("Facetable", "Displayable", "Sortable"), True)}
            )
            for name, kind in fields.items()
        ]
        self.client.update_index(Id=self.index, DocumentMetadataConfigurationUpdates=updates)
        self.settle()

    def search(self, words: str, **more: Any) -> list[str]:
        found = self.client.query(IndexId=self.index, QueryText=words, **more)["ResultItems"]
        return [item["DocumentId"] for item in found]

    def counted(self) -> int:
        statistics = self.client.describe_index(Id=self.index)["IndexStatistics"]
        count: int = statistics["TextDocumentStatistics"]["IndexedTextDocumentsCount"]
        return count

    def delete_source(self, source: str | None = None) -> None:
        self.client.delete_data_source(**self._at(source))


class QBusinessService(Service):
    name = "qbusiness"
    busy = "ConflictException"

    def set_up(self) -> None:
        self.application = self.client.create_application(displayName="docs")["applicationId"]
        self.settle()
        self.index = self.client.create_index(applicationId=self.application, displayName="docs")["indexId"]
        self.settle()
        self.at = {"applicationId": self.application, "indexId": self.index}
        self.retriever = self.client.create_retriever(
            applicationId=self.application,
            type="NATIVE_INDEX",
            displayName="docs",
            configuration={"nativeIndexConfiguration": {"indexId": self.index}},
        )["retrieverId"]
        self.source = self.add_source()

    def add_source(self) -> str:
        made = self.client.create_data_source(
            **self.at, displayName="wiki", configuration={"type": "CUSTOM", "version": "1.0.0"}
        )
        self.settle()
        identifier: str = made["dataSourceId"]
        return identifier

    def _at(self, source: str | None) -> dict[str, str]:
        return {**self.at, "dataSourceId": source or self.source}

    def start(self, source: str | None = None) -> str:
        execution: str = self.client.start_data_source_sync_job(**self._at(source))["executionId"]
        return execution

    def stop(self, source: str | None = None) -> None:
        self.client.stop_data_source_sync_job(**self._at(source))

    def history(self, source: str | None = None, **filters: Any) -> list[dict[str, Any]]:
        found = self.client.list_data_source_sync_jobs(**self._at(source), **filters)["history"]
        return [_capital(job) for job in found]

    def document(self, name: str, text: str = "some text", **more: Any) -> dict[str, Any]:
        return {"id": name, "content": {"blob": text.encode()}, "contentType": "PLAIN_TEXT", **more}

    def put(self, *documents: dict[str, Any], job: str | None = None, source: str | None = None, **more: Any) -> Any:
        if job is not None:
            more["dataSourceSyncId"] = job
        if source is not None:
            tie = {"name": "_data_source_id", "value": {"stringValue": source}}
            documents = tuple({**one, "attributes": [*one.get("attributes", []), tie]} for one in documents)
        reply = self.client.batch_put_document(**self.at, documents=list(documents), **more)
        return _failed(reply)

    def delete(self, *ids: str, job: str | None = None, source: str | None = None) -> Any:  # noqa: ARG002
        tie = {"dataSourceSyncId": job} if job else {}
        documents = [{"documentId": name} for name in ids]
        return _failed(self.client.batch_delete_document(**self.at, documents=documents, **tie))

    def status(self, name: str) -> str:
        for page in self.client.get_paginator("list_documents").paginate(**self.at):
            for detail in page["documentDetailList"]:
                if detail["documentId"] == name:
                    status: str = detail["status"]
                    return status
        return "NOT_FOUND"

    def declare(self, **fields: str) -> None:
        kinds = {
            "STRING_VALUE": "STRING",
            "STRING_LIST_VALUE": "STRING_LIST",
            "LONG_VALUE": "NUMBER",
            "DATE_VALUE": "DATE",
        }
        wanted = [{"name": name, "type": kinds[kind]} for name, kind in fields.items()]
        self.client.update_index(**self.at, documentAttributeConfigurations=wanted)
        self.settle()

    def search(self, words: str, **more: Any) -> list[str]:
        source = {"retriever": {"retrieverId": self.retriever}}
        found = self.client.search_relevant_content(
            applicationId=self.application, queryText=words, contentSource=source, **more
        )
        return [item["documentId"] for item in found["relevantContent"]]

    def counted(self) -> int:
        statistics = self.client.get_index(**self.at)["indexStatistics"]["textDocumentStatistics"]
        count: int = statistics["indexedTextDocumentCount"]
        return count

    def delete_source(self, source: str | None = None) -> None:
        self.client.delete_data_source(**self._at(source))


def _capital(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: _capital(item) for name, item in value.items()}
    return value


def _failed(reply: dict[str, Any]) -> list[tuple[str, str, str]]:
    failed = reply["failedDocuments"]
    return [(one["id"], one["error"]["errorCode"], one["error"]["errorMessage"]) for one in failed]


SERVICES: dict[str, type[Service]] = {"kendra": KendraService, "qbusiness": QBusinessService}
