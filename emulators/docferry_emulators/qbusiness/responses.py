"""Q Business on the wire: REST-JSON."""

from docferry_emulators.errors import EmulatorError
from docferry_emulators.qbusiness import exceptions
from docferry_emulators.qbusiness.application_operations import ApplicationOperations
from docferry_emulators.qbusiness.data_source_operations import DataSourceOperations
from docferry_emulators.qbusiness.document_operations import DocumentOperations
from docferry_emulators.qbusiness.index_operations import IndexOperations
from docferry_emulators.qbusiness.principal_operations import PrincipalOperations
from docferry_emulators.qbusiness.search_operations import SearchOperations
from docferry_emulators.qbusiness.tag_operations import TagOperations
from docferry_emulators.wire.protocol import Reply


class QBusinessResponse(
    ApplicationOperations,
    IndexOperations,
    DataSourceOperations,
    DocumentOperations,
    SearchOperations,
    PrincipalOperations,
    TagOperations,
):
    """Every operation of Q Business that is emulated."""

    def refuse(self, error: EmulatorError) -> Reply:
        """Write an error as Q Business does."""
        return exceptions.write(error)
