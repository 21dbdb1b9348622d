"""Indexes: the services documents go to. One module a service; it does wire mapping and nothing else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, get_args

from msgspec import Meta, Struct

from docferry.indexes.service import FieldType, Service, Unprotected
from docferry.model import Content, ContentType, Document, Group, Principal, S3Object
from docferry.registry import Clients, load

KINDS = {
    "bedrock": "docferry.indexes.bedrock.index:Bedrock",
    "kendra": "docferry.indexes.kendra:Kendra",
    "qbusiness": "docferry.indexes.qbusiness:QBusiness",
}

Indexed = Literal["INDEXED", "PROCESSING", "FAILED", "UPDATE_FAILED", "NOT_FOUND"]
"""What an index says of a document. UPDATE_FAILED: it holds an older version; FAILED: it may, or may hold none."""

JobStatus = Literal["SYNCING", "STOPPING", "SYNCING_INDEXING", "SUCCEEDED", "FAILED", "INCOMPLETE", "ABORTED"]
ENDED: frozenset[str] = frozenset({"SUCCEEDED", "FAILED", "INCOMPLETE", "ABORTED"})


Verify = Literal["auto", "all", "metrics"]
"""When a run asks for the status of each document that the index accepted.

``auto``: when the job counted failures, and when the run is so small that it costs little. ``all``: always, and a
document counts only when it is seen as indexed. ``metrics``: only when the job counted failures.
"""


Concurrency = Annotated[int, Meta(ge=1, le=100)]
"""Workers that send at a time: Lambda runs 1,000 functions of an account at a time, if it has not asked for more."""


class Limits(Struct, frozen=True):
    """What a service takes, as data. Sizes are in bytes, lengths in characters.

    ``id_controls`` says whether a document id may hold characters of Unicode's category C, such as a line break.
    ``statuses`` are the documents of one call for statuses; ``statuses_by_id`` says that only those asked for are told,
    and not all of the data source. Where such a service can list all of it, too, a page has ``list_page`` documents.
    ``group_members`` are the members of a group that fit into a request; more go by S3, where ``group_groups`` of them
    may be groups. ``content_types`` are those that are taken.
    """

    documents: int
    inline_bytes: int
    document_bytes: int
    id_length: int
    id_controls: bool
    title_length: int
    attributes: int
    attribute_name: int
    string_length: int
    string_list: int
    principals: int
    principal_name: int
    statuses: int
    statuses_by_id: bool = True
    list_page: int = 0
    group_name: int = 1024
    group_members: int = 1000
    group_groups: int = 1000
    content_types: frozenset[ContentType] = frozenset(get_args(ContentType))


class Metrics(Struct, frozen=True):
    """What a sync job did so far, counted once per document."""

    added: int = 0
    modified: int = 0
    deleted: int = 0
    failed: int = 0


class SyncJob(Struct, frozen=True):
    """One entry of ListDataSourceSyncJobs, in Docferry's own terms."""

    execution_id: str
    status: JobStatus
    started_at: datetime
    ended_at: datetime | None
    metrics: Metrics
    error: str = ""


class Rejection(Struct, frozen=True):
    """A document that the service did not accept (FailedDocuments / failedDocuments)."""

    id: str
    code: str
    message: str


class DocumentStatus(Struct, frozen=True):
    """What the service says of a document that it accepted.

    ``updated_at`` is when that became so. None: the service does not say, and tells only what a job has put.
    """

    id: str
    status: Indexed
    message: str = ""
    updated_at: datetime | None = None


class GroupStatus(Struct, frozen=True):
    """How far the service has come with the last put or delete of a group. ``message`` says why one has FAILED."""

    status: Literal["PROCESSING", "SUCCEEDED", "FAILED", "DELETING", "DELETED", "NOT_FOUND"]
    message: str = ""


class Fields(Struct, frozen=True):
    """The fields of an index, by name, and whether the index is ready for documents.

    ``open``: the index takes attributes without a declaration.
    """

    types: dict[str, FieldType]
    ready: bool = True
    open: bool = False


class Reader(Struct, frozen=True):
    """Who searches: a user, and groups that the user is said to be in beside those that the index knows."""

    user: str
    groups: tuple[str, ...] = ()


class Access(Struct, frozen=True):
    """What an index itself says of a reader and a document. ``groups`` are those that it knows the reader in.

    ``allowed`` None: it cannot tell, and ``reason`` says why.
    """

    allowed: bool | None
    groups: tuple[str, ...] = ()
    reason: str = ""


