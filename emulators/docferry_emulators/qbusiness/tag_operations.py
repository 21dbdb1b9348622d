"""Tags of applications, indexes, data sources and retrievers."""

from docferry_emulators.backend import Wire
from docferry_emulators.errors import ResourceMissing
from docferry_emulators.qbusiness.base import QBusinessOperations

KINDS = {"application": "application", "index": "index", "data-source": "data_source", "retriever": "retriever"}


class TagOperations(QBusinessOperations):
    """Tags."""

    def tag_resource(self, request: Wire) -> Wire:
        """Add tags to a resource."""
        self.backend.engine.tags.put(self._tagged(request), request["tags"])
        return {}

    def untag_resource(self, request: Wire) -> Wire:
        """Remove tags."""
        self.backend.engine.tags.remove(self._tagged(request), request["tagKeys"])
        return {}

    def list_tags_for_resource(self, request: Wire) -> Wire:
        """List the tags of a resource."""
        tags = self.backend.engine.tags.of(self._tagged(request))
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def _tagged(self, request: Wire) -> str:
        """Return the ARN of the request. Raises ResourceMissing unless every part of it exists."""
        arn: str = request["resourceARN"]
        backend, parent = self.backend, ""
        prefix = backend.arn("")
        parts = arn.removeprefix(prefix).split("/")
        if not arn.startswith(prefix) or len(parts) % 2:
            raise ResourceMissing(f"Resource '{arn}' does not exist.", "RESOURCE", arn)
        for kind, name in zip(parts[::2], parts[1::2], strict=True):
            if kind not in KINDS:
                raise ResourceMissing(f"Resource '{arn}' does not exist.", "RESOURCE", arn)
            parent = backend.engine.resources.get(backend.scope, KINDS[kind], name, parent=parent).id
        return arn
