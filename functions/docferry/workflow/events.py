"""What one state of the workflow hands to another: states import no states."""

import msgspec
from msgspec import Struct


class Caught(Struct, frozen=True, rename="pascal"):
    """An error that a state of the workflow caught."""

    error: str
    cause: str = ""

    def text(self) -> str:
        """The error in one line. Lambda gives the exception as JSON in the cause."""
        try:
            message = msgspec.json.decode(self.cause, type=_LambdaError).errorMessage
        except msgspec.MsgspecError:
            message = self.cause
        return f"{self.error}: {message}" if message else self.error


class _LambdaError(Struct):
    errorMessage: str  # noqa: N815  # Lambda's name


FIRST_WAIT = 15


class Polled(Struct, frozen=True, kw_only=True):
    """The state of the job when last looked at. Times are in seconds; ``wait`` is until the next look."""

    execution_id: str | None = None
    status: str = "NONE"
    done: bool = False
    wait: int = FIRST_WAIT
    waited: int = 0
