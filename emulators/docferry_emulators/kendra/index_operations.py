"""CreateIndex, DescribeIndex, UpdateIndex, DeleteIndex, ListIndices."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.fields import IndexField, kendra_fields
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import QuotaExceeded, ValidationFailed
from docferry_emulators.kendra.base import KendraOperations
from docferry_emulators.kendra.mapping import TYPES, field_to_wire

KEPT = (
    "Name",
    "RoleArn",
    "Description",
    "ServerSideEncryptionConfiguration",
    "UserTokenConfigurations",
    "UserContextPolicy",
    "UserGroupResolutionConfiguration",
    "CapacityUnits",
)
FLAGS = {"Facetable": "facetable", "Searchable": "searchable", "Displayable": "displayable", "Sortable": "sortable"}


class IndexOperations(KendraOperations):
    """Indexes."""

    def create_index(self, request: Wire) -> Wire:
        """Create an index with the reserved fields. It is CREATING at first."""
        backend, resources = self.backend, self.backend.engine.resources

        def create() -> Wire:
            limit = backend.settings.kendra_indexes
            if resources.count(backend.scope, "index") >= limit:
                raise QuotaExceeded(f"The account has {limit} indexes already.", "INDEX", "")
            body = {name: request[name] for name in KEPT if name in request}
            body["Edition"] = request.get("Edition", "ENTERPRISE_EDITION")
            body["fields"] = {}
            index = Resource(backend.scope, "index", "", "", "", body, 0, 0)
            backend.engine.set_fields(index, kendra_fields())
            created = resources.create(backend.scope, "index", body)
            backend.engine.tags.put(backend.index_arn(created.id), request.get("Tags", []))
            return {"Id": created.id}

        return resources.once(backend.scope, "CreateIndex", request.get("ClientToken"), request, create)

    def describe_index(self, request: Wire) -> Wire:
        """Describe an index, its fields, and how much it holds."""
        index = self.backend.index(request["Id"])
        documents, text = self.backend.engine.totals(index.id)
        body = index.body
        return present(
            Id=index.id,
            **{name: body.get(name) for name in KEPT if name != "CapacityUnits"},
            Edition=body["Edition"],
            Status=index.status,
            CreatedAt=index.created,
            UpdatedAt=index.updated,
            DocumentMetadataConfigurations=[
                field_to_wire(name, field) for name, field in self.backend.engine.fields(index).items()
            ],
            IndexStatistics={
                "FaqStatistics": {"IndexedQuestionAnswersCount": 0},
                "TextDocumentStatistics": {"IndexedTextDocumentsCount": documents, "IndexedTextBytes": text},
            },
            CapacityUnits=body.get("CapacityUnits", {"StorageCapacityUnits": 0, "QueryCapacityUnits": 0}),
        )

    def update_index(self, request: Wire) -> Wire:
        """Change an index or its fields. A field cannot change its type (docs/emulator.md, rule 15)."""
        backend = self.backend
        index = backend.engine.resources.active(backend.scope, "index", request["Id"])
        index.body |= {name: request[name] for name in KEPT if name in request}
        fields = backend.engine.fields(index)
        for update in request.get("DocumentMetadataConfigurationUpdates", []):
            _update_field(fields, update)
        custom = sum(1 for name in fields if not name.startswith("_"))
        if custom > backend.settings.kendra_fields:
            raise QuotaExceeded(
                f"An index has at most {backend.settings.kendra_fields} custom fields.", "INDEX", index.id
            )
        backend.engine.set_fields(index, fields)
        backend.engine.resources.save(index)
        return {}

    def delete_index(self, request: Wire) -> Wire:
        """Delete an index and everything in it. It is DELETING at first."""
        self.backend.engine.delete(self.backend.index(request["Id"]))
        return {}

    def list_indices(self, request: Wire) -> Wire:
        """List the indexes."""
        found, token = self.backend.engine.resources.page(
            self.backend.scope, "index", token=request.get("NextToken"), limit=request.get("MaxResults", 100)
        )
        items = [
            {
                "Name": index.body["Name"],
                "Id": index.id,
                "Edition": index.body["Edition"],
                "CreatedAt": index.created,
                "UpdatedAt": index.updated,
                "Status": index.status,
            }
            for index in found
        ]
        return present(IndexConfigurationSummaryItems=items, NextToken=token)


def _update_field(fields: dict[str, IndexField], update: Wire) -> None:
    name, kind = update["Name"], TYPES[update["Type"]]
    field = fields.get(name)
    if field is None:
        if name.startswith("_"):
            raise ValidationFailed.of("documentMetadataConfigurationUpdates", f"{name} is a reserved name.")
        field = fields[name] = IndexField(kind)
    elif field.kind != kind:
        raise ValidationFailed.of("documentMetadataConfigurationUpdates", f"The type of {name} cannot be changed.")
    for flag, attribute in FLAGS.items():
        if flag in update.get("Search", {}):
            setattr(field, attribute, update["Search"][flag])
    if field.sortable and kind == "STRING_LIST":
        raise ValidationFailed.of("documentMetadataConfigurationUpdates", f"{name} is a list; it cannot be sortable.")
    field.relevance |= update.get("Relevance", {})
