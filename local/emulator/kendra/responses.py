"""Kendra on the wire: AWS JSON 1.1."""

from typing import Any

from botocore.model import OperationModel

from local.emulator.backend import Wire
from local.emulator.errors import EmulatorError, UnknownOperation
from local.emulator.kendra import exceptions
from local.emulator.kendra.data_source_operations import DataSourceOperations
from local.emulator.kendra.document_operations import DocumentOperations
from local.emulator.kendra.index_operations import IndexOperations
from local.emulator.kendra.principal_operations import PrincipalOperations
from local.emulator.kendra.search_operations import SearchOperations
from local.emulator.validation import read
from local.emulator.wire import Reply, decode, service_model


class KendraResponse(IndexOperations, DataSourceOperations, DocumentOperations, SearchOperations, PrincipalOperations):
    """Every operation of Kendra that is emulated."""

    def route(self) -> tuple[OperationModel, dict[str, str]]:
        """Read the operation off ``X-Amz-Target``; the path is always ``/``."""
        model = service_model(self.service)
        target = self.headers.get("X-Amz-Target", "")
        prefix, _, name = target.rpartition(".")
        if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
            raise UnknownOperation(f"There is no operation '{target}'.")
        return model.operation_model(name), {}

    def parse(self, operation: OperationModel, labels: dict[str, str]) -> Wire:  # noqa: ARG002 - the path has none
        """Read the body by the model."""
        shape: Any = operation.input_shape
        request: Wire = read(shape, decode(self.body))
        return request

    def refuse(self, error: EmulatorError) -> Reply:
        """Write an error as Kendra does."""
        return exceptions.write(error)
