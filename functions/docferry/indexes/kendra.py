"""Amazon Kendra.

https://docs.aws.amazon.com/kendra/latest/dg/data-source-custom.html says how a custom data source is synced.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from msgspec import Meta, Struct

from docferry.errors import ResourceNotFound
from docferry.indexes import (
    Access,
    Concurrency,
    DocumentStatus,
    Fields,
    GroupStatus,
    Hit,
    Indexed,
    Limits,
    Reader,
    Rejection,
    SyncJob,
    Verify,
)
from docferry.indexes.calls import once, patiently, persistently
from docferry.indexes.kendra_access import found_by, user_context
from docferry.indexes.kendra_wire import attribute_value, rejections, sync_job
from docferry.indexes.service import FieldType, Service, Unprotected
from docferry.model import AttributeValue, Content, Date, Document, Group, Principal, S3Object
from docferry.registry import Clients
from docferry.state.chunks import chunks

STATUSES: dict[str, Indexed] = {
    "NOT_FOUND": "NOT_FOUND",
    "PROCESSING": "PROCESSING",
    "INDEXED": "INDEXED",
    "UPDATED": "INDEXED",
    "FAILED": "FAILED",
    "UPDATE_FAILED": "UPDATE_FAILED",
}


class KendraSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``index`` part of a connector that syncs into Kendra. The ids may be left out on a laptop."""

    index_id: Annotated[str, Meta(pattern="^[a-zA-Z0-9][a-zA-Z0-9-]{35}$")] | None = None
    data_source_id: Annotated[str, Meta(pattern="^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$")] | None = None
    role_arn: Annotated[str, Meta(pattern="^arn:[^:]+:iam::[0-9]{12}:role/.+$")] | None = None
    fields: dict[str, FieldType] = {}
    declare: bool = False
    verify: Verify = "auto"
    concurrency: Concurrency | None = None


