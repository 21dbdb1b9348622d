"""CreateIndex, GetIndex, UpdateIndex, DeleteIndex, ListIndices."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.fields import IndexField, qbusiness_fields
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import QuotaExceeded, ValidationFailed
from docferry_emulators.qbusiness.base import QBusinessOperations
from docferry_emulators.qbusiness.mapping import TYPE_OF, TYPES

KEPT = ("displayName", "description", "type", "capacityConfiguration")
MEMBER = "documentAttributeConfigurations"


class IndexOperations(QBusinessOperations):
    """Indexes."""

    def create_index(self, request: Wire) -> Wire:
        """Create an index with the reserved fields. It is CREATING at first."""
        backend, resources = self.backend, self.backend.engine.resources

        def create() -> Wire:
            application = resources.active(backend.scope, "application", request["applicationId"])
            body = {"type": "ENTERPRISE", "capacityConfiguration": {"units": 1}}
            body |= {name: request[name] for name in KEPT if name in request}
            backend.engine.set_fields(Resource(backend.scope, "index", "", "", "", body, 0, 0), qbusiness_fields())
            created = resources.create(backend.scope, "index", body, parent=application.id)
            arn = backend.arn_of(application.id, created.id)
            backend.engine.tags.put(arn, request.get("tags", []))
            return {"indexId": created.id, "indexArn": arn}

        scope = f"{backend.scope}/{request['applicationId']}"
        return resources.once(scope, "CreateIndex", request.get("clientToken"), request, create)

    def get_index(self, request: Wire) -> Wire:
        """Describe an index, its fields, and how much it holds."""
        index = self.backend.index(request)
        documents, text = self.backend.engine.totals(index.id)
        fields = self.backend.engine.fields(index)
        return present(
            applicationId=index.parent,
            indexId=index.id,
            indexArn=self.backend.arn_of(index.parent, index.id),
            **{name: index.body.get(name) for name in KEPT},
            status=index.status,
            createdAt=index.created,
            updatedAt=index.updated,
            documentAttributeConfigurations=[
                {
                    "name": name,
                    "type": TYPE_OF[field.kind],
                    "search": "ENABLED" if field.searchable else "DISABLED",
                }
                for name, field in fields.items()
            ],
            indexStatistics={
                "textDocumentStatistics": {"indexedTextBytes": text, "indexedTextDocumentCount": documents}
            },
        )

    def update_index(self, request: Wire) -> Wire:
        """Change an index or its fields. A field keeps its type and name (docs/emulator.md, rule 15)."""
        backend = self.backend
        backend.application(request)
        index = backend.engine.resources.active(
            backend.scope, "index", request["indexId"], parent=request["applicationId"]
        )
        index.body |= {name: request[name] for name in KEPT if name in request}
        fields = backend.engine.fields(index)
        for update in request.get(MEMBER, []):
            _update_field(fields, update)
        if len(fields) > backend.settings.qbusiness_fields:
            raise QuotaExceeded(f"An index has at most {backend.settings.qbusiness_fields} fields.", "INDEX", index.id)
        backend.engine.set_fields(index, fields)
        backend.engine.resources.save(index)
        return {}

    def delete_index(self, request: Wire) -> Wire:
        """Delete an index and everything in it. It is DELETING at first."""
        self.backend.engine.delete(self.backend.index(request))
        return {}

    def list_indices(self, request: Wire) -> Wire:
        """List the indexes of an application."""
        application = self.backend.application(request)
        found, token = self.backend.engine.resources.page(
            self.backend.scope,
            "index",
            parent=application.id,
            token=request.get("nextToken"),
            limit=request.get("maxResults", 100),
        )
        items = [
            {
                "displayName": index.body["displayName"],
                "indexId": index.id,
                "createdAt": index.created,
                "updatedAt": index.updated,
                "status": index.status,
            }
            for index in found
        ]
        return present(indices=items, nextToken=token)


def _update_field(fields: dict[str, IndexField], update: Wire) -> None:
    name, kind = update.get("name"), update.get("type")
    if name is None:
        raise ValidationFailed.of(MEMBER, "A field needs a name.")
    field = fields.get(name)
    if field is None:
        if name.startswith("_"):
            raise ValidationFailed.of(MEMBER, f"{name} is a reserved name.")
        if kind is None:
            raise ValidationFailed.of(MEMBER, f"The new field {name} needs a type.")
        field = fields[name] = IndexField(TYPES[kind], searchable=True)
    elif kind is not None and field.kind != TYPES[kind]:
        raise ValidationFailed.of(MEMBER, f"The type of {name} cannot be changed.")
    if "search" in update:
        field.searchable = update["search"] == "ENABLED"
