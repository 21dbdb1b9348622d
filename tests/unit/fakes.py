"""Documents, and an index in memory, for the tests of what works with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from botocore.exceptions import ClientError
from hypothesis import strategies as st
from msgspec import Struct, structs

from docferry.connector import Connector, Part
from docferry.errors import Conflict, DocferryError, RequestRefused
from docferry.indexes import (
    Access,
    DocumentStatus,
    Fields,
    GroupStatus,
    Hit,
    JobStatus,
    Limits,
    Metrics,
    Reader,
    Rejection,
    SyncJob,
    Verify,
    service,
)
from docferry.indexes.service import FieldType, Unprotected
from docferry.indexes.status_lists import StatusPage
from docferry.model import Content, Document, Group, Outcome, Principal, S3Object
from docferry.registry import Clients
from docferry.runtime.settings import Settings
from docferry.runtime.wiring import Wired
from docferry.state import manifest
from docferry.state.store import Store
from docferry.state.stream import Written

if TYPE_CHECKING:
    from docferry.sources import Source

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

LIMITS = Limits(
    documents=10,
    inline_bytes=5_000_000,
    document_bytes=50_000_000,
    id_length=100,
    id_controls=False,
    title_length=50,
    attributes=8,
    attribute_name=30,
    string_length=20,
    string_list=3,
    principals=2,
    principal_name=10,
    statuses=10,
)


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
"""Ids of every kind of character: the order of streams is that of their code points."""


def document(id_: str, version: str = "v1", **changes: Any) -> Document:
    """A document. Only the id has to be said."""
    base = Document(id=id_, version=version, size=10, locator=f"/{id_}", content_type="PLAIN_TEXT", title=id_)
    return structs.replace(base, **changes)


def job(execution_id: str, status: JobStatus, **metrics: int) -> SyncJob:
    """A sync job as the index tells of it."""
    return SyncJob(execution_id, status, NOON, None, Metrics(**metrics))


class FakeIndex:
    """One data source in memory. Its knobs are attributes; ``calls`` has every call that changes something."""

    Settings: type[Struct] = Struct
    service = service("kendra")
    limits: Limits = LIMITS
    role_arn: str | None = None
    verify: Verify = "metrics"
    concurrency: int | None = None
    declares = False
    data_source = "fake/index/source"
    unprotected: Unprotected = "everybody"

    def __init__(self, *, settings: Any = None, clients: Clients | None = None, bucket: str | None = None) -> None:
        del settings, clients, bucket
        self.calls: list[str] = []
        self.history: list[SyncJob] = []
        """The jobs, newest first."""
        self.known: dict[str, DocumentStatus] = {}
        self.forgotten_pages: set[str] = set()
        """Pages of the list of statuses that the service does not know any more."""
        self.asked: list[str | None] = []
        """The execution id of each question for statuses."""
        self.start_error: DocferryError | None = None
        self.opens_nevertheless = False
        """A start that raises has opened a job all the same: its reply was lost."""
        self.stop_error: DocferryError | None = None
        self.stops_nevertheless = False
        self.groups: dict[str, tuple[Group | None, int]] = {}
        """Who is in each group, and the ordering of the last call; None for a group that was deleted."""
        self.group_errors: dict[str, DocferryError] = {}
        """What a put or delete of these groups raises."""
        self.group_states: dict[str, GroupStatus] = {}
        """What the index says of these groups, whatever it holds."""
        self.declared: dict[str, FieldType] = {}
        self.unlisted = 0
        """How many of the newest jobs the list does not show yet."""
        self.lag_after_start = False
        """Whether the list does not show a job that is opened from now on."""

    def start(self) -> str:
        """See Index.start."""
        self.calls.append("start")
        if self.history and self.history[0].status == "SYNCING":
            raise Conflict("a sync job is open")
        if self.start_error is None or self.opens_nevertheless:
            self.open(f"execution-{len(self.history) + 1}")
            self.unlisted += self.lag_after_start
        if self.start_error is not None:
            raise self.start_error
        return self.history[0].execution_id

    def open(self, execution_id: str, status: JobStatus = "SYNCING") -> None:
        """Let there be a job, whoever has opened it."""
        self.history.insert(0, job(execution_id, status))

    def stop(self) -> None:
        """See Index.stop."""
        self.calls.append("stop")
        if self.stop_error is None or self.stops_nevertheless:
            self.end("STOPPING")
        if self.stop_error is not None:
            raise self.stop_error

    def end(self, status: JobStatus) -> None:
        """Let the newest job have this status."""
        self.history[0] = structs.replace(self.history[0], status=status)

    def jobs(
        self, *, status: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[SyncJob]:
        """See Index.jobs."""
        del status, since, until
        return iter(list(self.history)[self.unlisted :])

    def put(self, execution_id: str, documents: Sequence[tuple[Document, Content]]) -> list[Rejection]:
        """See Index.put."""
        raise NotImplementedError

    def delete(self, execution_id: str, ids: Sequence[str]) -> list[Rejection]:
        """See Index.delete."""
        raise NotImplementedError

    def entries(self, document: Document) -> tuple[Principal, ...]:
        """See Index.entries."""
        return document.access_control

    def statuses(self, execution_id: str | None, ids: Iterable[str]) -> Iterator[DocumentStatus]:
        """See Index.statuses. Like Q Business, it gives all it has, in no order."""
        self.asked.append(execution_id)
        list(ids)
        return iter(reversed(self.known.values()))

    def status_pages(self, token: str | None) -> Iterator[StatusPage]:
        """See ListsStatuses.status_pages. Two are on a page."""
        self.asked.append(token)
        if token in self.forgotten_pages:
            raise RequestRefused(f"there is no page {token}")
        said = [*reversed(self.known.values())]
        for start in range(int(token or 0), len(said), 2):
            yield StatusPage(said[start : start + 2], str(start + 2) if start + 2 < len(said) else None)

    def fields(self) -> Fields:
        """See Index.fields."""
        self.calls.append("fields")
        return Fields(self.declared.copy())

    def declare(self, fields: Mapping[str, FieldType]) -> None:
        """See Index.declare."""
        self.calls.append("declare")
        self.declared.update(fields)

    def set_group(self, group: Group, ordering: int, members: S3Object | None = None) -> None:
        """See Index.set_group."""
        del members
        self._group(group.id, group, ordering)

    def remove_group(self, name: str, ordering: int) -> None:
        """See Index.remove_group."""
        self._group(name, None, ordering)

    def _group(self, name: str, group: Group | None, ordering: int) -> None:
        self.calls.append(f"{'put' if group else 'delete'} group {name}")
        if name in self.group_errors:
            raise self.group_errors[name]
        if ordering >= self.groups.get(name, (None, 0))[1]:
            self.groups[name] = (group, ordering)

    def group_status(self, name: str, ordering: int) -> GroupStatus:
        """See Index.group_status."""
        if name in self.group_states:
            return self.group_states[name]
        found, last = self.groups.get(name, (None, 0))
        return GroupStatus("NOT_FOUND" if last != ordering else "SUCCEEDED" if found else "DELETED")

    def search(self, words: str, limit: int, reader: Reader | None = None) -> list[Hit]:
        """See Index.search."""
        raise NotImplementedError

    def access(self, document: Document, reader: Reader) -> Access:
        """See Index.access."""
        raise NotImplementedError

    def says(self, *statuses: DocumentStatus) -> None:
        """Set what the index says of documents; of others it says nothing."""
        self.known = {status.id: status for status in statuses}


class FakeStepFunctions:
    """Step Functions, as far as the lease asks it."""

    def __init__(self, **statuses: str) -> None:
        self.statuses = statuses
        self.error = "ExecutionDoesNotExist"

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803  # boto3's name
        """Give the status of an execution."""
        if executionArn not in self.statuses:
            described: Any = {"Error": {"Code": self.error, "Message": executionArn}}
            raise ClientError(described, "DescribeExecution")
        return {"status": self.statuses[executionArn]}


def wired(store: Store, index: FakeIndex) -> Wired:
    """What a state works with that opens no document."""
    connector = Connector("handbook", Part("files"), Part("kendra"))
    return Wired(Settings(store.bucket, connector), store, cast("Source", None), index, FakeStepFunctions())


STORES = "state-"
"""What the names of state buckets begin with."""


def new_store(s3: Any) -> Store:
    """Create a bucket, and the store that keeps its state in it."""
    bucket = f"{STORES}{uuid4()}"
    s3.create_bucket(Bucket=bucket)
    return Store(bucket, s3, FakeIndex.data_source)


def write_manifest(store: Store, name: str, outcomes: Iterable[Outcome], old: Iterable[bytes] = ()) -> Written:
    """Write the ``old`` manifest with what was done, sorted by id; it is the one once the pointer moves to it."""
    writer = store.part_writer(manifest.prefix(store, name))
    for line in manifest.after(old, outcomes):
        writer.add_line(line)
    writer.end_part()
    return manifest.write_list(store, name, writer.parts)
