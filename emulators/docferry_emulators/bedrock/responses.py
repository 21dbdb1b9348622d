"""Knowledge bases on the wire: REST-JSON, on two hosts with a model each."""

from botocore.model import ServiceModel

from docferry_emulators.bedrock.access_operations import AccessOperations
from docferry_emulators.bedrock.data_source_operations import DataSourceOperations
from docferry_emulators.bedrock.document_operations import DocumentOperations
from docferry_emulators.bedrock.knowledge_base_operations import KnowledgeBaseOperations
from docferry_emulators.bedrock.search_operations import SearchOperations
from docferry_emulators.emulation import current
from docferry_emulators.wire.protocol import service_model

BATCHES = ("KnowledgeBaseDocuments", "DocumentIdentifiers")
"""The shapes of the documents in one call."""


class BedrockAgentResponse(KnowledgeBaseOperations, DataSourceOperations, DocumentOperations):
    """Every operation on knowledge bases, data sources and documents that is emulated."""

    service = "bedrock-agent"

    @property
    def model(self) -> ServiceModel:
        """The model, with the number of documents that the settings allow in one call."""
        most = current().settings.bedrock_batch
        return service_model(self.service, frozenset((shape, most) for shape in BATCHES))


class BedrockAgentRuntimeResponse(SearchOperations, AccessOperations):
    """Every operation of a search that is emulated."""

    service = "bedrock-agent-runtime"
