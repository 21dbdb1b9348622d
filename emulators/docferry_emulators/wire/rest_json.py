"""REST-JSON: the operation is in the method and the path, the members in path, query string and body."""

from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
from botocore.model import OperationModel, ServiceModel

from docferry_emulators import errors
from docferry_emulators.backend import Wire
from docferry_emulators.errors import SerializationFailed, UnknownOperation
from docferry_emulators.wire.protocol import Reply, ServiceResponse, decode, service_model
from docferry_emulators.wire.validation import query_value, read

Template = tuple[str, tuple[str, ...], str]
"""The method, the segments of the path (labels are in braces), and the operation."""

CODES: dict[type[errors.EmulatorError], tuple[str, int]] = {
    errors.ValidationFailed: ("ValidationException", 400),
    errors.SerializationFailed: ("ValidationException", 400),
    errors.UnknownOperation: ("ValidationException", 400),
    errors.OperationNotImplemented: ("NotImplementedException", 501),
    errors.ResourceMissing: ("ResourceNotFoundException", 404),
    errors.JobRunning: ("ConflictException", 409),
    errors.Conflicting: ("ConflictException", 409),
    errors.QuotaExceeded: ("ServiceQuotaExceededException", 402),
    errors.AccessDenied: ("AccessDeniedException", 403),
    errors.Throttled: ("ThrottlingException", 429),
    errors.InternalFailure: ("InternalServerException", 500),
}


@cache
def templates(service: str) -> list[Template]:
    """Return the paths of a service. Those with fewer labels come first: a literal segment wins over a label."""
    model = service_model(service)
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        segments = tuple(http["requestUri"].partition("?")[0].strip("/").split("/"))
        found.append((http["method"], segments, name))
    return sorted(found, key=lambda entry: sum(segment.startswith("{") for segment in entry[1]))


def matching(service: str, method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """Return the operation at a method and a raw path, with the labels of the path. None: there is none.

    Labels are unquoted after the split, so they may contain any character.
    """
    parts = tuple(path.strip("/").split("/"))
    for known, segments, name in templates(service):
        if known == method and len(segments) == len(parts):
            pairs = list(zip(segments, parts, strict=True))
            if all(segment == part or segment.startswith("{") for segment, part in pairs):
                return name, {segment.strip("{}+"): unquote(part) for segment, part in pairs if segment[0] == "{"}
    return None


class RestJsonResponse(ServiceResponse):
    """Handles one request to a service that speaks REST-JSON."""

    content_type = "application/json"

    @property
    def model(self) -> ServiceModel:
        """The model by which requests are read."""
        return service_model(self.service)

    def route(self) -> tuple[OperationModel, dict[str, str]]:
        """Match the method and the raw path."""
        found = matching(self.service, self.method, self.raw_path)
        if found is None:
            raise UnknownOperation(f"There is no operation at {self.method} {self.raw_path[:200]}.")
        name, labels = found
        return self.model.operation_model(name), labels

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


def write_error(error: errors.EmulatorError, **more: Any) -> Reply:
    """Write an error: its code in a header, its message and ``more`` in the body."""
    code, status = CODES[type(error)]
    return status, {"x-amzn-ErrorType": code}, msgspec.json.encode({"message": error.message, **more})
