"""A laptop with one connector, in a state that is prepared once and put back before each case."""

import hashlib
import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import msgspec
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from msgspec import Struct, structs

from docferry.connector import Connector, DeleteGuard, Groups, Part
from docferry.delivery import progress
from docferry.groups import known
from docferry.groups.known import Known
from docferry.indexes import calls, index_class
from docferry.model import Document
from docferry.reporting import report
from docferry.reporting.report import Report
from docferry.runtime.wiring import Wired, client
from docferry.sources.folder import files
from docferry.sources.records import records
from docferry.state import manifest, sorting, windows
from docferry.state.keys import MANIFEST
from docferry.state.runs import Run
from docferry.state.store import Store
from docferry.workflow import janitor, shard
from docferry.workflow.signals import signals
from docferry.workflow.trigger import Triggered, trigger
from docferry_emulators import Knobs, Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.laptop import Deployment, Laptop, laptop
from docferry_laptop.storage import ACCOUNT, REGION, state_bucket
from tests.faults import shelf
from tests.faults.pieces import Pieces
from tests.messages import Listener
from tests.state_buckets import Bucket, refused, served

NAME = "team"
EVERYBODY = "everybody"
"""The group, and its only member, that is everybody, where an index shows no document without access control."""
PATIENCE_SECONDS = 60
# Of 13 documents, so that a listing has several pages and chunks, and one document has to be staged on S3.
PAGE = 3
# So the comparison has several steps, too.
STEP = 8
INLINE_BYTES = 400
# So that one group has to be staged on S3, too.
GROUP_MEMBERS = 3
LIMIT = DeleteGuard(documents=3, percent=10)
SERVICES = ("kendra", "qbusiness", "bedrock")
RECORDS = "kendra/records"
PLACES = (*SERVICES, RECORDS)
"""Where cases are tried: a service with a source of kind ``files``, or with one that carries its contents."""


class Snapshot(Struct, frozen=True):
    """Everything that a case starts from: the bucket, the index, the source, and what was handed in beside it.

    ``executions`` are those that there have been. Those of a case go with it: moto looks through all that it has.
    """

    objects: dict[str, bytes]
    database: sqlite3.Connection
    sources: dict[str, str]
    handed_in: dict[str, str]
    executions: list[Any]


class Ended(Struct, frozen=True):
    """A run that has ended. ``report`` is None when it left none."""

    run: str
    execution: str
    status: str
    report: Report | None


