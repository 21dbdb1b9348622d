"""A connector on a laptop, and what a test does to it."""

from pathlib import Path
from typing import Any, Literal, Self

import boto3
import msgspec
from msgspec import structs

from docferry.connector import Connector, Groups, Part
from docferry.indexes.service import OnIndex, OnJobs
from docferry.model import Document
from docferry.reporting import report
from docferry.reporting.report import Report
from docferry.state import manifest
from docferry.state.keys import LEASE, run_key
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry_emulators import Knobs
from docferry_laptop.executions import Execution
from docferry_laptop.laptop import Deployment, Laptop
from tests.contract.index_suite import operations
from tests.waiting import wait_for_end


class World:
    """A folder, a connector that syncs it, and the emulated index that it goes to."""

    def __init__(self, aws: Laptop, folder: Path, kind: str, name: str = "team") -> None:
        self.aws = aws
        self.folder = folder
        self.connector = Connector(name, Part("files", {"path": str(folder)}), Part(kind))
        self.deployment: Deployment = aws.deploy(self.connector)

    @classmethod
    def restricted(cls, aws: Laptop, folder: Path, connector: Connector, lists: Path) -> Self:
        """The world of a connector whose documents have access control: for users, or for groups.

        A knowledge base takes them only where its data source has access control, and has to be told who is in which
        group: ann in ``crew`` and in ``board``, bob in ``officers``. That list is in the folder ``lists``.
        """
        if connector.index.kind == "bedrock":
            file = lists / "groups.csv"
            file.write_text("group,member,kind\ncrew,ann,user\nboard,ann,user\nofficers,bob,user\n")
            index = Part("bedrock", {**connector.index.settings, "acl": True})
            connector = structs.replace(connector, index=index, groups=Groups(file=str(file)))
        return cls.of(aws, folder, connector)

    @classmethod
    def of(cls, aws: Laptop, folder: Path, connector: Connector) -> Self:
        """The world of a connector that is described otherwise now."""
        world = cls.__new__(cls)
        world.aws, world.folder, world.connector = aws, folder, connector
        world.deployment = aws.deploy(connector)
        return world

    @property
    def store(self) -> Store:
        """The connector's state bucket."""
        return self.deployment.wired.store

    @property
    def knobs(self) -> Knobs:
        """What goes wrong in the services."""
        return self.aws.emulation.faults.knobs

    def operation(self, call: OnJobs | OnIndex) -> str:
        """The operation of the service that a call makes first; where it makes none, the next that a run makes."""
        service = self.deployment.wired.index.service
        return (operations(service, call) or operations(service, "jobs"))[0]

    def end_jobs(self, status: Literal["FAILED", "ABORTED"] | None) -> None:
        """Let every sync job end so; None: as it should.

        A job of the adapter's own fails when a document never ends.
        """
        self.knobs.end_jobs = status
        own = status is not None and not self.deployment.wired.index.service.has_jobs
        self.knobs.stuck_documents = {"*"} if own else set()

    def delete_data_source(self) -> None:
        """Delete the data source from the service, with all its documents, and let the service finish."""
        ids: dict[str, str] = self.deployment.wired.settings.connector.index.settings
        match self.connector.index.kind:
            case "kendra":
                boto3.client("kendra").delete_data_source(IndexId=ids["index_id"], Id=ids["data_source_id"])
            case "qbusiness":
                boto3.client("qbusiness").delete_data_source(
                    applicationId=ids["application_id"], indexId=ids["index_id"], dataSourceId=ids["data_source_id"]
                )
            case _:
                boto3.client("bedrock-agent").delete_data_source(
                    knowledgeBaseId=ids["knowledge_base_id"], dataSourceId=ids["data_source_id"]
                )
        self.aws.clock.sleep(60)

    def write(self, name: str, text: str = "some text") -> None:
        """Write a file of the source."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def start(self, **inputs: object) -> Execution:
        """Start an execution."""
        return self.deployment.start(**inputs)

    def finish(self, execution: Execution) -> Report:
        """Wait until an execution has ended, and read its report."""
        wait_for_end(execution)
        written = report.read(self.store, execution.run)
        assert written is not None, execution.error()
        assert (written.status == "SUCCEEDED") == (execution.status() == "SUCCEEDED")
        return written

    def sync(self, **inputs: object) -> Report:
        """Run one execution from start to end."""
        return self.finish(self.start(**inputs))

    def failures(self, run: Report) -> dict[str, str]:
        """The documents that failed in a run, with their reasons."""
        return {failure.id: failure.reason for failure in report.failures(self.store, run.run)}

    def skipped(self, run: Report) -> dict[str, str]:
        """What a run skipped, with the reasons."""
        return {entry.id: entry.reason for entry in report.skipped(self.store, run.run)}

    def kept_secret(self, run: Report) -> int:
        """How many documents a run has left as they are because they have no access control any more.

        Elsewhere everybody would see them. Where nobody would, they are skipped.
        """
        return run.skipped if self.deployment.wired.index.unprotected == "nobody" else run.exposed

    def manifest(self) -> dict[str, Document]:
        """What the manifest says that the index holds."""
        current = manifest.pointer(self.store)
        lines = manifest.documents(self.store, current.value if current else None)
        return {document.id: document for document in (msgspec.json.decode(line, type=Document) for line in lines)}

    def indexed(self, *names: str) -> set[str]:
        """Which of these files the index says it holds."""
        ids = [f"team/{name}" for name in names]
        statuses = self.deployment.wired.index.statuses(None, ids)
        found = {status.id for status in statuses if status.status == "INDEXED"}
        return {name for name in names if f"team/{name}" in found}

    def jobs(self) -> list[str]:
        """The states of all sync jobs, newest first."""
        return [job.status for job in self.deployment.wired.index.jobs()]

    def history(self, run: Report) -> list[dict[str, Any]]:
        """The event history of an execution."""
        arn = self.deployment.state_machine.replace(":stateMachine:", ":execution:") + f":{run.run}"
        pages = boto3.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]

    def assert_at_rest(self) -> None:
        """No sync job is open, nobody holds the lease, and what the last job did is accounted for."""
        assert not {"SYNCING", "STOPPING"} & set(self.jobs())
        assert self.store.read(LEASE, lease.Lease) is None
        record = sync_job.read(self.store)
        assert record is None or record.state == "settled"

    def assert_converged(self, *names: str) -> None:
        """Index, manifest and source hold the same documents."""
        assert {document.removeprefix("team/") for document in self.manifest()} == set(names)
        assert self.indexed(*names) == set(names)
        assert all(document.version for document in self.manifest().values())

    def report_exists(self, run: str) -> bool:
        """Whether a run has left a report."""
        return self.store.exists(run_key(run, "report.json"))
