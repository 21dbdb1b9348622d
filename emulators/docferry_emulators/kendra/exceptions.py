"""Errors as Kendra writes them: the code is in the body, and every error of the client has status 400."""

from http import HTTPStatus

import msgspec

from docferry_emulators import errors

CODES: dict[type[errors.EmulatorError], str] = {
    errors.ValidationFailed: "ValidationException",
    errors.SerializationFailed: "SerializationException",
    errors.UnknownOperation: "UnknownOperationException",
    errors.OperationNotImplemented: "NotImplementedException",
    errors.ResourceMissing: "ResourceNotFoundException",
    errors.JobRunning: "ResourceInUseException",
    errors.Conflicting: "ConflictException",
    errors.QuotaExceeded: "ServiceQuotaExceededException",
    errors.AccessDenied: "AccessDeniedException",
    errors.Throttled: "ThrottlingException",
    errors.InternalFailure: "InternalServerException",
}


def write(error: errors.EmulatorError) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body.

    boto3 takes the code from ``__type``, and the text from ``Message`` only if that begins with a capital M.
    """
    code = CODES[type(error)]
    status = HTTPStatus.BAD_REQUEST
    if isinstance(error, errors.InternalFailure):
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    elif isinstance(error, errors.OperationNotImplemented):
        status = HTTPStatus.NOT_IMPLEMENTED
    return int(status), {"x-amzn-ErrorType": code}, msgspec.json.encode({"__type": code, "Message": error.message})
