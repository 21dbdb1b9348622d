# ruff: noqa: N818 - an error is named after what happened, as the services do
"""What can go wrong with a request, under the emulators' own names. Each service writes it with its code and shape."""

from msgspec import Struct


class Field(Struct, frozen=True):
    """A member of a request, and the constraint that it violates."""

    name: str
    message: str


class EmulatorError(Exception):
    """Base of every refusal. The client gets ``message``; the class decides the error code."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ValidationFailed(EmulatorError):
    """The whole request is invalid. ``fields`` names the members that are at fault, if there are any."""

    def __init__(self, message: str, fields: tuple[Field, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields

    @classmethod
    def of(cls, name: str, message: str) -> "ValidationFailed":
        """Build the error for one member."""
        return cls(message, (Field(name, message),))


class SerializationFailed(EmulatorError):
    """The body is not JSON, or a member does not have the JSON type of the model."""


class UnknownOperation(EmulatorError):
    """The service has no operation with the name in the request."""


class OperationNotImplemented(EmulatorError):
    """The service has this operation, but the emulator does not."""


class ResourceError(EmulatorError):
    """An error that is about one resource."""

    def __init__(self, message: str, resource_type: str = "", resource_id: str = "") -> None:
        super().__init__(message)
        self.resource_type = resource_type
        self.resource_id = resource_id


class ResourceMissing(ResourceError):
    """The resource does not exist, or no longer exists."""


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
