"""Amazon Q Business.

https://docs.aws.amazon.com/amazonq/latest/qbusiness-ug/custom-connector.html says how a custom data source is synced.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, get_args

from msgspec import Meta, Struct

from docferry.errors import ConfigurationError, ResourceNotFound
from docferry.indexes import (
    Access,
    Concurrency,
    DocumentStatus,
    Fields,
    GroupStatus,
    Hit,
    Limits,
    Reader,
    Rejection,
    SyncJob,
    Verify,
)
from docferry.indexes.calls import once, patiently, persistently
from docferry.indexes.qbusiness_wire import (
    attribute_value,
    document_status,
    error_text,
    principal,
    rejections,
    sync_job,
)
from docferry.indexes.service import FieldType, Service, Unprotected
from docferry.indexes.status_lists import StatusPage
from docferry.model import AttributeValue, Content, Date, Document, Group, Principal, S3Object
from docferry.registry import Clients

Id36 = Annotated[str, Meta(pattern="^[a-zA-Z0-9][a-zA-Z0-9-]{35}$")]

NO_GROUPS = "Q Business takes no groups with a search: it knows who is in which group from `groups` of a connector"


class QBusinessSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``index`` part of a connector that syncs into Q Business. The ids may be left out on a laptop."""

    application_id: Id36 | None = None
    index_id: Id36 | None = None
    data_source_id: Id36 | None = None
    retriever_id: Id36 | None = None
    role_arn: Annotated[str, Meta(pattern="^arn:[^:]+:iam::[0-9]{12}:role/.+$")] | None = None
    fields: dict[str, FieldType] = {}
    declare: bool = False
    verify: Verify = "auto"
    concurrency: Concurrency | None = None


