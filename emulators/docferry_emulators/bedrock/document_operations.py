"""IngestKnowledgeBaseDocuments, DeleteKnowledgeBaseDocuments, GetKnowledgeBaseDocuments, ListKnowledgeBaseDocuments."""

from collections.abc import Callable, Collection, Iterable

from docferry_emulators.backend import Wire, present
from docferry_emulators.bedrock.base import BedrockOperations
from docferry_emulators.bedrock.connectors import connector_of
from docferry_emulators.bedrock.mapping import Access, id_of, put_of
from docferry_emulators.bedrock.models import instant
from docferry_emulators.engine.puts import Rejection
from docferry_emulators.engine.resources import Resource
from docferry_emulators.engine.status import DocumentStatus
from docferry_emulators.errors import ValidationFailed

SHOWN = {
    "RECEIVED": "PENDING",
    "PROCESSING": "IN_PROGRESS",
    "UPDATED": "INDEXED",
    "UPDATE_FAILED": "FAILED",
    "REMOVING": "DELETE_IN_PROGRESS",
}
"""The statuses of Bedrock by those of the engine; the others have the same name."""


class DocumentOperations(BedrockOperations):
    """Documents of a custom data source. They are ingested and deleted asynchronously, without a job."""

    def ingest_knowledge_base_documents(self, request: Wire) -> Wire:
        """Accept documents: STARTING. One that is not accepted is FAILED, and the data source stays as it is."""
        documents = request["documents"]
        source = self.backend.open_source(request, {document["content"]["dataSourceType"] for document in documents})
        self._measure()
        access = self._access(source)
        puts = [put_of(number, document, access) for number, document in enumerate(documents, 1)]

        def ingest() -> list[Rejection]:
            return self.backend.engine.documents.put(source, None, puts, self.backend.rules())[0]

        return self._once("IngestKnowledgeBaseDocuments", request, source, [put.id for put in puts], "STARTING", ingest)

    def delete_knowledge_base_documents(self, request: Wire) -> Wire:
        """Accept deletes: DELETING, or NOT_FOUND for a document that does not exist."""
        source, ids = self._named(request)

        def delete() -> list[Rejection]:
            return self.backend.engine.documents.delete(source, ids, None, None, self.backend.rules())

        return self._once("DeleteKnowledgeBaseDocuments", request, source, ids, "DELETING", delete)

    def get_knowledge_base_documents(self, request: Wire) -> Wire:
        """Return the statuses of documents; NOT_FOUND for one that does not exist."""
        return self._statuses(*self._named(request))

    def list_knowledge_base_documents(self, request: Wire) -> Wire:
        """List the documents of a data source with their statuses."""
        source = self.backend.open_source(request)
        found, token = self.backend.engine.statuses.page(
            source.id, None, request.get("nextToken"), request.get("maxResults", 100)
        )
        return present(documentDetails=[_status_to_wire(source, status) for status in found], nextToken=token)

    def _named(self, request: Wire) -> tuple[Resource, list[str]]:
        identifiers = request["documentIdentifiers"]
        source = self.backend.open_source(request, {identifier["dataSourceType"] for identifier in identifiers})
        names = (id_of(one, f"documentIdentifiers.{number}.member") for number, one in enumerate(identifiers, 1))
        return source, distinct(names)

    def _measure(self) -> None:
        size, most = len(self.body), self.backend.settings.bedrock_request_bytes
        if most is not None and size > most:
            raise ValidationFailed.of("documents", f"The request has {size} bytes, more than {most}.")

    def _access(self, source: Resource) -> Access:
        if connector_of(source.body).access:
            return "on"
        return "off" if self.backend.settings.bedrock_access_when_off == "reject" else "ignored"

    def _once(
        self,
        operation: str,
        request: Wire,
        source: Resource,
        ids: Collection[str],
        status: str,
        work: Callable[[], list[Rejection]],
    ) -> Wire:
        """Do the work of a request, and answer with the status of what is accepted. A repeated request does nothing.

        Each operation says of its clientToken: "If this token matches a previous request, Amazon Bedrock ignores the
        request, but does not return an error."
        """
        backend = self.backend

        def reply() -> Wire:
            refused, now = {rejection.id: rejection for rejection in work()}, backend.engine.context.now()
            details = [_answer_to_wire(source, name, status, refused.get(name), now) for name in distinct(ids)]
            return {"documentDetails": details}

        def reused() -> Wire:
            if backend.settings.bedrock_other_request == "reject":
                raise ValidationFailed.of("clientToken", "The client token was used before with another request.")
            return self._statuses(source, distinct(ids))

        return backend.engine.resources.once(
            f"{backend.scope}/{source.id}",
            operation,
            request.get("clientToken"),
            request,
            reply,
            reused=reused,
            remember=backend.settings.bedrock_token_seconds,
        )

    def _statuses(self, source: Resource, ids: Iterable[str]) -> Wire:
        statuses = self.backend.engine.statuses
        found = ((name, statuses.find(source.id, name)) for name in ids)
        return {
            "documentDetails": [
                _detail(source, name, "NOT_FOUND") if status is None else _status_to_wire(source, status)
                for name, status in found
            ]
        }


def distinct(ids: Iterable[str]) -> list[str]:
    """Return each id once, in order."""
    return list(dict.fromkeys(ids))


def _detail(source: Resource, name: str, status: str, reason: str | None = None, updated: float | None = None) -> Wire:
    return present(
        knowledgeBaseId=source.parent,
        dataSourceId=source.id,
        identifier={"dataSourceType": "CUSTOM", "custom": {"id": name}},
        status=status,
        statusReason=reason,
        updatedAt=None if updated is None else instant(updated),
    )


def _status_to_wire(source: Resource, status: DocumentStatus) -> Wire:
    return _detail(source, status.id, SHOWN.get(status.status, status.status), status.message, status.updated)


def _answer_to_wire(source: Resource, name: str, status: str, refused: Rejection | None, now: float) -> Wire:
    if refused is None:
        return _detail(source, name, status, updated=now)
    if refused.code == "ResourceNotFound":
        return _detail(source, name, "NOT_FOUND")
    return _detail(source, name, "FAILED", refused.message, now)
