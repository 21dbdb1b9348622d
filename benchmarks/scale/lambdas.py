"""Lambda: the real handlers, each invocation with its time, its processor, its disk, and an environment.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import ctypes
import gc
import json
import sys
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any
from unittest.mock import patch

from benchmarks.memory import idle, peak
from benchmarks.scale.calls import Calls, Invocation
from benchmarks.scale.disk import Disk
from benchmarks.scale.measured import Most
from benchmarks.scale.virtual import Ended
from docferry.indexes import calls as index_calls
from docferry.runtime.assets import HANDLERS
from docferry.runtime.lambdas import FUNCTIONS, Function

MIB = 1024 * 1024
TIMED_OUT = "Sandbox.Timedout"


class Failed(Exception):  # noqa: N818  # says what became of the invocation
    """An invocation that ended with an error, under the name that Step Functions sees."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.cause = json.dumps({"errorMessage": message, "errorType": name})


PACE = type(index_calls.PACE)
"""What learns the pace of an index in a process."""


class Environment:
    """A process of a function: what its modules keep from one invocation to the next."""

    def __init__(self) -> None:
        self.pace = PACE()
        self.free_since = 0.0


class Running(Invocation):
    """An invocation, its disk and its environment."""

    def __init__(self, function: Function, slower: float, ends: float, environment: Environment, disk: Disk) -> None:
        super().__init__(function.name, slower, ends)
        self.environment = environment
        self.disk = disk


class Context:
    """What handlers use of Lambda's context object."""

    memory_limit_in_mb = 0
    function_name = function_version = invoked_function_arn = aws_request_id = "simulated"

    def __init__(self, calls: Calls, ends: float) -> None:
        self._calls = calls
        self._ends = ends

    def get_remaining_time_in_millis(self) -> int:
        """See Lambda."""
        return max(0, int((self._ends - self._calls.simulation.now) * 1000))


class Lambda:
    """The functions of one connector."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._functions = {function.placeholder: function for function in FUNCTIONS}
        self._idle: dict[str, deque[Environment]] = defaultdict(deque)
        self._running = 0
        self._together = 0
        self.most: dict[str, Most] = defaultdict(Most)

    def invoke(self, placeholder: str, event: Any) -> Any:
        """Run a function in the current task; return its result. Raises Failed."""
        calls, function = self._calls, self._functions[placeholder]
        task, times, service = calls.simulation.current, calls.times, calls.figures.service
        began = task.now
        environment = self._environment(function, began)
        if environment is None:
            environment = Environment()
            task.now += times.start.seconds
        slower = max(1.0, service.vcpu_mib.value / function.memory)
        limit = min(function.timeout, service.function_seconds.value)
        disk = Disk(getattr(function, "ephemeral_storage", service.disk_mib.value) * MIB)
        running = Running(function, slower, task.now + limit, environment, disk)
        use = calls.usage.of(function.name)
        use.invocations += 1
        name = f"{function.name} {use.invocations:,.0f}"
        calls.tell(f"{name} begins")
        try:
            with self._measured(function), self._of(running):
                result = json.loads(json.dumps(_handler(function)(event, Context(calls, running.ends))))
        except Ended:
            environment = Environment()  # Lambda starts the process of a function anew that it has ended
            calls.tell(f"{name} is ended by Lambda after {limit:,} s")
            raise Failed(TIMED_OUT, f"Task timed out after {limit} seconds") from None
        except Exception as error:
            calls.tell(f"{name} raises {type(error).__name__}: {str(error)[:200]}")
            if not isinstance(error, (OSError,)) and type(error).__module__.startswith(("builtins", "benchmarks")):
                traceback.print_exc(file=sys.stderr)
            raise Failed(type(error).__name__, str(error)) from error
        else:
            calls.tell(f"{name} returns after {task.now - began:,.1f} s: {json.dumps(result)[:200]}")
            return result
        finally:
            self._note(function, task.now - began, disk)
            environment.free_since = task.now
            self._idle[function.name].append(environment)

    @contextmanager
    def together(self, most: Callable[[], int]) -> Iterator[None]:
        """Measure the memory of invocations side by side: what they need together, divided by their number.

        They are of one kind and size, and run in one process here.
        """
        functions_before = {name: use.invocations for name, use in self._calls.usage.functions.items()}
        before = _trimmed()
        self._together += 1
        try:
            yield
        finally:
            self._together -= 1
            each = (peak() - before) / 1024 / max(1, most())
            for name, use in self._calls.usage.functions.items():
                if use.invocations > functions_before.get(name, 0):
                    self.most[name].memory_mib = max(self.most[name].memory_mib, each)

    def _environment(self, function: Function, now: float) -> Environment | None:
        """One that is warm still: of those that are free, the one that was used last."""
        idle_ones = self._idle[function.name]
        while idle_ones:
            newest = idle_ones.pop()
            if now - newest.free_since <= self._calls.figures.service.warm_seconds.value:
                return newest
        return None

    @contextmanager
    def _of(self, running: Running) -> Iterator[None]:
        """Let the current task be of an invocation."""
        task = self._calls.simulation.current
        self._calls.simulation.answer(0)
        task.owner = running
        try:
            yield
            self._calls.simulation.worked()
        finally:
            task.owner = None
            running.over = True

    @contextmanager
    def _measured(self, function: Function) -> Iterator[None]:
        """Measure the memory of an invocation that has the process for itself."""
        if self._together:
            yield
            return
        before = _trimmed()
        try:
            yield
        finally:
            most = self.most[function.name]
            most.memory_mib = max(most.memory_mib, (peak() - before) / 1024)

    def _note(self, function: Function, seconds: float, disk: Disk) -> None:
        most, use = self.most[function.name], self._calls.usage.of(function.name)
        use.seconds += seconds
        use.memory = function.memory
        most.seconds = max(most.seconds, seconds)
        most.disk_mib = max(most.disk_mib, disk.most / MIB)


class Paces:
    """Stands in for the pace of the process: each environment has its own."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        owner = self._calls.simulation.current.owner
        assert isinstance(owner, Running)
        return getattr(owner.environment.pace, name)


@contextmanager
def environments(calls: Calls) -> Iterator[None]:
    """Let what modules of docferry keep be kept by each environment for itself."""
    with patch.object(index_calls, "PACE", Paces(calls)):
        yield


def _trimmed() -> int:
    """Give back what is free, and return what is in use then, in KiB. From here on the peak counts anew."""
    gc.collect()
    with suppress(OSError, AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)
    return idle()


def _handler(function: Function) -> Callable[[Any, Any], Any]:
    # As Lambda does, whose root is this folder.
    if str(HANDLERS) not in sys.path:
        sys.path.insert(0, str(HANDLERS))
    handler: Callable[[Any, Any], Any] = import_module(function.name).handler
    return handler