class QBusiness:
    """A custom data source of a Q Business index."""

    Settings: type[Struct] = QBusinessSettings
    service = Service(
        name="qbusiness",
        ids=("application_id", "index_id", "data_source_id"),
        editions=("STARTER", "ENTERPRISE"),
        on_index={
            "put": ("BatchPutDocument",),
            "delete": ("BatchDeleteDocument",),
            "statuses": ("ListDocuments",),
            "fields": ("GetIndex",),
            "declare": ("UpdateIndex",),
        },
        on_groups={"set_group": ("PutGroup",), "remove_group": ("DeleteGroup",), "group_status": ("GetGroup",)},
        field_types={kind: kind for kind in get_args(FieldType)},
        own_groups=False,
        folds_addresses=True,
        names_groups=False,
        clients=("qbusiness",),
    )
    # https://docs.aws.amazon.com/amazonq/latest/api-reference/API_Document.html for the lengths; for the size of a
    # request nothing is documented, so Kendra's holds here too.
    limits = Limits(
        documents=10,
        inline_bytes=5_000_000,
        document_bytes=50_000_000,
        id_length=1825,
        id_controls=False,
        title_length=1024,
        attributes=50,
        attribute_name=30,
        string_length=2048,
        string_list=10,
        principals=200,
        principal_name=1024,
        statuses=100,
        statuses_by_id=False,
    )
    unprotected: Unprotected = "everybody"

    def __init__(self, *, settings: QBusinessSettings, clients: Clients, bucket: str | None = None) -> None:  # noqa: ARG002  # the service has sync jobs and groups
        self.role_arn = settings.role_arn
        self.verify = settings.verify
        self.concurrency = settings.concurrency
        self.declares = settings.declare
        ids = (settings.application_id, settings.index_id, settings.data_source_id)
        self.data_source = "/".join(map(str, ("qbusiness", *ids)))
        self._settings = settings
        self._qbusiness = clients("qbusiness")
        self._index = {"applicationId": settings.application_id, "indexId": settings.index_id}
        self._data_source = {**self._index, "dataSourceId": settings.data_source_id}

    def start(self) -> str:
        """See Index.start."""
        execution_id: str = once(self._qbusiness.start_data_source_sync_job, **self._data_source)["executionId"]
        return execution_id

    def stop(self) -> None:
        """See Index.stop."""
        patiently(self._qbusiness.stop_data_source_sync_job, **self._data_source)

    def jobs(
        self, *, status: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[SyncJob]:
        """See Index.jobs."""
        filters = {"statusFilter": status, "startTime": since, "endTime": until}
        params = {**self._data_source, "maxResults": 10, **{name: value for name, value in filters.items() if value}}
        for page in self._pages("list_data_source_sync_jobs", params):
            yield from map(sync_job, page.get("history") or [])

    def put(self, execution_id: str, documents: Sequence[tuple[Document, Content]]) -> list[Rejection]:
        """See Index.put."""
        params: dict[str, Any] = {
            **self._index,
            "dataSourceSyncId": execution_id,
            "documents": [self._document(execution_id, document, content) for document, content in documents],
        }
        if any(isinstance(content, S3Object) for _, content in documents):
            params["roleArn"] = self.role_arn
        return rejections(persistently(self._qbusiness.batch_put_document, **params))

    def delete(self, execution_id: str, ids: Sequence[str]) -> list[Rejection]:
        """See Index.delete."""
        reply = persistently(
            self._qbusiness.batch_delete_document,
            **self._index,
            dataSourceSyncId=execution_id,
            documents=[{"documentId": id_} for id_ in ids],
        )
        return [rejected for rejected in rejections(reply) if rejected.code != "ResourceNotFound"]

    def entries(self, document: Document) -> tuple[Principal, ...]:
        """See Index.entries."""
        return document.access_control

    def statuses(self, execution_id: str | None, ids: Iterable[str]) -> Iterator[DocumentStatus]:  # noqa: ARG002  # it cannot look up by id
        """See Index.statuses."""
        return (status for page in self.status_pages(None) for status in page.statuses)

    def status_pages(self, token: str | None) -> Iterator[StatusPage]:
        """See ListsStatuses.status_pages."""
        params = {**self._index, "dataSourceIds": [self._settings.data_source_id], "maxResults": 100}
        for page in self._pages("list_documents", {**params, **({"nextToken": token} if token else {})}):
            details = page.get("documentDetailList") or []
            yield StatusPage(list(map(document_status, details)), page.get("nextToken"))

    def fields(self) -> Fields:
        """See Index.fields."""
        described = patiently(self._qbusiness.get_index, **self._index)
        declared = described.get("documentAttributeConfigurations") or []
        return Fields({one["name"]: one["type"] for one in declared}, described["status"] == "ACTIVE")

    def declare(self, fields: Mapping[str, FieldType]) -> None:
        """See Index.declare."""
        added = [{"name": name, "type": kind, "search": "ENABLED"} for name, kind in fields.items()]
        patiently(self._qbusiness.update_index, **self._index, documentAttributeConfigurations=added)

    def set_group(self, group: Group, ordering: int, members: S3Object | None = None) -> None:  # noqa: ARG002  # PutGroup has no ordering: the last put counts
        """See Index.set_group. https://docs.aws.amazon.com/amazonq/latest/api-reference/API_PutGroup.html."""
        wire: dict[str, Any] = {}
        # Access control names principals of the whole index, and so the groups are the index's too.
        params = {**self._index, "groupName": group.id, "type": "INDEX", "groupMembers": wire}
        if members is not None:
            wire["s3PathForGroupMembers"] = {"bucket": members.bucket, "key": members.key}
            params["roleArn"] = self.role_arn
        elif group.groups:
            wire["memberGroups"] = [{"groupName": name, "type": "INDEX"} for name in group.groups]
        if members is None and group.users:
            wire["memberUsers"] = [{"userId": name, "type": "INDEX"} for name in group.users]
        patiently(self._qbusiness.put_group, **params)

    def remove_group(self, name: str, ordering: int) -> None:  # noqa: ARG002  # as above
        """See Index.remove_group."""
        with suppress(ResourceNotFound):
            patiently(self._qbusiness.delete_group, **self._index, groupName=name)

    def group_status(self, name: str, ordering: int) -> GroupStatus:  # noqa: ARG002  # as above
        """See Index.group_status."""
        try:
            reply = patiently(self._qbusiness.get_group, **self._index, groupName=name)
        except ResourceNotFound:
            return GroupStatus("NOT_FOUND")
        status = reply.get("status") or {}
        return GroupStatus(status.get("status", "NOT_FOUND"), error_text(status.get("errorDetail")))

    def search(self, words: str, limit: int, reader: Reader | None = None) -> list[Hit]:
        """See Index.search. Needs the credentials of a person: SearchRelevantContent searches as its caller.

        For another reader each result is asked about with CheckDocumentAccess, so that only those are found that both
        may see.
        """
        if reader is not None and reader.groups:
            raise ConfigurationError(NO_GROUPS)
        retriever = {"retrieverId": self._settings.retriever_id or self._retriever()}
        application = {"applicationId": self._settings.application_id, "contentSource": {"retriever": retriever}}
        params = {**application, "queryText": words, "maxResults": min(limit, 100)}
        items = (
            item
            for page in self._pages("search_relevant_content", params)
            for item in page.get("relevantContent") or []
            if reader is None or self._access(reader.user, item["documentId"]).allowed
        )
        return [
            Hit(
                document_id=item["documentId"],
                title=item.get("documentTitle") or item["documentId"],
                excerpt=item.get("content", ""),
                uri=item.get("documentUri", ""),
            )
            for item in islice(items, limit)
        ]

    def _retriever(self) -> str:
        """The retriever of the application that searches this index. Raises ConfigurationError when there is none."""
        application = {"applicationId": self._settings.application_id}
        for page in self._pages("list_retrievers", application):
            for one in page["retrievers"]:
                found = patiently(self._qbusiness.get_retriever, **application, retrieverId=one["retrieverId"])
                searched = found.get("configuration", {}).get("nativeIndexConfiguration", {}).get("indexId")
                if searched == self._settings.index_id and found["status"] == "ACTIVE":
                    return str(one["retrieverId"])
        raise ConfigurationError(
            f"application {self._settings.application_id} has no retriever for index {self._settings.index_id}, "
            "through which it is searched: create one, or name it with index.retriever_id"
        )

    def access(self, document: Document, reader: Reader) -> Access:
        """See Index.access. CheckDocumentAccess knows the aliases of a user, too."""
        if reader.groups:
            raise ConfigurationError(NO_GROUPS)
        return self._access(reader.user, document.id)

    def _access(self, user: str, id_: str) -> Access:
        """Whether a user may see a document. It may have been deleted since it was found."""
        try:
            reply = patiently(self._qbusiness.check_document_access, **self._index, userId=user, documentId=id_)
        except ResourceNotFound:
            return Access(allowed=None, reason="the index does not hold it")
        groups = tuple(group["name"] for group in reply.get("userGroups") or [] if "name" in group)
        return Access(reply.get("hasAccess", False), groups)

    def _pages(self, operation: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        # Not boto3's paginator: a throttled page must be tried again without starting the list anew.
        method = getattr(self._qbusiness, operation)
        while True:
            page: dict[str, Any] = patiently(method, **params)
            yield page
            if not page.get("nextToken"):
                return
            params = {**params, "nextToken": page["nextToken"]}

    def _document(self, execution_id: str, document: Document, content: Content) -> dict[str, Any]:
        # The guide asks for the two attributes, the API model for dataSourceSyncId: sending both meets both.
        attributes: dict[str, AttributeValue] = {
            **({"_last_updated_at": Date(document.updated_at)} if document.updated_at else {}),
            **document.attributes,
            "_data_source_id": str(self._settings.data_source_id),
            "_data_source_sync_job_execution_id": execution_id,
        }
        wire: dict[str, Any] = {
            "id": document.id,
            "contentType": document.content_type,
            "attributes": [{"name": name, "value": attribute_value(value)} for name, value in attributes.items()],
        }
        if document.title:
            wire["title"] = document.title
        if document.access_control:
            # The defaults of the relations and of the membership are documented nowhere, so each is said.
            wire["accessConfiguration"] = {
                "accessControls": [
                    {"principals": list(map(principal, document.access_control)), "memberRelation": "OR"}
                ],
                "memberRelation": "AND",
            }
        on_s3 = {"bucket": content.bucket, "key": content.key} if isinstance(content, S3Object) else None
        return {**wire, "content": {"s3": on_s3} if on_s3 else {"blob": content}}
