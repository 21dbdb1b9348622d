"""Lambda on a laptop: moto's Lambda, with the real handlers run in this process."""

import io
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, TextIO
from unittest.mock import patch
from uuid import uuid4

from moto.awslambda_simple.models import LambdaSimpleBackend
from msgspec import Struct

from docferry.runtime.assets import HANDLERS
from docferry.runtime.lambdas import Function


class Deployed(Struct, frozen=True):
    """One function of one connector. ``arn`` is what the state machine calls."""

    arn: str
    function: Function
    environment: Mapping[str, str]


class LambdaContext:
    """The part of Lambda's context object that handlers and Powertools use."""

    def __init__(self, deployed: Deployed) -> None:
        self.function_name = deployed.arn.rpartition(":")[2]
        self.function_version = "$LATEST"
        self.invoked_function_arn = deployed.arn
        self.memory_limit_in_mb = deployed.function.memory
        self.aws_request_id = str(uuid4())
        self._ends = time.monotonic() + deployed.function.timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left of the function's timeout."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


class LambdaRuntime:
    """Runs handlers in this process, and writes what they print to a log, as Lambda does."""

    def __init__(self, log: TextIO | None = None) -> None:
        self._functions: dict[str, Deployed] = {}
        self._log = log
        self._lock = threading.Lock()
        self._environments = _Environments()

    def deploy(self, deployed: Deployed) -> None:
        """Add a function."""
        self._functions[deployed.arn] = deployed

    def invoke(self, arn: str, payload: str | bytes) -> tuple[str, bool]:
        """Run a function. Return its result as JSON, and whether that is an error in Lambda's form."""
        deployed = self._functions[arn]
        context = LambdaContext(deployed)
        printed = io.StringIO()
        try:
            with self._environments.entered(deployed.environment), _printing_to(printed):
                return json.dumps(_handler(deployed.function)(json.loads(payload), context)), False
        except Exception as error:  # noqa: BLE001  # Lambda reports every error of a handler
            described = {
                "errorMessage": str(error),
                "errorType": type(error).__name__,
                "requestId": context.aws_request_id,
                "stackTrace": traceback.format_tb(error.__traceback__),
            }
            return json.dumps(described), True
        finally:
            if self._log is not None:
                with self._lock:
                    self._log.write(printed.getvalue())
                    self._log.flush()


@contextmanager
def lambda_runtime(runtime: LambdaRuntime) -> Iterator[None]:
    """Let moto's Lambda invoke functions in ``runtime``."""

    def invoke(  # moto's signature
        _: object, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: dict[str, str]
    ) -> bytes:
        del qualifier, headers
        result, failed = runtime.invoke(function_name, body)
        if failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return result.encode()

    with patch.object(LambdaSimpleBackend, "invoke", invoke), patch.object(sys, "stdout", _Stdout(sys.stdout)):
        yield


def _handler(function: Function) -> Callable[[Any, Any], Any]:
    # The functions folder is the root that Lambda imports from; here it is one folder on the path among others.
    if str(HANDLERS) not in sys.path:
        sys.path.insert(0, str(HANDLERS))
    handler: Callable[[Any, Any], Any] = import_module(function.name).handler
    return handler


class _Environments:
    """Sets ``os.environ`` to one environment at a time. Invocations with the same environment run side by side.

    In AWS each Lambda function has its own process. Here the children of a Map, functions of a connector, are threads.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._current: Mapping[str, str] = {}
        self._inside = 0

    @contextmanager
    def entered(self, environment: Mapping[str, str]) -> Iterator[None]:
        """Run the block in an environment."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside == 0 or self._current == environment)
            if self._current != environment:
                for name in self._current:
                    os.environ.pop(name, None)
                os.environ.update(environment)
                self._current = environment
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()


class _Stdout(io.TextIOBase):
    """Standard output. What the thread of an invocation prints goes to the log of that invocation."""

    def __init__(self, real: TextIO) -> None:
        self._real = real

    def write(self, text: str) -> int:
        """Write to the log of this thread's invocation. Without one, write to the real output."""
        target = _PRINTED.get() or self._real
        written: int = target.write(text)
        return written

    def flush(self) -> None:
        """Flush the real output, unless this thread writes to a log."""
        if _PRINTED.get() is None:
            self._real.flush()

    def isatty(self) -> bool:
        """Whether the real output is a terminal."""
        return self._real.isatty()

    def fileno(self) -> int:
        """Return the real output's descriptor."""
        return self._real.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only here, and never set
        """The real output's encoding."""
        return self._real.encoding


# A thread that a handler starts for its calls has a copy of the context.
_PRINTED: ContextVar[io.StringIO | None] = ContextVar("printed", default=None)


@contextmanager
def _printing_to(printed: io.StringIO) -> Iterator[None]:
    before = _PRINTED.set(printed)
    try:
        yield
    finally:
        _PRINTED.reset(before)
