"""BatchPutDocument, BatchDeleteDocument, ListDocuments."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.enrichment import enrich
from docferry_emulators.engine.status import DocumentStatus
from docferry_emulators.errors import ValidationFailed
from docferry_emulators.qbusiness.base import QBusinessOperations
from docferry_emulators.qbusiness.mapping import put_of, rejection_to_wire, steps_of

SHOWN = {"UPDATE_FAILED": "FAILED", "REMOVING": "DELETING"}


class DocumentOperations(QBusinessOperations):
    """Documents."""

    def batch_put_document(self, request: Wire) -> Wire:
        """Accept documents. failedDocuments lists those that are rejected; it is present even if it is empty."""
        backend, settings = self.backend, self.backend.settings
        index = backend.open_index(request)
        documents = request["documents"]
        on_s3 = any("s3" in document.get("content", {}) for document in documents)
        if on_s3 and "roleArn" not in request and settings.s3_without_role == "reject":
            raise ValidationFailed.of("roleArn", "roleArn is required when the content of a document is on S3.")
        fields = backend.engine.fields(index)
        puts = [
            put_of(document, request.get("dataSourceSyncId"), mismatch=settings.sync_id_mismatch)
            for document in documents
        ]
        for document, put in zip(documents, puts, strict=True):
            enrich(put, steps_of(document.get("documentEnrichmentConfiguration")))
        rejected, declared = backend.engine.documents.put(index, fields, puts, backend.rules(index))
        if declared:
            backend.engine.set_fields(index, fields)
            backend.engine.resources.save(index, transition=False)
        return {"failedDocuments": [rejection_to_wire(rejection) for rejection in rejected]}

    def batch_delete_document(self, request: Wire) -> Wire:
        """Accept deletes."""
        backend = self.backend
        index = backend.open_index(request)
        ids = [document["documentId"] for document in request["documents"]]
        if not 1 <= len(ids) <= backend.settings.delete_batch:
            # The model has no limit, but the service must have one.
            raise ValidationFailed.of("documents", f"A request deletes 1 to {backend.settings.delete_batch} documents.")
        rejected = backend.engine.documents.delete(
            index, ids, None, request.get("dataSourceSyncId"), backend.rules(index)
        )
        return {"failedDocuments": [rejection_to_wire(rejection) for rejection in rejected]}

    def list_documents(self, request: Wire) -> Wire:
        """List the documents of an index, or of one data source, with their status."""
        index = self.backend.index(request)
        sources = request.get("dataSourceIds") or [None]
        found, token = self.backend.engine.statuses.page(
            index.id, sources[0], request.get("nextToken"), request.get("maxResults", 100)
        )
        return present(documentDetailList=[_status_to_wire(status) for status in found], nextToken=token)


def _status_to_wire(status: DocumentStatus) -> Wire:
    error = {"errorCode": status.code, "errorMessage": status.message} if status.code else None
    return present(
        documentId=status.id,
        status=SHOWN.get(status.status, status.status),
        error=error,
        createdAt=status.created,
        updatedAt=status.updated,
    )