class Stage:
    """The laptop, its connector, and what the source, the index and the bucket hold."""

    def __init__(self, aws: Laptop, bucket: Bucket, place: str, folder: Path, pieces: Pieces) -> None:
        self.aws = aws
        self.pieces = pieces
        self.bucket = bucket
        self.service, _, source = place.partition("/")
        self.folder = folder
        self.contents: dict[str, str] = {}
        """Every content that a document ever had, by its version."""
        self.handed_in: dict[str, str] = {}
        """What other crawlers have handed in, by the id of the document."""
        kind = shelf.KIND if source == "records" else "files"
        self.list_of_groups = folder.parent / f"{self.service}-groups.csv"
        self.members: dict[str, frozenset[str]] = {}
        """Who is in which group, as the list of groups says; an @ before a group that is a member."""
        self.connector = Connector(NAME, Part(kind, {"path": str(folder)}), Part(self.service), LIMIT)
        self.listener = Listener()
        self.deployment: Deployment = aws.deploy(self.connector, self.listener.topic)

    def redeploy(self, connector: Connector) -> None:
        """Deploy the connector as it is described now."""
        self.connector = connector
        self.folder = Path(connector.source.settings["path"])
        self.deployment = self.aws.deploy(connector, self.listener.topic)

    @property
    def wired(self) -> Wired:
        """What the handlers work with."""
        return self.deployment.wired

    @property
    def step_functions(self) -> Any:
        """The client of Step Functions that all handlers of this process call."""
        return client("stepfunctions")

    @property
    def store(self) -> Store:
        """The connector's state bucket."""
        return self.wired.store

    @property
    def knobs(self) -> Knobs:
        """What goes wrong in the services."""
        return self.aws.emulation.faults.knobs

    def write(self, name: str, text: str) -> None:
        """Write a document of the source."""
        # At once: a worker that reads the file in another thread must not find half of it.
        half = self.folder.with_name(f"{self.folder.name}-{name}.half")
        half.write_text(text, encoding="utf-8")
        half.replace(self.folder / name)
        self._note(text)

    def remove(self, name: str) -> None:
        """Remove a document of the source, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def hand_in(self, change_set: str, **edits: str | None) -> None:
        """Drop a change set into the inbox: texts to be put, by the stem of the id, None for a delete."""
        lines = []
        for stem, text in edits.items():
            id_ = f"{NAME}/{stem}.txt"
            if text is None:
                lines.append({"DocumentId": f"{stem}.txt", "Delete": True})
                self.handed_in.pop(id_, None)
            else:
                lines.append({"DocumentId": f"{stem}.txt", "Content": text})
                self.handed_in[id_] = text
                self._note(text)
        self.store.put_content(f"inbox/{change_set}.jsonl", "\n".join(map(json.dumps, lines)).encode())

    def define(self, groups: dict[str, str]) -> None:
        """Write the list of groups: the members of each, with an @ before a group. An index may know none."""
        groups = groups if self.wired.index.service.on_groups else {}
        self.members = {group: frozenset(members.split()) for group, members in groups.items()}
        rows = [
            f"{group},{one.removeprefix('@')},{'group' if one.startswith('@') else 'user'}\n"
            for group, members in self.members.items()
            for one in sorted(members)
        ]
        self.list_of_groups.write_text("".join(["group,member,kind\n", *rows]), encoding="utf-8")

    def with_groups(self, *, wanted: bool) -> None:
        """Let the connector have groups, or none."""
        if (self.connector.groups is not None) != wanted:
            groups = Groups(file=str(self.list_of_groups)) if wanted and self.wired.index.service.on_groups else None
            self.redeploy(structs.replace(self.connector, groups=groups))

    @contextmanager
    def one_worker(self) -> Iterator[None]:
        """Send one shard after the other in the block: what a run that is aborted has sent is the same every time."""
        before = self.connector
        settings = {**before.index.settings, "concurrency": 1}
        self.redeploy(structs.replace(before, index=Part(before.index.kind, settings)))
        try:
            yield
        finally:
            self.redeploy(before)

    def with_access_control(self, groups: str) -> None:
        """Let the index show nobody a document without access control, and resolve groups by this list."""
        self.list_of_groups.write_text(groups, encoding="utf-8")
        index = Part(self.service, {**self.connector.index.settings, "acl": True})
        self.redeploy(structs.replace(self.connector, index=index, groups=Groups(file=str(self.list_of_groups))))

    def with_kind(self, kind: str) -> None:
        """Let the source be of a kind, of the same folder."""
        if self.connector.source.kind != kind:
            self.redeploy(structs.replace(self.connector, source=Part(kind, self.connector.source.settings)))

    def groups(self) -> dict[str, frozenset[str]]:
        """Who is in which group, as the index has it once all it accepted is done."""
        self.aws.clock.sleep(120)
        engine = self.aws.emulation.engine
        with engine.request():
            rows = engine.store.all(
                "SELECT name, members FROM (SELECT *, row_number() OVER (PARTITION BY data_source, name"
                " ORDER BY ordering DESC, seq DESC) AS place FROM mappings WHERE message IS NULL)"
                " WHERE place = 1 AND members IS NOT NULL"
            )
        read = {row["name"]: json.loads(row["members"]) for row in rows}
        return {
            name: frozenset([*(one for one, _ in found["users"]), *(f"@{one}" for one, _ in found["groups"])])
            for name, found in read.items()
        }

    def known_groups(self) -> list[Known]:
        """What the state bucket says of the groups in the index. Raises StateInvalid."""
        record = known.read(self.store)
        return list(known.groups(self.store, record.value if record else None))

    def _note(self, text: str) -> None:
        self.contents[f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"] = text

    def source(self) -> dict[str, str]:
        """The documents of the source and of the inbox, with their contents."""
        files = {f"{NAME}/{file.name}": file.read_text("utf-8") for file in self.folder.glob("*.txt")}
        return self.handed_in | files

    def index(self) -> dict[str, str]:
        """The documents that the index holds once all it accepted is done, with their texts."""
        self.aws.clock.sleep(120)
        engine = self.aws.emulation.engine
        with engine.request():
            rows = engine.store.all(
                "SELECT id, body FROM documents JOIN texts ON texts.rowid = doc"
                " WHERE present = 1 AND ? IN (data_source, index_id)",
                self.data_source,
            )
        return {row["id"]: row["body"] for row in rows}

    def hidden(self) -> set[str]:
        """The documents in the index that not everybody may see."""
        engine = self.aws.emulation.engine
        with engine.request():
            rows = engine.store.all(
                "SELECT id FROM documents WHERE present = 1 AND ? IN (data_source, index_id)"
                " AND acl IS NOT NULL AND acl NOT LIKE ?",
                self.data_source,
                f'%"{EVERYBODY}"%',
            )
        return {row["id"] for row in rows}

    @staticmethod
    def unknown_execution(**_: object) -> None:
        """What Step Functions says of an execution that it does not know, or not yet."""
        raise refused("DescribeExecution", "ExecutionDoesNotExist", 400)

    @property
    def data_source(self) -> str:
        """The id of the data source that the connector writes to."""
        return str(self.wired.settings.connector.index.settings["data_source_id"])

    def lag(self, **seconds: float) -> None:
        """Let answers of the services lag from now on."""
        context = self.aws.emulation.engine.context
        structs.force_setattr(context, "settings", structs.replace(context.settings, **seconds))

    def manifest(self) -> dict[str, Document]:
        """What the manifest says that the index holds. Raises ManifestInvalid."""
        current = manifest.pointer(self.store)
        lines = manifest.documents(self.store, current.value if current else None)
        return {document.id: document for document in (msgspec.json.decode(line, type=Document) for line in lines)}

    def manifests(self) -> list[str]:
        """The keys of the streams that are, or were, the manifest."""
        both = (self.store, self.store.as_first_laid_out())
        return [key for store in both for key in store.keys(store.held("manifest/")) if not key.endswith(MANIFEST)]

    def jobs(self) -> list[str]:
        """The states of all sync jobs, newest first."""
        self.aws.clock.sleep(60)
        return [job.status for job in self.wired.index.jobs()]

    def start(self, run: str, **inputs: object) -> tuple[str, Any]:
        """Start an execution; return its ARN, and the thread that it runs in."""
        begun = self.step_functions.start_execution(
            stateMachineArn=self.deployment.state_machine, name=run, input=json.dumps(inputs)
        )
        arn: str = begun["executionArn"]
        return arn, execution(arn).exec_worker.thread

    def sync(self, run: str = "", **inputs: object) -> Ended:
        """Run an execution to its end. Raises TimeoutError when it has none."""
        run = run or str(uuid4())
        arn, thread = self.start(run, **inputs)
        thread.join(PATIENCE_SECONDS)
        if thread.is_alive():
            raise TimeoutError(f"run {run} hangs")
        return self.ended(run, arn)

    def ended(self, run: str, arn: str) -> Ended:
        """How a run ended."""
        status: str = self.step_functions.describe_execution(executionArn=arn)["status"]
        return Ended(run, arn, status, report.read(self.store, run))

    def error(self, ended: Ended) -> str:
        """Step Functions' name for what an execution failed with."""
        return str(self.step_functions.describe_execution(executionArn=ended.execution).get("error", ""))

    def executed_well(self, ended: Ended) -> bool:
        """Whether the machine could clean up itself; if not, the rule on the end of executions calls the janitor."""
        return ended.status == "SUCCEEDED" or (ended.status == "FAILED" and self.error(ended) == "RunFailed")

    def abort(self, run: str) -> None:
        """Abort the execution of a run from outside."""
        arn = self.arn(run)
        self.step_functions.stop_execution(executionArn=arn)
        # moto says so only when its threads have ended, Step Functions at once.
        execution(arn).exec_status = ExecutionStatus.ABORTED

    def arn(self, run: str) -> str:
        """The ARN of the execution of a run."""
        return f"{self.deployment.state_machine.replace(':stateMachine:', ':execution:')}:{run}"

    def tell(self, *bodies: dict[str, Any]) -> Triggered:
        """Deliver messages to the trigger, as its queue does."""
        heard = signals({"Records": [{"body": json.dumps(body)} for body in bodies]})
        return trigger(self.store, self.step_functions, self.deployment.state_machine, heard)

    def news(self, arn: str) -> dict[str, Any]:
        """Wait for the end of an execution; return the event that tells of it. Raises TimeoutError."""
        thread = execution(arn).exec_worker.thread
        thread.join(PATIENCE_SECONDS)
        if thread.is_alive():
            raise TimeoutError(f"{arn} hangs")
        status = self.ended(arn.rpartition(":")[2], arn).status
        return {"source": "aws.states", "detail": {"executionArn": arn, "status": status}}

    def janitor(self, run: Run) -> None:
        """What the rule on the end of an execution calls."""
        janitor.janitor(self.wired, janitor.Request(run.run, run.execution))

    def snapshot(self) -> Snapshot:
        """Copy everything, but for what life-cycle rules remove one day."""
        database = sqlite3.connect(":memory:", check_same_thread=False)
        self.aws.emulation.engine.store.db.backup(database)
        return Snapshot(
            self.bucket.objects.copy(),
            database,
            {file.name: file.read_text("utf-8") for file in self.folder.iterdir()},
            self.handed_in.copy(),
            executions().copy(),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Put everything back, and take every fault back."""
        self.bucket.objects = snapshot.objects.copy()
        with self.aws.emulation.engine.store.lock:
            snapshot.database.backup(self.aws.emulation.engine.store.db)
        for file in self.folder.iterdir():
            file.unlink()
        for name, text in snapshot.sources.items():
            self.write(name, text)
        self.handed_in = snapshot.handed_in.copy()
        executions()[:] = snapshot.executions
        self.clear()
        self.listener.forget()

    def clear(self) -> None:
        """Take every fault of the services back."""
        self.aws.emulation.faults.reset()
        self.lag(job_list_lag=0.0, metrics_lag=0.0, status_lag=0.0)
        calls.PACE.forget()


@contextmanager
def stage(place: str, folder: Path) -> Iterator[Stage]:
    """A stage with an empty source, at one of PLACES."""
    service = place.partition("/")[0]
    limits = structs.replace(index_class(service).limits, inline_bytes=INLINE_BYTES, group_members=GROUP_MEMBERS)
    with ExitStack() as stack:
        stack.enter_context(patch.object(files, "PAGE_LENGTH", PAGE))
        stack.enter_context(patch.object(records, "PAGE_LENGTH", PAGE))
        stack.enter_context(patch.object(sorting, "CHUNK_LINES", PAGE))
        stack.enter_context(patch.object(windows, "STEP_LINES", STEP))
        stack.enter_context(patch.object(index_class(service), "limits", limits))
        # What a request has come to is recorded at once, and the next is sent after it: so the records are among the
        # points, and the same every time.
        stack.enter_context(patch.object(progress, "RECORD_MS", 0))
        stack.enter_context(patch.object(shard, "REQUESTS_AT_ONCE", 1))
        stack.enter_context(patch.object(ExecutionWorker, "start", started))
        stack.enter_context(quiet())
        bucket = Bucket(state_bucket(NAME))
        stack.enter_context(patch("docferry_emulators.start.read_object", bucket.read))
        aws = stack.enter_context(laptop(clock=VirtualClock(), settings=Settings(undeclared_fields="declare")))
        stack.enter_context(served(bucket))
        source = folder / service
        source.mkdir()
        pieces = Pieces()
        stack.enter_context(pieces.installed())
        yield Stage(aws, bucket, place, source, pieces)


def executions() -> list[Any]:
    """What moto knows of the executions of the connector's state machine. To change the list is to change it."""
    (machine,) = stepfunctions_parser_backends[ACCOUNT][REGION].state_machines
    known: list[Any] = machine.executions
    return known


def execution(arn: str) -> Any:
    """What moto knows of an execution."""
    return next(one for one in reversed(executions()) if one.exec_arn == arn)


def started(worker: Any) -> None:
    """Start the thread of an execution, as moto does, and remember it."""
    worker.thread = threading.Thread(target=worker._execution_logic, daemon=True)
    worker.thread.start()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the log of moto's interpreter silent: here it would report every failure that is asked for."""
    logger = logging.getLogger("moto.stepfunctions.parser")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
