"""The base class of every group of Bedrock operations."""

from docferry_emulators.backend import backend_of
from docferry_emulators.bedrock.models import BedrockBackend, bedrockknowledgebases_backends
from docferry_emulators.errors import EmulatorError, ValidationFailed
from docferry_emulators.wire.protocol import Reply
from docferry_emulators.wire.rest_json import RestJsonResponse, write_error


class BedrockOperations(RestJsonResponse):
    """A request about knowledge bases."""

    @property
    def backend(self) -> BedrockBackend:
        """The knowledge bases in the account and region of the request."""
        backend: BedrockBackend = backend_of(bedrockknowledgebases_backends, self.current_account, self.region)
        return backend

    def refuse(self, error: EmulatorError) -> Reply:
        """Write an error as Bedrock does."""
        fields = error.fields if isinstance(error, ValidationFailed) else ()
        listed = [{"name": field.name, "message": field.message} for field in fields]
        return write_error(error, **({"fieldList": listed} if listed and self.service == "bedrock-agent" else {}))
