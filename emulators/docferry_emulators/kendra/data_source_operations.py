"""Data sources of type CUSTOM and their sync jobs."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.jobs import Job
from docferry_emulators.errors import OperationNotImplemented, QuotaExceeded, ResourceMissing, ValidationFailed
from docferry_emulators.kendra.base import KendraOperations

KEPT = ("Name", "Type", "VpcConfiguration", "Description", "LanguageCode", "CustomDocumentEnrichmentConfiguration")


class DataSourceOperations(KendraOperations):
    """Data sources and sync jobs."""

    def create_data_source(self, request: Wire) -> Wire:
        """Create a data source. Type CUSTOM takes no Configuration, RoleArn or Schedule, not even an empty one."""
        backend, resources = self.backend, self.backend.engine.resources
        _refuse_forbidden(request)
        if request["Type"] != "CUSTOM":
            raise OperationNotImplemented(f"Only data sources of type CUSTOM are emulated, not {request['Type']}.")

        def create() -> Wire:
            index = backend.active_index(request["IndexId"])
            limit = backend.settings.kendra_data_sources.get(index.body["Edition"])
            if limit is not None and resources.count(backend.scope, "data_source", parent=index.id) >= limit:
                raise QuotaExceeded(f"The index has {limit} data sources already.", "DATA_SOURCE", index.id)
            body = {"LanguageCode": "en"} | {name: request[name] for name in KEPT if name in request}
            created = resources.create(backend.scope, "data_source", body, parent=index.id)
            backend.engine.tags.put(f"{backend.index_arn(index.id)}/data-source/{created.id}", request.get("Tags", []))
            return {"Id": created.id}

        return resources.once(backend.scope, "CreateDataSource", request.get("ClientToken"), request, create)

    def describe_data_source(self, request: Wire) -> Wire:
        """Describe a data source."""
        source = self.backend.data_source(request["IndexId"], request["Id"])
        return present(
            Id=source.id,
            IndexId=source.parent,
            **{name: source.body.get(name) for name in KEPT},
            Status=source.status,
            CreatedAt=source.created,
            UpdatedAt=source.updated,
        )

    def update_data_source(self, request: Wire) -> Wire:
        """Change a data source."""
        _refuse_forbidden(request)
        backend = self.backend
        backend.index(request["IndexId"])
        source = backend.engine.resources.active(backend.scope, "data_source", request["Id"], parent=request["IndexId"])
        source.body |= {name: request[name] for name in KEPT if name in request}
        backend.engine.resources.save(source)
        return {}

    def delete_data_source(self, request: Wire) -> Wire:
        """Delete a data source, its documents and its jobs. A running job is aborted (docs/emulator.md, rule 11)."""
        backend = self.backend
        backend.standing_index(request["IndexId"])
        backend.engine.delete(backend.data_source(request["IndexId"], request["Id"]))
        return {}

    def list_data_sources(self, request: Wire) -> Wire:
        """List the data sources of an index."""
        backend = self.backend
        index = backend.index(request["IndexId"])
        found, token = backend.engine.resources.page(
            backend.scope,
            "data_source",
            parent=index.id,
            token=request.get("NextToken"),
            limit=request.get("MaxResults", 100),
        )
        items = [
            {
                "Name": source.body["Name"],
                "Id": source.id,
                "Type": source.body["Type"],
                "CreatedAt": source.created,
                "UpdatedAt": source.updated,
                "Status": source.status,
                "LanguageCode": source.body["LanguageCode"],
            }
            for source in found
        ]
        return present(SummaryItems=items, NextToken=token)

    def start_data_source_sync_job(self, request: Wire) -> Wire:
        """Open a sync job. A data source has one running job at a time (docs/emulator.md, rule 1)."""
        self.backend.standing_index(request["IndexId"])
        source = self.backend.data_source(request["IndexId"], request["Id"])
        return {"ExecutionId": self.backend.engine.jobs.start(source)}

    def stop_data_source_sync_job(self, request: Wire) -> Wire:
        """Stop the running job, which is the normal end of a job. If none runs: docs/emulator.md, question 3."""
        source = self.backend.data_source(request["IndexId"], request["Id"])
        stopped = self.backend.engine.jobs.stop(source)
        idle = self.backend.settings.kendra_stop_idle
        if not stopped and idle == "invalid":
            raise ValidationFailed("There is no sync job in progress for this data source.")
        if not stopped and idle == "not_found":
            raise ResourceMissing("There is no sync job in progress for this data source.", "DATA_SOURCE", source.id)
        return {}

    def list_data_source_sync_jobs(self, request: Wire) -> Wire:
        """List the jobs of a data source, newest first, at most ten per page."""
        source = self.backend.data_source(request["IndexId"], request["Id"])
        span = request.get("StartTimeFilter", {})
        jobs, token = self.backend.engine.jobs.page(
            source,
            status=request.get("StatusFilter"),
            since=span.get("StartTime"),
            until=span.get("EndTime"),
            token=request.get("NextToken"),
            limit=request.get("MaxResults", 10),
        )
        return present(History=[_job_to_wire(job) for job in jobs], NextToken=token)


def _refuse_forbidden(request: Wire) -> None:
    # An empty member counts too: boto3 sends "Configuration": {} and "Schedule": "" when a caller gives them.
    for member in ("Configuration", "RoleArn", "Schedule"):
        if member in request and request.get("Type", "CUSTOM") == "CUSTOM":
            raise ValidationFailed.of(
                member[0].lower() + member[1:], f"{member} cannot be specified for a data source of type CUSTOM."
            )


def _job_to_wire(job: Job) -> Wire:
    # DocumentsScanned is not returned for custom data sources; metrics are strings.
    return present(
        ExecutionId=job.execution_id,
        StartTime=job.started,
        EndTime=job.ended,
        Status=job.status,
        ErrorCode=job.code,
        ErrorMessage=job.message,
        Metrics={
            "DocumentsAdded": str(job.added),
            "DocumentsModified": str(job.modified),
            "DocumentsDeleted": str(job.deleted),
            "DocumentsFailed": str(job.failed),
        },
    )
