"""Calls of simulated services: each takes its time, is counted for the function that makes it, and may be told of."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from benchmarks.counting import kind_of
from benchmarks.scale.virtual import Owner, Simulation
from docferry_laptop.costs.calibration import Calibration
from docferry_laptop.costs.usage import WORKFLOW, FunctionUse, Usage

MEGABYTE = 1_000_000
LIST = "ListObjectsV2"
Tell = Callable[[float, str], None]
"""Takes the virtual time and a line of the story."""


class Invocation(Owner):
    """One invocation of a function, for which tasks run."""

    def __init__(self, function: str, slower: float, ends: float) -> None:
        super().__init__(slower, ends)
        self.function = function


class Calls:
    """What all simulated services share: the time, the tables, and what is counted."""

    def __init__(self, simulation: Simulation, figures: Calibration, tell: Tell) -> None:
        self.simulation = simulation
        self.figures = figures
        self.times = figures.times
        self.usage = Usage()
        self.free = 0
        """Calls of S3 that cost nothing."""
        self._tell = tell

    @property
    def now(self) -> float:
        """The time of the task that runs."""
        return self.simulation.current.now

    def tell(self, text: str) -> None:
        """Add a line to the story."""
        self._tell(self.simulation.current.now, text)

    def use(self) -> FunctionUse:
        """What the function that makes the call has used so far."""
        owner = self.simulation.current.owner
        return self.usage.of(owner.function if isinstance(owner, Invocation) else WORKFLOW)

    def s3(self, operation: str, size: float = 0, *, at_once: int = 1) -> "S3Call":
        """A call of S3 that sends so many bytes; parts of an upload may be sent several ``at_once``."""
        return S3Call(self, operation, size, at_once)

    def transferred(self, size: int) -> None:
        """Let the time pass in which bytes arrive."""
        self.simulation.worked()
        self.simulation.answer(size / MEGABYTE * self.times.s3_megabyte.seconds)


class S3Call:
    """One call, as a block: it begins when the client has made the request, and ends with the reply.

    ``keys`` are those that the reply lists.
    """

    __slots__ = ("_at_once", "_calls", "_operation", "_size", "keys")

    def __init__(self, calls: Calls, operation: str, size: float, at_once: int) -> None:
        self._calls = calls
        self._operation = operation
        self._size = size
        self._at_once = at_once
        self.keys = 0

    def __enter__(self) -> Self:
        calls = self._calls
        calls.simulation.worked()
        calls.simulation.work(calls.times.client_call.seconds)
        kind, use = kind_of("s3", self._operation), calls.use()
        if kind == "s3_puts":
            use.s3_puts += 1
        elif kind == "s3_gets":
            use.s3_gets += 1
        else:
            calls.free += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        calls, times = self._calls, self._calls.times
        wait = times.s3_list_call if self._operation == LIST else times.s3_call
        sent = self._size / MEGABYTE * times.s3_megabyte.seconds
        calls.simulation.answer((wait.seconds + sent) / self._at_once)
        if self.keys:
            calls.simulation.work(self.keys * times.s3_key.seconds)
