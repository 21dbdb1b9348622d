"""Amazon Bedrock Knowledge Bases.

https://docs.aws.amazon.com/bedrock/latest/userguide/kb-managed-ds-custom.html: a custom data source has no sync jobs.
Documents are ingested and deleted one by one, asynchronously, so the adapter keeps jobs of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from msgspec import Struct, structs

from docferry.errors import ConfigurationError, RequestRefused, ServiceUnavailable, Throttled
from docferry.indexes import (
    ENDED,
    Access,
    DocumentStatus,
    Fields,
    GroupStatus,
    Hit,
    Limits,
    Reader,
    Rejection,
    SyncJob,
)
from docferry.indexes.bedrock.reading import NO_GROUPS, NOT_HELD, Reading
from docferry.indexes.bedrock.settings import BedrockSettings
from docferry.indexes.bedrock.source import check
from docferry.indexes.bedrock.wire import (
    MIME_TYPES,
    document_status,
    document_to_wire,
    identifiers,
    rejections,
    time_of,
    token,
)
from docferry.indexes.calls import patiently, persistently
from docferry.indexes.own_jobs import JobKeeper, Look
from docferry.indexes.service import FieldType, Service, Unprotected
from docferry.indexes.status_lists import StatusPage
from docferry.model import Content, Document, Group, Principal, S3Object
from docferry.registry import Clients
from docferry.state.chunks import chunks
from docferry.state.keys import members_key
from docferry.state.store import Store

PAGE = 1_000
PAGES = 200
"""Pages of one look at a job: at a quarter of a second each, half of PollSync's time."""

TOO_LATE = "a run that was over has changed it"


