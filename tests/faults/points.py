"""Fault points: every call of S3, Step Functions and the index service that a handler makes, and its return.

They are not listed by hand: a recorder around botocore notes what the handlers really do.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol
from unittest.mock import patch

from botocore.client import BaseClient
from msgspec import Struct

from docferry_laptop.moto.lambda_runtime import LambdaRuntime

READS = ("Get", "Head", "List", "Describe", "BatchGet", "Search")
"""How the names of operations begin that change nothing; every other one has an effect."""

RETURN = "return"

Proceed = Callable[[], Any]


class Point(Struct, frozen=True, order=True):
    """The n-th time in a run that a function calls an operation on a key, or returns."""

    function: str
    operation: str
    key: str = ""
    n: int = 1

    def __str__(self) -> str:
        return f"{':'.join(filter(None, (self.function, self.operation, self.key)))}#{self.n}"

    @classmethod
    def parse(cls, text: str) -> "Point":
        """Read what ``str`` wrote."""
        where, _, n = text.rpartition("#")
        function, operation, *key = where.split(":")
        return cls(function, operation, key[0] if key else "", int(n))

    @property
    def site(self) -> tuple[str, str, str]:
        """The point without its number."""
        return self.function, self.operation, self.key


class Call(Struct, frozen=True):
    """What is about to happen at a point: a call of a service, or, without one, a whole invocation."""

    point: Point
    run: str
    invocation: int
    service: str
    params: dict[str, Any]

    @property
    def effect(self) -> bool:
        """Whether something outside of the process changes."""
        return bool(self.service) and not self.point.operation.startswith(READS)


class Interceptor(Protocol):
    """Is asked at every point; ``proceed`` is what would happen."""

    def around(self, call: Call, proceed: Proceed) -> Any:
        """Let a call, or a whole invocation, happen, or not."""
        ...


class Died(BaseException):
    """The process of a handler ends here; no ``except Exception`` sees it. ``error`` is Lambda's name for it."""

    def __init__(self, error: str = "Lambda.Unknown") -> None:
        super().__init__(error)
        self.error = error


class _Invocation:
    def __init__(self, function: str, run: str, number: int) -> None:
        self.function = function
        self.run = run
        self.number = number


class Watch:
    """Stands between the handlers and the services while it is installed, and hands every call to an interceptor."""

    def __init__(self, interceptor: Interceptor) -> None:
        self.interceptor = interceptor
        # A thread that a handler starts for its calls is in the same invocation: it gets a copy of the context.
        self._invocation: ContextVar[_Invocation | None] = ContextVar("invocation", default=None)
        self._changed = threading.Condition()
        self._counts: Counter[tuple[str, tuple[str, str, str]]] = Counter()
        self._invocations = 0
        self.inside = 0

    def reset(self) -> None:
        """Count anew."""
        self._counts.clear()
        self._invocations = 0

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Calls of this thread are not those of a handler for a while."""
        before = self._invocation.set(None)
        try:
            yield
        finally:
            self._invocation.reset(before)

    def idle(self, seconds: float) -> bool:
        """Wait until no handler runs; False when one still does after so many real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.inside == 0, seconds)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Watch everything that happens in the block."""
        real_call, real_invoke = BaseClient._make_api_call, LambdaRuntime.invoke  # type: ignore[attr-defined]

        def call(caller: BaseClient, operation: str, params: dict[str, Any]) -> Any:
            invocation = self._current()
            if invocation is None:
                return real_call(caller, operation, params)
            service = caller.meta.service_model.service_name
            seen = self._call(invocation, operation, service, params)
            return self.interceptor.around(seen, lambda: real_call(caller, operation, params))

        def invoke(runtime: LambdaRuntime, arn: str, payload: str | bytes) -> tuple[str, bool]:
            with self._invoked(arn.rpartition("-")[2], json.loads(payload).get("run", "")) as invocation:
                seen = self._call(invocation, RETURN, "", {})
                try:
                    result: tuple[str, bool] = self.interceptor.around(seen, lambda: real_invoke(runtime, arn, payload))
                except Died as died:
                    return json.dumps({"errorType": died.error, "errorMessage": "the process died"}), True
                return result

        with patch.object(BaseClient, "_make_api_call", call), patch.object(LambdaRuntime, "invoke", invoke):
            yield

    def _current(self) -> _Invocation | None:
        return self._invocation.get()

    @contextmanager
    def _invoked(self, function: str, run: str) -> Iterator[_Invocation]:
        with self._changed:
            self.inside += 1
            self._invocations += 1
            invocation = _Invocation(function, run, self._invocations)
        before = self._invocation.set(invocation)
        try:
            yield invocation
        finally:
            self._invocation.reset(before)
            with self._changed:
                self.inside -= 1
                self._changed.notify_all()

    def _call(self, invocation: _Invocation, operation: str, service: str, params: dict[str, Any]) -> Call:
        site = invocation.function, operation, key_pattern(params, invocation.run)
        with self._changed:
            self._counts[invocation.run, site] += 1
            point = Point(*site, self._counts[invocation.run, site])
        return Call(point, invocation.run, invocation.number, service, params)


def key_pattern(params: dict[str, Any], run: str) -> str:
    """The key, or prefix, of an S3 call, with what differs from one run to the next left out."""
    delete = params.get("Delete")
    key = params.get("Key") or params.get("Prefix") or (delete["Objects"][0]["Key"] if delete else "")
    key = key.replace(run, "<run>") if run else key
    key = re.sub(r"^data-sources/[^/]+(/([0-9a-f-]{36}|[0-9A-Z]{10}))+/", "data-sources/<data source>/", key)
    key = re.sub(r"-\d{13}\b", "-<ordering id>", key)
    key = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<other>", key)
    return re.sub(r"[0-9a-f]{64}|\b[0-9a-f]{16}(?=\.)", "<digest>", key)


class Recorder:
    """An interceptor that lets everything happen, and notes it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def around(self, call: Call, proceed: Proceed) -> Any:
        """Note the call; a return is noted after it."""
        if call.service:
            self.calls.append(call)
            return proceed()
        result = proceed()
        self.calls.append(call)
        return result