class Kendra:
    """A custom data source of a Kendra index."""

    Settings: type[Struct] = KendraSettings
    service = Service(
        name="kendra",
        ids=("index_id", "data_source_id"),
        editions=("DEVELOPER_EDITION", "ENTERPRISE_EDITION", "GEN_AI_ENTERPRISE_EDITION"),
        on_index={
            "put": ("BatchPutDocument",),
            "delete": ("BatchDeleteDocument",),
            "statuses": ("BatchGetDocumentStatus",),
            "fields": ("DescribeIndex",),
            "declare": ("UpdateIndex",),
        },
        on_groups={
            "set_group": ("PutPrincipalMapping",),
            "remove_group": ("DeletePrincipalMapping",),
            "group_status": ("DescribePrincipalMapping",),
        },
        field_types={
            "STRING": "STRING_VALUE",
            "STRING_LIST": "STRING_LIST_VALUE",
            "NUMBER": "LONG_VALUE",
            "DATE": "DATE_VALUE",
        },
        own_groups=True,
        folds_addresses=False,
        names_groups=True,
        clients=("kendra",),
    )
    # https://docs.aws.amazon.com/kendra/latest/dg/quotas.html: 5 MB inline, 50 MB from S3, 10 strings in a list.
    # 200 access control entries: https://docs.aws.amazon.com/kendra/latest/dg/user-context-filter.html
    limits = Limits(
        documents=10,
        inline_bytes=5_000_000,
        document_bytes=50_000_000,
        id_length=2048,
        id_controls=True,
        title_length=2048,
        attributes=500,
        attribute_name=30,
        string_length=2048,
        string_list=10,
        principals=200,
        principal_name=200,
        statuses=10,
    )
    unprotected: Unprotected = "everybody"

    def __init__(self, *, settings: KendraSettings, clients: Clients, bucket: str | None = None) -> None:  # noqa: ARG002  # the service has sync jobs and groups
        self.role_arn = settings.role_arn
        self.verify = settings.verify
        self.concurrency = settings.concurrency
        self.declares = settings.declare
        self.data_source = f"kendra/{settings.index_id}/{settings.data_source_id}"
        self._settings = settings
        self._kendra = clients("kendra")
        self._data_source = {"IndexId": settings.index_id, "Id": settings.data_source_id}

    def start(self) -> str:
        """See Index.start."""
        execution_id: str = once(self._kendra.start_data_source_sync_job, **self._data_source)["ExecutionId"]
        return execution_id

    def stop(self) -> None:
        """See Index.stop."""
        patiently(self._kendra.stop_data_source_sync_job, **self._data_source)

    def jobs(
        self, *, status: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[SyncJob]:
        """See Index.jobs. boto3 has no paginator for Kendra."""
        params: dict[str, Any] = {**self._data_source, "MaxResults": 10}
        if status:
            params["StatusFilter"] = status
        times = {"StartTime": since, "EndTime": until}
        if since or until:
            params["StartTimeFilter"] = {name: time for name, time in times.items() if time}
        while True:
            page = patiently(self._kendra.list_data_source_sync_jobs, **params)
            yield from map(sync_job, page.get("History") or [])
            if not page.get("NextToken"):
                return
            params["NextToken"] = page["NextToken"]

    def put(self, execution_id: str, documents: Sequence[tuple[Document, Content]]) -> list[Rejection]:
        """See Index.put."""
        params: dict[str, Any] = {
            "IndexId": self._settings.index_id,
            "Documents": [self._document(execution_id, document, content) for document, content in documents],
        }
        if any(isinstance(content, S3Object) for _, content in documents):
            params["RoleArn"] = self.role_arn
        return rejections(persistently(self._kendra.batch_put_document, **params))

    def delete(self, execution_id: str, ids: Sequence[str]) -> list[Rejection]:
        """See Index.delete."""
        return rejections(
            persistently(
                self._kendra.batch_delete_document,
                IndexId=self._settings.index_id,
                DocumentIdList=list(ids),
                DataSourceSyncJobMetricTarget={
                    "DataSourceId": self._settings.data_source_id,
                    "DataSourceSyncJobId": execution_id,
                },
            )
        )

    def entries(self, document: Document) -> tuple[Principal, ...]:
        """See Index.entries."""
        return document.access_control

    def statuses(self, execution_id: str | None, ids: Iterable[str]) -> Iterator[DocumentStatus]:
        """See Index.statuses."""
        job = {"datasourceId": self._settings.data_source_id, "jobExecutionId": execution_id} if execution_id else {}
        info = (
            {"Attributes": [{"Key": key, "Value": {"StringValue": value}} for key, value in job.items()]} if job else {}
        )
        for chunk in chunks(ids, self.limits.statuses):
            reply = patiently(
                self._kendra.batch_get_document_status,
                IndexId=self._settings.index_id,
                DocumentInfoList=[{"DocumentId": id_, **info} for id_ in chunk],
            )
            for status in reply.get("DocumentStatusList") or []:
                yield DocumentStatus(
                    id=status["DocumentId"],
                    status=STATUSES.get(status["DocumentStatus"], "FAILED"),
                    message=": ".join(filter(None, (status.get("FailureCode"), status.get("FailureReason")))),
                )
            for error in reply.get("Errors") or []:
                yield DocumentStatus(
                    error["DocumentId"], "FAILED", f"{error.get('ErrorCode')}: {error.get('ErrorMessage')}"
                )

    def fields(self) -> Fields:
        """See Index.fields."""
        described = patiently(self._kendra.describe_index, Id=self._settings.index_id)
        names: dict[str, FieldType] = {name: kind for kind, name in self.service.field_types.items()}
        declared = described.get("DocumentMetadataConfigurations") or []
        return Fields({one["Name"]: names[one["Type"]] for one in declared}, described["Status"] == "ACTIVE")

    def declare(self, fields: Mapping[str, FieldType]) -> None:
        """See Index.declare."""
        patiently(
            self._kendra.update_index,
            Id=self._settings.index_id,
            DocumentMetadataConfigurationUpdates=[
                {
                    "Name": name,
                    "Type": self.service.field_types[kind],
                    "Search": {"Displayable": True, "Facetable": True, "Searchable": kind in {"STRING", "STRING_LIST"}},
                }
                for name, kind in fields.items()
            ],
        )

    def set_group(self, group: Group, ordering: int, members: S3Object | None = None) -> None:
        """See Index.set_group. https://docs.aws.amazon.com/kendra/latest/APIReference/API_PutPrincipalMapping.html."""
        wire: dict[str, Any] = {}
        params = {**self._group(group.id), "GroupMembers": wire, "OrderingId": ordering}
        if members is not None:
            wire["S3PathforGroupMembers"] = {"Bucket": members.bucket, "Key": members.key}
            params["RoleArn"] = self.role_arn
        elif group.groups:
            source = self._settings.data_source_id
            wire["MemberGroups"] = [{"GroupId": name, "DataSourceId": source} for name in group.groups]
        if members is None and group.users:
            wire["MemberUsers"] = [{"UserId": name} for name in group.users]
        patiently(self._kendra.put_principal_mapping, **params)

    def remove_group(self, name: str, ordering: int) -> None:
        """See Index.remove_group."""
        with suppress(ResourceNotFound):
            patiently(self._kendra.delete_principal_mapping, **self._group(name), OrderingId=ordering)

    def group_status(self, name: str, ordering: int) -> GroupStatus:
        """See Index.group_status."""
        try:
            reply = patiently(self._kendra.describe_principal_mapping, **self._group(name))
        except ResourceNotFound:
            return GroupStatus("NOT_FOUND")
        summaries = reply.get("GroupOrderingIdSummaries") or []
        found = next((one for one in summaries if one.get("OrderingId") == ordering), None)
        return GroupStatus(found["Status"], found.get("FailureReason", "")) if found else GroupStatus("NOT_FOUND")

    def search(self, words: str, limit: int, reader: Reader | None = None) -> list[Hit]:
        """See Index.search. Query takes up to 1,000 characters and gives up to 100 results.

        Kendra believes what the request says of the user.
        https://docs.aws.amazon.com/kendra/latest/dg/user-context-filter.html
        """
        params = {"IndexId": self._settings.index_id, "QueryText": words[:1000], **user_context(reader)}
        reply = patiently(self._kendra.query, **params, PageSize=min(limit, 100))
        return [
            Hit(
                document_id=item["DocumentId"],
                title=item.get("DocumentTitle", {}).get("Text") or item["DocumentId"],
                excerpt=item.get("DocumentExcerpt", {}).get("Text", ""),
                uri=item.get("DocumentURI", ""),
            )
            for item in reply.get("ResultItems") or []
        ]

    def access(self, document: Document, reader: Reader) -> Access:
        """See Index.access."""
        return found_by(partial(patiently, self._kendra.query, IndexId=self._settings.index_id), document, reader)

    def _group(self, name: str) -> dict[str, Any]:
        # With a data source in it, a group of another connector may have the same name.
        settings = self._settings
        return {"IndexId": settings.index_id, "DataSourceId": settings.data_source_id, "GroupId": name}

    def _document(self, execution_id: str, document: Document, content: Content) -> dict[str, Any]:
        attributes: dict[str, AttributeValue] = {
            **({"_last_updated_at": Date(document.updated_at)} if document.updated_at else {}),
            **document.attributes,
            "_data_source_id": str(self._settings.data_source_id),
            "_data_source_sync_job_execution_id": execution_id,
        }
        wire: dict[str, Any] = {
            "Id": document.id,
            "ContentType": document.content_type,
            "Attributes": [{"Key": key, "Value": attribute_value(value)} for key, value in attributes.items()],
        }
        if document.title:
            wire["Title"] = document.title
        if document.access_control:
            wire["AccessControlList"] = [
                {"Name": principal.name, "Type": principal.type, "Access": principal.access}
                for principal in document.access_control
            ]
        if isinstance(content, S3Object):
            wire["S3Path"] = {"Bucket": content.bucket, "Key": content.key}
        else:
            wire["Blob"] = content
        return wire
