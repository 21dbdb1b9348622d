"""BatchPutDocument, BatchDeleteDocument, BatchGetDocumentStatus."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.enrichment import enrich
from docferry_emulators.engine.status import DocumentStatus
from docferry_emulators.errors import ValidationFailed
from docferry_emulators.kendra.base import KendraOperations
from docferry_emulators.kendra.mapping import put_of, rejection_to_wire, steps_of

STATUS_KEYS = {"datasourceId": "source", "dataSourceId": "source", "jobExecutionId": "job", "version": "version"}
"""The only attributes of BatchGetDocumentStatus. The text of the model spells the first one in both ways."""
SHOWN = dict.fromkeys(("RECEIVED", "DELETING", "REMOVING"), "PROCESSING")
"""Kendra has one status for all work that is not done."""


class DocumentOperations(KendraOperations):
    """Documents."""

    def batch_put_document(self, request: Wire) -> Wire:
        """Accept documents. FailedDocuments lists those that are rejected; it is present even if it is empty."""
        backend = self.backend
        index = backend.open_index(request["IndexId"])
        documents = request["Documents"]
        on_s3 = any("S3Path" in document for document in documents)
        if on_s3 and "RoleArn" not in request and backend.settings.s3_without_role == "reject":
            raise ValidationFailed.of("roleArn", "RoleArn is required when a document has an S3Path.")
        fields = backend.engine.fields(index)
        steps = steps_of(request.get("CustomDocumentEnrichmentConfiguration"))
        puts = [put_of(document) for document in documents]
        for put in puts:
            enrich(put, steps)
        rejected, declared = backend.engine.documents.put(index, fields, puts, backend.rules(index))
        if declared:
            backend.engine.set_fields(index, fields)
            backend.engine.resources.save(index, transition=False)
        return {"FailedDocuments": [rejection_to_wire(rejection) for rejection in rejected]}

    def batch_delete_document(self, request: Wire) -> Wire:
        """Accept deletes. Without a job id they count for the running job of the data source, if there is one."""
        backend = self.backend
        index = backend.open_index(request["IndexId"])
        target = request.get("DataSourceSyncJobMetricTarget", {})
        rejected = backend.engine.documents.delete(
            index,
            request["DocumentIdList"],
            target.get("DataSourceId"),
            target.get("DataSourceSyncJobId"),
            backend.rules(index),
        )
        return {"FailedDocuments": [rejection_to_wire(rejection) for rejection in rejected]}

    def batch_get_document_status(self, request: Wire) -> Wire:
        """Return the statuses of up to ten documents."""
        backend = self.backend
        index = backend.index(request["IndexId"])
        found, errors = [], []
        for info in request["DocumentInfoList"]:
            name = info["DocumentId"]
            if problem := _key_problem(info.get("Attributes", [])):
                errors.append({"DocumentId": name, "ErrorCode": "InvalidRequest", "ErrorMessage": problem})
                continue
            status = backend.engine.statuses.find(index.id, name)
            source = _key_value(info.get("Attributes", []), "source")
            if status is not None and source is not None and status.data_source != source:
                status = None
            found.append(_status_to_wire(name, status))
        return {"DocumentStatusList": found, "Errors": errors}


def _key_problem(attributes: list[Wire]) -> str | None:
    given = set()
    for attribute in attributes:
        key = STATUS_KEYS.get(attribute["Key"])
        if key is None:
            return f"Attribute {attribute['Key']} is not version, datasourceId or jobExecutionId."
        if "StringValue" not in attribute["Value"]:
            return f"Attribute {attribute['Key']} must be a string."
        given.add(key)
    if ("source" in given) != ("job" in given):
        return "datasourceId and jobExecutionId must be given together."
    return None


def _key_value(attributes: list[Wire], key: str) -> str | None:
    return next((a["Value"]["StringValue"] for a in attributes if STATUS_KEYS[a["Key"]] == key), None)


def _status_to_wire(name: str, status: DocumentStatus | None) -> Wire:
    if status is None:
        return {"DocumentId": name, "DocumentStatus": "NOT_FOUND"}
    return present(
        DocumentId=name,
        DocumentStatus=SHOWN.get(status.status, status.status),
        FailureCode=status.code,
        FailureReason=status.message,
    )
