"""Custom data sources and their sync jobs."""

from docferry_emulators.backend import Wire, present, standing
from docferry_emulators.engine.jobs import Job
from docferry_emulators.errors import Conflicting, OperationNotImplemented, QuotaExceeded, ValidationFailed
from docferry_emulators.qbusiness.base import QBusinessOperations

KEPT = (
    "displayName",
    "configuration",
    "vpcConfiguration",
    "description",
    "roleArn",
    "documentEnrichmentConfiguration",
    "mediaExtractionConfiguration",
)


class DataSourceOperations(QBusinessOperations):
    """Data sources and sync jobs."""

    def create_data_source(self, request: Wire) -> Wire:
        """Create a data source with the configuration ``{"type": "CUSTOM", "version": "1.0.0"}``."""
        backend, resources = self.backend, self.backend.engine.resources
        _check(request)

        def create() -> Wire:
            index = backend.active_index(request)
            limit = backend.settings.qbusiness_data_sources
            application = request["applicationId"]
            indexes, _ = resources.page(backend.scope, "index", parent=application, token=None, limit=1_000)
            if sum(resources.count(backend.scope, "data_source", parent=one.id) for one in indexes) >= limit:
                raise QuotaExceeded(f"The application has {limit} data sources already.", "DATA_SOURCE", application)
            body = {name: request[name] for name in KEPT if name in request}
            created = resources.create(backend.scope, "data_source", body, parent=index.id)
            arn = backend.arn_of(index.parent, index.id, created.id)
            backend.engine.tags.put(arn, request.get("tags", []))
            return {"dataSourceId": created.id, "dataSourceArn": arn}

        scope = f"{backend.scope}/{request['applicationId']}/{request['indexId']}"
        return resources.once(scope, "CreateDataSource", request.get("clientToken"), request, create)

    def get_data_source(self, request: Wire) -> Wire:
        """Describe a data source."""
        source = self.backend.data_source(request)
        return present(
            applicationId=request["applicationId"],
            indexId=source.parent,
            dataSourceId=source.id,
            dataSourceArn=self.backend.arn_of(request["applicationId"], source.parent, source.id),
            type="CUSTOM",
            **{name: source.body.get(name) for name in KEPT},
            status=source.status,
            createdAt=source.created,
            updatedAt=source.updated,
        )

    def update_data_source(self, request: Wire) -> Wire:
        """Change a data source."""
        _check(request)
        backend = self.backend
        index = backend.index(request)
        source = backend.engine.resources.active(backend.scope, "data_source", request["dataSourceId"], parent=index.id)
        source.body |= {name: request[name] for name in KEPT if name in request}
        backend.engine.resources.save(source)
        return {}

    def delete_data_source(self, request: Wire) -> Wire:
        """Delete a data source, its documents and its jobs. A running job is aborted (docs/emulator.md, rule 11)."""
        standing(self.backend.index(request))
        self.backend.engine.delete(self.backend.data_source(request))
        return {}

    def list_data_sources(self, request: Wire) -> Wire:
        """List the data sources of an index, at most ten per page."""
        index = self.backend.index(request)
        found, token = self.backend.engine.resources.page(
            self.backend.scope,
            "data_source",
            parent=index.id,
            token=request.get("nextToken"),
            limit=request.get("maxResults", 10),
        )
        items = [
            {
                "displayName": source.body["displayName"],
                "dataSourceId": source.id,
                "type": "CUSTOM",
                "createdAt": source.created,
                "updatedAt": source.updated,
                "status": source.status,
            }
            for source in found
        ]
        return present(dataSources=items, nextToken=token)

    def start_data_source_sync_job(self, request: Wire) -> Wire:
        """Open a sync job. A data source has one running job at a time (docs/emulator.md, rule 1)."""
        standing(self.backend.application(request))
        standing(self.backend.index(request))
        return {"executionId": self.backend.engine.jobs.start(self.backend.data_source(request))}

    def stop_data_source_sync_job(self, request: Wire) -> Wire:
        """Stop the running job, which is the normal end of a job. If none runs: docs/emulator.md, question 3."""
        source = self.backend.data_source(request)
        if not self.backend.engine.jobs.stop(source) and self.backend.settings.qbusiness_stop_idle == "conflict":
            raise Conflicting("Only a sync job that is in progress can be stopped.", "DATA_SOURCE", source.id)
        return {}

    def list_data_source_sync_jobs(self, request: Wire) -> Wire:
        """List the jobs of a data source, newest first, at most ten per page."""
        jobs, token = self.backend.engine.jobs.page(
            self.backend.data_source(request),
            status=request.get("statusFilter"),
            since=request.get("startTime"),
            until=request.get("endTime"),
            token=request.get("nextToken"),
            limit=request.get("maxResults", 10),
        )
        return present(history=[_job_to_wire(job) for job in jobs], nextToken=token)


def _check(request: Wire) -> None:
    if "syncSchedule" in request:
        raise ValidationFailed.of("syncSchedule", "A custom data source cannot have a syncSchedule.")
    configuration = request.get("configuration", {"type": "CUSTOM", "version": "1.0.0"})
    kind = configuration.get("type") if isinstance(configuration, dict) else None
    if not isinstance(kind, str):
        raise ValidationFailed.of("configuration", "The configuration needs a type.")
    if kind.upper() != "CUSTOM":
        raise OperationNotImplemented(f"Only custom data sources are emulated, not {kind}.")
    if configuration.get("version") != "1.0.0":
        raise ValidationFailed.of("configuration", "The version of a custom configuration must be 1.0.0.")


def _job_to_wire(job: Job) -> Wire:
    # documentsScanned is not returned for custom data sources; metrics are strings.
    error = {"errorCode": job.code, "errorMessage": job.message} if job.code else None
    return present(
        executionId=job.execution_id,
        startTime=job.started,
        endTime=job.ended,
        status=job.status,
        error=error,
        metrics={
            "documentsAdded": str(job.added),
            "documentsModified": str(job.modified),
            "documentsDeleted": str(job.deleted),
            "documentsFailed": str(job.failed),
        },
    )
