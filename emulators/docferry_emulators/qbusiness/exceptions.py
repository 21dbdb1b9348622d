"""Errors as Q Business writes them: the status, the code in a header, and in the body what the error is about."""

from typing import Any

from docferry_emulators import errors
from docferry_emulators.wire.protocol import Reply
from docferry_emulators.wire.rest_json import write_error

REASONS: dict[type[errors.EmulatorError], str] = {
    errors.ValidationFailed: "FIELD_VALIDATION_FAILED",
    errors.SerializationFailed: "CANNOT_PARSE",
    errors.UnknownOperation: "UNKNOWN_OPERATION",
}


def write(error: errors.EmulatorError) -> Reply:
    """Return status, headers and body."""
    more: dict[str, Any] = {}
    if reason := REASONS.get(type(error)):
        more["reason"] = reason
    if isinstance(error, errors.ValidationFailed) and error.fields:
        more["fields"] = [{"name": field.name, "message": field.message} for field in error.fields]
    if isinstance(error, errors.ResourceError):
        more |= {"resourceId": error.resource_id, "resourceType": error.resource_type}
    return write_error(error, **more)
