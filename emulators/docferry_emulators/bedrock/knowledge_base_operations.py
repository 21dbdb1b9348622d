"""CreateKnowledgeBase, GetKnowledgeBase, DeleteKnowledgeBase, ListKnowledgeBases, and their tags."""

from docferry_emulators.backend import Wire, present
from docferry_emulators.bedrock.base import BedrockOperations
from docferry_emulators.bedrock.models import instant, new_id
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import (
    OperationNotImplemented,
    QuotaExceeded,
    ResourceMissing,
    ValidationFailed,
)

KEPT = ("name", "description", "roleArn", "knowledgeBaseConfiguration", "storageConfiguration")


class KnowledgeBaseOperations(BedrockOperations):
    """Knowledge bases."""

    def create_knowledge_base(self, request: Wire) -> Wire:
        """Create a knowledge base with a vector store of the user's (VECTOR) or of the service's (MANAGED)."""
        backend, resources = self.backend, self.backend.engine.resources
        _check(request)

        def create() -> Wire:
            limit = backend.settings.bedrock_knowledge_bases
            if resources.count(backend.scope, "knowledge_base") >= limit:
                raise QuotaExceeded(f"The account has {limit} knowledge bases already.")
            backend.refuse_name("knowledge_base", request["name"])
            body = {name: request[name] for name in KEPT if name in request}
            created = resources.create(backend.scope, "knowledge_base", body, new_id=new_id)
            self._tag(backend.arn_of(created.id), request.get("tags", {}))
            return {"knowledgeBase": self._base_to_wire(created)}

        return resources.once(backend.scope, "CreateKnowledgeBase", request.get("clientToken"), request, create)

    def get_knowledge_base(self, request: Wire) -> Wire:
        """Describe a knowledge base."""
        return {"knowledgeBase": self._base_to_wire(self.backend.knowledge_base(request))}

    def list_knowledge_bases(self, request: Wire) -> Wire:
        """List the knowledge bases."""
        found, token = self.backend.engine.resources.page(
            self.backend.scope, "knowledge_base", token=request.get("nextToken"), limit=request.get("maxResults", 100)
        )
        items = [
            present(
                knowledgeBaseId=one.id,
                name=one.body["name"],
                description=one.body.get("description"),
                status=one.status,
                updatedAt=instant(one.updated),
            )
            for one in found
        ]
        return present(knowledgeBaseSummaries=items, nextToken=token)

    def delete_knowledge_base(self, request: Wire) -> Wire:
        """Delete a knowledge base with its data sources and documents. It is DELETING at first."""
        base = self.backend.knowledge_base(request)
        self.backend.engine.delete(base)
        return {"knowledgeBaseId": base.id, "status": "DELETING"}

    def tag_resource(self, request: Wire) -> Wire:
        """Add tags to a knowledge base."""
        self._tag(self._tagged(request), request["tags"])
        return {}

    def untag_resource(self, request: Wire) -> Wire:
        """Remove tags."""
        self.backend.engine.tags.remove(self._tagged(request), request["tagKeys"])
        return {}

    def list_tags_for_resource(self, request: Wire) -> Wire:
        """List the tags of a knowledge base."""
        return {"tags": self.backend.engine.tags.of(self._tagged(request))}

    def _base_to_wire(self, base: Resource) -> Wire:
        return present(
            knowledgeBaseId=base.id,
            knowledgeBaseArn=self.backend.arn_of(base.id),
            **{name: base.body.get(name) for name in KEPT},
            status=base.status,
            createdAt=instant(base.created),
            updatedAt=instant(base.updated),
        )

    def _tag(self, arn: str, tags: dict[str, str]) -> None:
        self.backend.engine.tags.put(arn, [{"key": key, "value": value} for key, value in tags.items()])

    def _tagged(self, request: Wire) -> str:
        """Return the ARN of the request. Raises ResourceMissing unless it is that of a knowledge base."""
        arn: str = request["resourceArn"]
        prefix = self.backend.arn_of("")
        if not arn.startswith(prefix):
            raise ResourceMissing(f"Resource '{arn}' does not exist.")
        self.backend.knowledge_base({"knowledgeBaseId": arn.removeprefix(prefix)})
        return arn


def _check(request: Wire) -> None:
    kind = request["knowledgeBaseConfiguration"]["type"]
    if kind not in {"VECTOR", "MANAGED"}:
        raise OperationNotImplemented(f"Only knowledge bases of type VECTOR and MANAGED are emulated, not {kind}.")
    stored = "storageConfiguration" in request
    if kind == "VECTOR" and "vectorKnowledgeBaseConfiguration" not in request["knowledgeBaseConfiguration"]:
        raise ValidationFailed.of(
            "knowledgeBaseConfiguration", "A knowledge base of type VECTOR needs a vectorKnowledgeBaseConfiguration."
        )
    if stored != (kind == "VECTOR"):
        wrong = "has no storageConfiguration" if stored else "needs a storageConfiguration"
        raise ValidationFailed.of("storageConfiguration", f"A knowledge base of type {kind} {wrong}.")
