# ruff: noqa: N818 - an error is named after what happened, as the services do
"""What can go wrong with a request, in names of the emulators' own. Each service gives it its own code and shape."""

from msgspec import Struct


class Field(Struct, frozen=True):
    """One constraint that one member of a request violates."""

    name: str
    message: str


class EmulatorError(Exception):
    """Base of every refusal. ``message`` goes to the client; the class decides the error code."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ValidationFailed(EmulatorError):
    """The request as a whole is invalid; ``fields`` names the members at fault, where there are any."""

    def __init__(self, message: str, fields: tuple[Field, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields

    @classmethod
    def of(cls, name: str, message: str) -> "ValidationFailed":
        """Build the refusal of one member."""
        return cls(message, (Field(name, message),))


class SerializationFailed(EmulatorError):
    """The body is no JSON, or a member has another JSON type than the model says."""


class UnknownOperation(EmulatorError):
    """The request names no operation of the service."""


class OperationNotImplemented(EmulatorError):
    """The service has the operation, the emulator does not."""


class ResourceError(EmulatorError):
    """A refusal that is about one resource."""

    def __init__(self, message: str, resource_type: str = "", resource_id: str = "") -> None:
        super().__init__(message)
        self.resource_type = resource_type
        self.resource_id = resource_id


class ResourceMissing(ResourceError):
    """The resource does not exist, or not any more."""


class Conflicting(ResourceError):
    """The state of the resource forbids the request."""


class JobRunning(ResourceError):
    """The data source has a sync job that has not ended."""


class QuotaExceeded(ResourceError):
    """A limit of the account or of the resource is reached."""


class AccessDenied(EmulatorError):
    """The caller lacks a permission."""


class Throttled(EmulatorError):
    """Too many calls."""


class InternalFailure(EmulatorError):
    """The service failed."""
