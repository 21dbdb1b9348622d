"""CreateDataSource, GetDataSource, UpdateDataSource, DeleteDataSource, ListDataSources."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.bedrock.base import BedrockOperations
from docferry_emulators.bedrock.connectors import check, connector_of
from docferry_emulators.bedrock.models import instant, new_id
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import Conflicting, OperationNotImplemented, QuotaExceeded, ValidationFailed

KEPT = (
    "name",
    "description",
    "dataSourceConfiguration",
    "dataDeletionPolicy",
    "serverSideEncryptionConfiguration",
    "vectorIngestionConfiguration",
)
SHOWN = {"ACTIVE": "AVAILABLE"}


class DataSourceOperations(BedrockOperations):
    """Data sources. A custom one has no ingestion jobs: documents are ingested one by one."""

    def create_data_source(self, request: Wire) -> Wire:
        """Create a data source. It is CREATING at first."""
        backend, resources = self.backend, self.backend.engine.resources
        base = backend.open_base(request)
        _check(request, base)

        def create() -> Wire:
            limit = backend.settings.bedrock_data_sources
            if resources.count(backend.scope, "data_source", parent=base.id) >= limit:
                raise QuotaExceeded(f"The knowledge base has {limit} data sources already.")
            backend.refuse_name("data_source", request["name"], parent=base.id)
            body = {"dataDeletionPolicy": "DELETE"} | {name: request[name] for name in KEPT if name in request}
            created = resources.create(backend.scope, "data_source", body, parent=base.id, new_id=new_id)
            return {"dataSource": _source_to_wire(created)}

        scope = f"{backend.scope}/{base.id}"
        return resources.once(scope, "CreateDataSource", request.get("clientToken"), request, create)

    def get_data_source(self, request: Wire) -> Wire:
        """Describe a data source."""
        return {"dataSource": _source_to_wire(self.backend.data_source(request))}

    def update_data_source(self, request: Wire) -> Wire:
        """Change a data source. Its connector cannot change (docs/emulator.md, question 12 of Bedrock)."""
        backend = self.backend
        source = backend.data_source(request)
        if source.status != "ACTIVE":
            raise Conflicting(f"DataSource '{source.id}' is {source.status}.")
        _check(request, backend.open_base(request))
        if connector_of(request) != connector_of(source.body):
            raise ValidationFailed.of("dataSourceConfiguration", "The type and aclEnabled of a data source are fixed.")
        source.body = {name: request[name] for name in KEPT if name in request} | {"dataDeletionPolicy": "DELETE"}
        backend.engine.resources.save(source)
        return {"dataSource": _source_to_wire(source)}

    def delete_data_source(self, request: Wire) -> Wire:
        """Delete a data source and its documents. It is DELETING at first."""
        source = self.backend.data_source(request)
        self.backend.engine.delete(source)
        return {"knowledgeBaseId": source.parent, "dataSourceId": source.id, "status": "DELETING"}

    def list_data_sources(self, request: Wire) -> Wire:
        """List the data sources of a knowledge base."""
        base = self.backend.knowledge_base(request)
        found, token = self.backend.engine.resources.page(
            self.backend.scope,
            "data_source",
            parent=base.id,
            token=request.get("nextToken"),
            limit=request.get("maxResults", 100),
        )
        items = [
            present(
                knowledgeBaseId=base.id,
                dataSourceId=source.id,
                name=source.body["name"],
                description=source.body.get("description"),
                status=SHOWN.get(source.status, source.status),
                updatedAt=instant(source.updated),
            )
            for source in found
        ]
        return present(dataSourceSummaries=items, nextToken=token)


def _check(request: Wire, base: Resource) -> None:
    check(request, base.body["knowledgeBaseConfiguration"]["type"])
    if request.get("dataDeletionPolicy", "DELETE") != "DELETE":
        raise OperationNotImplemented("Only the dataDeletionPolicy DELETE is emulated.")


def _source_to_wire(source: Resource) -> Wire:
    return present(
        knowledgeBaseId=source.parent,
        dataSourceId=source.id,
        **{name: source.body.get(name) for name in KEPT},
        status=SHOWN.get(source.status, source.status),
        createdAt=instant(source.created),
        updatedAt=instant(source.updated),
    )
