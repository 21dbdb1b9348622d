"""What a run uses of AWS. The model estimates it, and ``counting`` counts it: both give the same struct."""

from msgspec import Struct, field

MIB_IN_GB = 1024
WORKFLOW = "workflow"
"""The name under which the calls of Step Functions itself are counted."""


class FunctionUse(Struct, kw_only=True):
    """What one function does in a run. ``seconds`` are those of all its invocations together; ``memory`` is in MiB."""

    invocations: float = 0
    s3_puts: float = 0
    s3_gets: float = 0
    index_calls: float = 0
    seconds: float = 0
    memory: int = 0

    @property
    def gb_seconds(self) -> float:
        """What Lambda charges for."""
        return self.seconds * self.memory / MIB_IN_GB


class Usage(Struct, kw_only=True):
    """What one run uses. ``s3_puts`` are requests of the PUT, COPY, POST and LIST class, ``s3_gets`` all others.

    S3 does not charge for deletes, so they are in neither. ``transitions`` are those of Step Functions, with the
    children of the Distributed Map. ``stored_bytes`` are those that the run writes to the state bucket, ``log_bytes``
    those that it writes to CloudWatch Logs.
    """

    functions: dict[str, FunctionUse] = field(default_factory=dict)
    transitions: float = 0
    polls: int = 0
    stored_bytes: float = 0
    log_bytes: float = 0

    def of(self, function: str) -> FunctionUse:
        """The use of one function, to be added to."""
        return self.functions.setdefault(function, FunctionUse())

    @property
    def invocations(self) -> float:
        """Invocations of all functions."""
        return sum(one.invocations for one in self.functions.values())

    @property
    def s3_puts(self) -> float:
        """Requests of the PUT class, of all functions."""
        return sum(one.s3_puts for one in self.functions.values())

    @property
    def s3_gets(self) -> float:
        """Requests of the GET class, of all functions."""
        return sum(one.s3_gets for one in self.functions.values())

    @property
    def index_calls(self) -> float:
        """Calls of the index service, of all functions."""
        return sum(one.index_calls for one in self.functions.values())

    @property
    def gb_seconds(self) -> float:
        """GB-seconds of all functions."""
        return sum(one.gb_seconds for one in self.functions.values())
