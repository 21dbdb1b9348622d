"""GetIngestedDocumentAcl, CheckIngestedDocumentAcl."""

from typing import Any

from docferry_emulators.backend import Wire
from docferry_emulators.bedrock.base import BedrockOperations
from docferry_emulators.bedrock.identity import identity_of
from docferry_emulators.bedrock.mapping import acl_to_wire
from docferry_emulators.engine.access import decode, visible
from docferry_emulators.errors import ResourceMissing


class AccessOperations(BedrockOperations):
    """Access control as it was ingested."""

    def get_ingested_document_acl(self, request: Wire) -> Wire:
        """Return who may see a document. Without access control, both lists are missing."""
        return {"documentAcl": acl_to_wire(decode(self._indexed(request)["acl"]))}

    def check_ingested_document_acl(self, request: Wire) -> Wire:
        """Tell whether a user may see a document."""
        tree = decode(self._indexed(request)["acl"])
        return {"hasAccess": visible(tree, identity_of(request), None)}

    def _indexed(self, request: Wire) -> Any:
        source = self.backend.open_source(request)
        row = self.backend.engine.statuses.indexed(source.id, request["documentId"])
        if row is None:
            raise ResourceMissing(f"Document '{request['documentId']}' does not exist.")
        return row
