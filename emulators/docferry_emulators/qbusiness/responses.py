"""Q Business on the wire: REST-JSON."""

from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.model import OperationModel

from docferry_emulators.backend import Wire
from docferry_emulators.errors import EmulatorError, SerializationFailed, UnknownOperation
from docferry_emulators.qbusiness import exceptions
from docferry_emulators.qbusiness.application_operations import ApplicationOperations
from docferry_emulators.qbusiness.data_source_operations import DataSourceOperations
from docferry_emulators.qbusiness.document_operations import DocumentOperations
from docferry_emulators.qbusiness.index_operations import IndexOperations
from docferry_emulators.qbusiness.principal_operations import PrincipalOperations
from docferry_emulators.qbusiness.search_operations import SearchOperations
from docferry_emulators.qbusiness.tag_operations import TagOperations
from docferry_emulators.wire.protocol import Reply, decode, service_model
from docferry_emulators.wire.validation import query_value, read

Template = tuple[str, tuple[str, ...], str]
"""The method, the segments of the path (labels are in braces), and the operation."""


@cache
def templates() -> list[Template]:
    """Return the paths of the service. Those with fewer labels come first: a literal segment wins over a label."""
    model = service_model("qbusiness")
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        segments = tuple(http["requestUri"].partition("?")[0].strip("/").split("/"))
        found.append((http["method"], segments, name))
    return sorted(found, key=lambda entry: sum(segment.startswith("{") for segment in entry[1]))


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

    def route(self) -> tuple[OperationModel, dict[str, str]]:
        """Match the method and the raw path. Labels are unquoted after the split, so they may contain any character."""
        path = tuple(self.raw_path.strip("/").split("/"))
        for method, segments, name in templates():
            if method == self.method and len(segments) == len(path):
                pairs = list(zip(segments, path, strict=True))
                if all(segment == part or segment.startswith("{") for segment, part in pairs):
                    labels = {segment.strip("{}+"): unquote(part) for segment, part in pairs if segment[0] == "{"}
                    return service_model(self.service).operation_model(name), labels
        raise UnknownOperation(f"There is no operation at {self.method} {self.raw_path[:200]}.")

    def parse(self, operation: OperationModel, labels: dict[str, str]) -> Wire:
        """Collect the members from path, query string and body, and read them according to the model."""
        body = decode(self.body)
        if not isinstance(body, dict):
            raise SerializationFailed("The body must be a structure")
        query = parse_qs(self.parsed_url.query, keep_blank_values=True)
        raw: dict[str, Any] = {}
        shape: Any = operation.input_shape
        for name, member in shape.members.items():
            location, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
            if location == "uri":
                raw[name] = labels[wire_name]
            elif location == "querystring" and wire_name in query:
                given = query[wire_name]
                raw[name] = given if member.type_name == "list" else query_value(member, given[-1], name)
            elif location is None:
                raw[name] = body.get(wire_name)
        request: Wire = read(shape, raw)
        return request

    def refuse(self, error: EmulatorError) -> Reply:
        """Write an error as Q Business does."""
        return exceptions.write(error)
