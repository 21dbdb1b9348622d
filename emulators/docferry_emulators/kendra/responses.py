"""Kendra on the wire: AWS JSON 1.1."""

from typing import Any

from botocore.model import OperationModel

from docferry_emulators.backend import Wire
from docferry_emulators.errors import EmulatorError, UnknownOperation
from docferry_emulators.kendra import exceptions
from docferry_emulators.kendra.data_source_operations import DataSourceOperations
from docferry_emulators.kendra.document_operations import DocumentOperations
from docferry_emulators.kendra.index_operations import IndexOperations
from docferry_emulators.kendra.principal_operations import PrincipalOperations
from docferry_emulators.kendra.search_operations import SearchOperations
from docferry_emulators.wire.protocol import Reply, decode, service_model
from docferry_emulators.wire.validation import read


class KendraResponse(IndexOperations, DataSourceOperations, DocumentOperations, SearchOperations, PrincipalOperations):
    """Every operation of Kendra that is emulated."""

    def route(self) -> tuple[OperationModel, dict[str, str]]:
        """Read the operation from ``X-Amz-Target``. The path is always ``/``."""
        model = service_model(self.service)
        target = self.headers.get("X-Amz-Target", "")
        prefix, _, name = target.rpartition(".")
        if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
            raise UnknownOperation(f"There is no operation '{target}'.")
        return model.operation_model(name), {}

    def parse(self, operation: OperationModel, labels: dict[str, str]) -> Wire:  # noqa: ARG002 - the path has none
        """Read the body according to the model."""
        shape: Any = operation.input_shape
        request: Wire = read(shape, decode(self.body))
        return request

    def refuse(self, error: EmulatorError) -> Reply:
        """Write an error as Kendra does."""
        return exceptions.write(error)
