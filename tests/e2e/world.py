"""A connector that is deployed on a laptop, and what a test does to it."""

from pathlib import Path
from typing import Any

import boto3
import msgspec

from docferry.model import Document
from docferry.reporting import report
from docferry.reporting.report import Report
from docferry.state import manifest
from docferry.state.keys import LEASE
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry_cli.targets import Startable
from docferry_laptop.deployed import Cloud
from docferry_laptop.executions import Execution
from tests.waiting import wait_for, wait_for_end

CONNECTORS = Path(__file__).parent / "connectors.yaml"
HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook"
BUCKET = "example-handbook"


class World:
    """A deployed connector, and the bucket that is its source."""

    def __init__(self, running: Cloud, stack: Startable) -> None:
        self.cloud = running
        self.stack = stack
        self.store = stack.store
        self._s3: Any = boto3.client("s3")
        self._step_functions: Any = boto3.client("stepfunctions")

    def upload(self, documents: dict[str, bytes]) -> None:
        """Put documents into the source bucket, which tells EventBridge."""
        for key, content in documents.items():
            self._s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def run(self, **inputs: object) -> Report:
        """Start an execution by hand, and wait until it has succeeded."""
        return self.finish(self.stack.start(**inputs))

    def finish(self, execution: Execution) -> Report:
        """Wait until an execution has ended, and read its report."""
        wait_for_end(execution)
        written = report.read(self.store, execution.run)
        assert written is not None, execution.error()
        assert written.status == execution.status() == "SUCCEEDED", written
        return written

    def executions(self) -> dict[str, str]:
        """Every execution there was, by name, with its status."""
        listed = self._step_functions.list_executions(stateMachineArn=self.stack.state_machine)["executions"]
        return {one["name"]: one["status"] for one in listed}

    def settle(self) -> None:
        """Deliver events until none is left, and nothing runs that could cause one."""
        wait_for(lambda: "RUNNING" not in self.executions().values() and not self.cloud.events.deliver())

    def manifest(self) -> dict[str, Document]:
        """What the manifest says that the index holds, by the key in the source, or by its id if it is of the inbox."""
        current = manifest.pointer(self.store)
        lines = manifest.documents(self.store, current.value if current else None)
        documents = (msgspec.json.decode(line, type=Document) for line in lines)
        return {one.locator if one.origin == "source" else one.id: one for one in documents}

    def assert_converged(self, keys: set[str]) -> None:
        """The index holds these documents of the source and says so, and nothing is left open."""
        held = self.manifest()
        assert keys <= set(held)
        index = self.stack.index
        ids = {held[key].id for key in keys}
        assert ids <= {status.id for status in index.statuses(None, sorted(ids)) if status.status == "INDEXED"}
        assert not {"SYNCING", "STOPPING"} & {job.status for job in index.jobs()}
        assert self.store.read(LEASE, lease.Lease) is None
        record = sync_job.read(self.store)
        assert record is None or record.state == "settled"


def handbook() -> dict[str, bytes]:
    """The files of the handbook, by key."""
    files = (path for path in HANDBOOK.rglob("*") if path.is_file())
    return {file.relative_to(HANDBOOK).as_posix(): file.read_bytes() for file in files}
