"""The part of Bedrock in the state: its knowledge bases and data sources in the engine.

Each data source is an index of its own: document ids are unique in it, not in the knowledge base.
"""

import secrets
import string
from collections.abc import Collection
from datetime import UTC, datetime

from moto.core.base_backend import BackendDict

from docferry_emulators.backend import EngineBackend, Wire, regions
from docferry_emulators.bedrock.connectors import CUSTOM, connector_of
from docferry_emulators.engine.puts import Rejection, Rules
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import Conflicting, OperationNotImplemented, ResourceMissing, ValidationFailed

ID_LENGTH = 10
INLINE_BYTES = 5_242_880


class BedrockBackend(EngineBackend):
    """The knowledge bases of one account and region."""

    service = "bedrock"

    def knowledge_base(self, request: Wire) -> Resource:
        """Return the knowledge base that a request names by its id or its ARN. Raises ResourceMissing."""
        name = request["knowledgeBaseId"].rpartition("/")[2]
        return self.engine.resources.get(self.scope, "knowledge_base", name)

    def data_source(self, request: Wire) -> Resource:
        """Return the data source that a request names. Raises ResourceMissing."""
        base = self.knowledge_base(request)
        return self.engine.resources.get(self.scope, "data_source", request["dataSourceId"], parent=base.id)

    def open_base(self, request: Wire) -> Resource:
        """Return a knowledge base that works. Raises ResourceMissing or ValidationFailed."""
        return self._open(self.knowledge_base(request))

    def open_source(self, request: Wire, types: Collection[str] = ()) -> Resource:
        """Return a custom data source that works. ``types`` are the types of data sources that its documents name.

        Raises ResourceMissing, ValidationFailed if the data source is of another type, and OperationNotImplemented if
        it is not a custom one.
        """
        self.open_base(request)
        source = self._open(self.data_source(request))
        kind = connector_of(source.body).kind
        if wrong := set(types) - {kind}:
            raise ValidationFailed(f"The data source is of type {kind}, but the request has type {wrong.pop()}.")
        if kind != CUSTOM:
            raise OperationNotImplemented("Only the documents of custom data sources are emulated.")
        return source

    def _open(self, resource: Resource) -> Resource:
        # The operations on documents have no ConflictException in the model.
        if resource.status == "DELETING":
            raise ResourceMissing(f"{resource.label} '{resource.id}' is being deleted.")
        if resource.status == "CREATING" and self.settings.put_to_inactive_index == "reject":
            raise ValidationFailed(f"{resource.label} '{resource.id}' is CREATING.")
        return resource

    def refuse_name(self, kind: str, name: str, *, parent: str = "") -> None:
        """Raise Conflicting if another resource of the kind has this name, and is not being deleted."""
        resources, token = self.engine.resources, None
        while True:
            found, token = resources.page(self.scope, kind, parent=parent, token=token)
            for one in found:
                if one.body["name"] == name and one.status != "DELETING":
                    raise Conflicting(f"{one.label} with name {name} already exists.")
            if token is None:
                return

    def arn_of(self, base: str) -> str:
        """Return the ARN of a knowledge base."""
        return self.arn(f"knowledge-base/{base}")

    def rules(self) -> Rules:
        """Return the limits of a data source."""
        settings = self.settings
        unknown = Rejection("", "ResourceNotFound", "The document does not exist.")
        return Rules(
            document_bytes=INLINE_BYTES,
            request_bytes=None,
            unknown_delete=unknown if settings.bedrock_delete_unknown == "not_found" else None,
            principals=settings.bedrock_principals,
            ignore_unchanged=settings.bedrock_unchanged == "ignore",
            deletes_failed=True,
        )


def new_id() -> str:
    """Make the id of a knowledge base or of a data source."""
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(ID_LENGTH))


def instant(seconds: float) -> str:
    """Write a time, given in epoch seconds, as the service does."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


bedrockknowledgebases_backends = BackendDict(
    BedrockBackend, "bedrock", use_boto3_regions=False, additional_regions=regions()
)