class Hit(Struct, frozen=True):
    """One search result."""

    document_id: str
    title: str
    excerpt: str
    uri: str


class Index(Protocol):
    """A data source of an index. ``Settings`` is the struct its part of connectors.yaml is read into.

    Settings on which it depends who sees a document without access control say so themselves, in ``unprotected``.

    Every method raises Throttled or ServiceUnavailable when trying again may help, and a FatalError when not.
    """

    Settings: type[Struct]
    service: Service
    limits: Limits
    role_arn: str | None
    """The role that the service reads content on S3 with. Without it all content goes inline."""
    verify: Verify
    concurrency: int | None
    """How many workers of a run send to the index at a time. None: it depends on the size of the change set."""
    declares: bool
    """Whether a run declares the fields that the index lacks."""
    data_source: str
    """Kind and ids as a path: under it the state bucket keeps what this data source holds."""
    unprotected: Unprotected
    """Who sees a document without access control."""

    def __init__(self, *, settings: Any, clients: Clients, bucket: str | None = None) -> None:
        """``bucket`` is the state bucket. An index whose service has no sync jobs, or no groups, keeps them there."""
        ...

    def start(self) -> str:
        """Open a sync job and return its execution id. Raises Conflict while another job has not ended.

        Not tried again here: a start whose reply was lost may have opened a job.
        """
        ...

    def stop(self) -> None:
        """Stop the data source's open sync job, no matter who started it. That is a job's normal end, not a cancel.

        Kendra says nothing when no job is open; Q Business raises Conflict.
        """
        ...

    def jobs(
        self, *, status: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[SyncJob]:
        """The sync jobs of the data source, newest first."""
        ...

    def put(self, execution_id: str, documents: Sequence[tuple[Document, Content]]) -> list[Rejection]:
        """Add or replace at most ``limits.documents`` documents; the rest of ``limits`` is the caller's to keep."""
        ...

    def delete(self, execution_id: str, ids: Sequence[str]) -> list[Rejection]:
        """Delete at most ``limits.documents`` documents.

        Whether an id that the index does not hold is a rejection differs by service and is documented for neither:
        a rejected id may well be gone. Its status tells.
        """
        ...

    def entries(self, document: Document) -> tuple[Principal, ...]:
        """The access control of a document as the service gets it."""
        ...

    def statuses(self, execution_id: str | None, ids: Iterable[str]) -> Iterator[DocumentStatus]:
        """The status of the documents, in any order. Others may be among them. One left out is not in the index.

        ``execution_id`` names the sync job that put them, or is None when that does not matter.
        """
        ...

    def fields(self) -> Fields:
        """The fields of the index, those that the service reserves among them."""
        ...

    def declare(self, fields: Mapping[str, FieldType]) -> None:
        """Add fields to the index. It may not be ready for documents for a while."""
        ...

    def set_group(self, group: Group, ordering: int, members: S3Object | None = None) -> None:
        """Say who the members of a group are now, and that there are no others.

        ``members`` is where they are listed, one JSON object a line, when they are more than a request takes. Of two
        calls the one with the higher ``ordering`` counts, if the service has such a thing. Raises RequestRefused or
        QuotaExceeded when the service does not take this group.
        """
        ...

    def remove_group(self, name: str, ordering: int) -> None:
        """Delete a group. One that is not there is no error."""
        ...

    def group_status(self, name: str, ordering: int) -> GroupStatus:
        """How far the service has come with the put or delete that had this ``ordering``."""
        ...

    def search(self, words: str, limit: int, reader: Reader | None = None) -> list[Hit]:
        """What somebody finds; without a reader, everything that the caller may see.

        Raises ConfigurationError when the service cannot search for such a reader.
        """
        ...

    def access(self, document: Document, reader: Reader) -> Access:
        """Ask the index itself whether a reader may see a document that it holds.

        Raises ConfigurationError when the service cannot be asked for such a reader.
        """
        ...


def service(kind: str) -> Service:
    """The service of a kind of index. Raises ConfigurationError for a kind that does not exist."""
    return index_class(kind).service


def index_class(kind: str) -> type[Index]:
    """The class of a kind of index. Raises ConfigurationError for a kind that does not exist."""
    loaded: type[Index] = load(KINDS, "index", kind)
    return loaded