class Bedrock:
    """A custom data source of a knowledge base, managed or with a vector store."""

    Settings: type[Struct] = BedrockSettings
    service = Service(
        name="bedrock",
        ids=("knowledge_base_id", "data_source_id"),
        editions=(),
        on_index={
            "put": ("IngestKnowledgeBaseDocuments",),
            "delete": ("DeleteKnowledgeBaseDocuments",),
            "statuses": ("GetKnowledgeBaseDocuments", "ListKnowledgeBaseDocuments"),
        },
        on_groups={},
        field_types={},
        own_groups=True,
        folds_addresses=False,
        names_groups=False,
        clients=("bedrock-agent", "bedrock-agent-runtime"),
        on_jobs={
            "start": ("GetDataSource",),
            "stop": (),
            "jobs": ("ListKnowledgeBaseDocuments",),
        },
        has_jobs=False,
        takes_role=False,
        counts=frozenset({"failed"}),
    )
    # A request has 6 MB at most, in which content is base64: 4 MB become 5.4. Of a document 50 MB are taken from S3.
    # https://docs.aws.amazon.com/general/latest/gr/bedrock.html. How many entries an access control list may have is
    # documented nowhere; GetIngestedDocumentAcl tells 3,000.
    limits: Limits = Limits(
        documents=10,
        inline_bytes=4_000_000,
        document_bytes=50_000_000,
        id_length=1825,
        id_controls=False,
        title_length=2048,
        attributes=50,
        attribute_name=100,
        string_length=2048,
        string_list=10,
        principals=3_000,
        principal_name=256,
        statuses=10,
        list_page=PAGE,
        content_types=frozenset(MIME_TYPES),
    )
    declares = False

    def __init__(self, *, settings: BedrockSettings, clients: Clients, bucket: str | None = None) -> None:
        self.role_arn = settings.role_arn
        self.verify = settings.verify
        self.concurrency = settings.concurrency
        self.data_source = f"bedrock/{settings.knowledge_base_id}/{settings.data_source_id}"
        self.unprotected: Unprotected = settings.unprotected
        self.limits = self.limits if settings.acl else structs.replace(self.limits, principals=0)
        self._settings = settings
        self._base = {"knowledgeBaseId": settings.knowledge_base_id}
        self._source = {**self._base, "dataSourceId": settings.data_source_id}
        self._agent = clients("bedrock-agent")
        self._clients = clients
        self._store = Store(bucket, clients("s3"), self.data_source) if bucket is not None else None
        self._jobs = JobKeeper(self._store, self._look)
        self._members = lru_cache(maxsize=1_000)(self._read_members)

    def start(self) -> str:
        """See Index.start. Raises ConfigurationError for a data source that is not as the settings say.

        Access control that a data source does not have would not be heeded, and every document be shown to everybody.
        """
        try:
            reply = patiently(self._agent.get_data_source, **self._source)
        except ServiceUnavailable as error:
            raise Throttled(str(error)) from error  # nothing was opened, so nothing has to be looked for
        check(reply["dataSource"], acl=self._settings.acl)
        return self._jobs.start(time_of(reply))

    def stop(self) -> None:
        """See Index.stop. Raises Conflict when no job is open."""
        self._jobs.stop()

    def jobs(
        self, *, status: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[SyncJob]:
        """See Index.jobs. Where no job is open, asks whether the data source is still there: our record cannot tell."""
        found = list(self._jobs.jobs())
        if not found or found[0].status in ENDED:
            patiently(self._agent.list_knowledge_base_documents, **self._source, maxResults=1)
        for job in found:
            in_time = (since is None or job.started_at >= since) and (until is None or job.started_at <= until)
            if in_time and status in {None, job.status}:
                yield job

    def _look(self, began: datetime, start: str | None, failed: int) -> Look:
        """Look whether documents that have changed since a job began are under way. Ends at the first that is."""
        cursor = start
        try:
            for number, page in enumerate(self._pages(start), 1):
                found = [one for one in map(document_status, page.get("documentDetails") or []) if _is_of(one, began)]
                if any(one.status == "PROCESSING" for one in found):
                    return Look(at=time_of(page), done=False, cursor=cursor, failed=failed)
                failed += sum(one.status in {"FAILED", "UPDATE_FAILED"} for one in found)
                cursor = page.get("nextToken")
                if cursor is None or number == PAGES:
                    break
        except RequestRefused:
            if start is None:
                raise
            return self._look(began, None, 0)  # the cursor has grown too old
        return Look(at=time_of(page), done=cursor is None, cursor=cursor, failed=failed)

    def put(self, execution_id: str, documents: Sequence[tuple[Document, Content]]) -> list[Rejection]:
        """See Index.put."""
        if any(isinstance(content, S3Object) for _, content in documents) and self.role_arn is None:
            raise RequestRefused(
                "content on S3 is read with the knowledge base's role: give the connector index.role_arn"
            )
        if not self._jobs.takes(execution_id):
            return _late(execution_id, (document.id for document, _ in documents))
        wire = [document_to_wire(document, self.entries(document), content) for document, content in documents]
        ingest = self._agent.ingest_knowledge_base_documents
        reply = persistently(ingest, **self._source, documents=wire, clientToken=token(execution_id, wire))
        self._jobs.note(execution_id, (document.id for document, _ in documents))
        return rejections(reply)

    def delete(self, execution_id: str, ids: Sequence[str]) -> list[Rejection]:
        """See Index.delete."""
        if not self._jobs.takes(execution_id):
            return _late(execution_id, ids)
        wire = identifiers(ids)
        delete = self._agent.delete_knowledge_base_documents
        params = {"documentIdentifiers": wire, "clientToken": token(execution_id, ("delete", *ids))}
        reply = persistently(delete, **self._source, **params)
        self._jobs.note(execution_id, ids)
        return rejections(reply)

    def entries(self, document: Document) -> tuple[Principal, ...]:
        """See Index.entries. Raises RequestRefused for access control that this data source cannot have."""
        if not document.access_control:
            return ()
        if self.unprotected == "all":
            raise RequestRefused("has access control, and the data source has none: everybody would see it")
        return self._members(document.members) if document.members else _users_alone(document.access_control)

    def _read_members(self, digest: str) -> tuple[Principal, ...]:
        kept = self._store and self._store.read(members_key(digest), tuple[Principal, ...])
        if not kept:
            raise RequestRefused("the members of its groups are not known any more; the next sync reads them again")
        return kept.value

    def statuses(self, execution_id: str | None, ids: Iterable[str]) -> Iterator[DocumentStatus]:  # noqa: ARG002  # documents know no job
        """See Index.statuses."""
        return (status for page in self._told(self._asked(ids)) for status in page.statuses)

    def status_pages(self, token: str | None) -> Iterator[StatusPage]:
        """See ListsStatuses.status_pages."""
        return self._told(self._pages(token))

    def _told(self, pages: Iterable[dict[str, Any]]) -> Iterator[StatusPage]:
        """What pages say of documents, and at last which were changed too late: the index may hold another version.

        Not FAILED, which says of a new document that the index does not hold it: nothing would delete it when it goes.
        """
        late = self._jobs.late() if self._store is not None else frozenset()
        for page in pages:
            statuses = map(document_status, page.get("documentDetails") or [])
            yield StatusPage([one for one in statuses if one.id not in late], page.get("nextToken"))
        yield StatusPage([DocumentStatus(id_, "UPDATE_FAILED", TOO_LATE) for id_ in sorted(late)], None)

    def _asked(self, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        for chunk in chunks(ids, self.limits.statuses):
            params = {**self._source, "documentIdentifiers": identifiers(chunk)}
            yield patiently(self._agent.get_knowledge_base_documents, **params)

    def _pages(self, cursor: str | None) -> Iterator[dict[str, Any]]:
        """Pages of the documents of the data source, from a cursor on."""
        params: dict[str, Any] = {**self._source, "maxResults": PAGE}
        while True:
            more = {"nextToken": cursor} if cursor is not None else {}
            page: dict[str, Any] = patiently(self._agent.list_knowledge_base_documents, **params, **more)
            yield page
            cursor = page.get("nextToken")
            if cursor is None:
                return

    def fields(self) -> Fields:
        """See Index.fields. Every attribute is taken as it comes."""
        return Fields({}, open=True)

    def declare(self, fields: Mapping[str, FieldType]) -> None:
        """See Index.declare. There is nothing to declare."""

    def set_group(self, group: Group, ordering: int, members: S3Object | None = None) -> None:  # noqa: ARG002  # there are none
        """See Index.set_group. Raises RequestRefused."""
        raise RequestRefused(NO_GROUPS)

    def remove_group(self, name: str, ordering: int) -> None:
        """See Index.remove_group. No group is ever there."""

    def group_status(self, name: str, ordering: int) -> GroupStatus:  # noqa: ARG002  # no group is ever there
        """See Index.group_status."""
        return GroupStatus("NOT_FOUND")

    def search(self, words: str, limit: int, reader: Reader | None = None) -> list[Hit]:
        """See Index.search. Where documents have readers, Retrieve finds nothing without one."""
        if reader is None and self.unprotected == "nobody":
            raise ConfigurationError("the index shows documents to their readers alone: say who searches, with --user")
        return self._reading.search(words, limit, reader)

    def access(self, document: Document, reader: Reader) -> Access:
        """See Index.access. Without access control, everybody sees what the data source holds."""
        if self.unprotected != "all":
            return self._reading.access(document, reader)
        held = any(one.status == "INDEXED" for one in self.statuses(None, [document.id]))
        return Access(allowed=True) if held else NOT_HELD

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self._agent, self._clients("bedrock-agent-runtime"), self._source)


def _is_of(status: DocumentStatus, began: datetime) -> bool:
    """Whether a document has changed since a job began. A service that does not say when may mean this one."""
    return status.updated_at is None or status.updated_at >= began.replace(microsecond=0)


def _late(execution_id: str, ids: Iterable[str]) -> list[Rejection]:
    return [Rejection(id_, "", f"sync job {execution_id} takes no more documents") for id_ in ids]


def _users_alone(access_control: tuple[Principal, ...]) -> tuple[Principal, ...]:
    for one in access_control:
        if one.type == "GROUP":
            raise RequestRefused(f"access control names the group {one.name!r}, whose members are not known")
    return access_control
