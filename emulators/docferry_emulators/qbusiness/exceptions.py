"""Errors as Q Business writes them: the status, the code in a header, and in the body what the error is about."""

from typing import Any

import msgspec

from docferry_emulators import errors

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
REASONS: dict[type[errors.EmulatorError], str] = {
    errors.ValidationFailed: "FIELD_VALIDATION_FAILED",
    errors.SerializationFailed: "CANNOT_PARSE",
    errors.UnknownOperation: "UNKNOWN_OPERATION",
}


def write(error: errors.EmulatorError) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body."""
    code, status = CODES[type(error)]
    body: dict[str, Any] = {"message": error.message}
    if reason := REASONS.get(type(error)):
        body["reason"] = reason
    if isinstance(error, errors.ValidationFailed) and error.fields:
        body["fields"] = [{"name": field.name, "message": field.message} for field in error.fields]
    if isinstance(error, errors.ResourceError):
        body |= {"resourceId": error.resource_id, "resourceType": error.resource_type}
    return status, {"x-amzn-ErrorType": code}, msgspec.json.encode(body)
