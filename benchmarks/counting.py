"""Counts what runs on the emulators really use: the calls of every function, and the transitions of the workflow."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

from docferry.runtime.assets import DEFINITION
from docferry_laptop.costs.usage import WORKFLOW, Usage
from docferry_laptop.moto.lambda_runtime import LambdaRuntime
from docferry_laptop.moto.transitions import telling_states

PUT_CLASS = frozenset(
    {
        *("PutObject", "CopyObject", "ListObjectsV2"),
        *("CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"),
    }
)
"""Operations of S3's dearer class: https://aws.amazon.com/s3/pricing/."""
FREE = frozenset({"DeleteObject", "DeleteObjects", "AbortMultipartUpload"})
INDEXES = frozenset({"kendra", "qbusiness"})

_FUNCTION: ContextVar[str | None] = ContextVar("function", default=None)
"""The function that is at work; the threads that it starts with its context are its own."""


class Counter:
    """Counts the calls that are made while it is installed. The thread that installed it is not part of a run."""

    def __init__(self) -> None:
        self.usage = Usage()
        self._lock = threading.Lock()
        self._observer = threading.current_thread()
        self._running: list[str] = []
        definition = json.loads(DEFINITION.read_text(encoding="utf-8"))
        maps = [state for state in definition["States"].values() if state["Type"] == "Map"]
        self._child_starts = {state["ItemProcessor"]["StartAt"] for state in maps}

    def taken(self) -> Usage:
        """What was counted since the last time."""
        with self._lock:
            counted, self.usage = self.usage, Usage()
        return counted

    def called(self, service: str, operation: str) -> None:
        """Count one call, for the function that makes it."""
        kind = kind_of(service, operation)
        if kind is None or threading.current_thread() is self._observer:
            return
        with self._lock:
            use = self.usage.of(self._function())
            setattr(use, kind, getattr(use, kind) + 1)

    def entered(self, state: str) -> None:
        """Count one transition. The start of a child of the Distributed Map is one more.

        https://docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html
        """
        with self._lock:
            self.usage.transitions += 2 if state in self._child_starts else 1

    @contextmanager
    def invoked(self, function: str) -> Iterator[None]:
        """Count an invocation; the calls of the block are its own."""
        with self._lock:
            self.usage.of(function).invocations += 1
            self._running.append(function)
        before = _FUNCTION.set(function)
        try:
            yield
        finally:
            _FUNCTION.reset(before)
            with self._lock:
                self._running.remove(function)

    def _function(self) -> str:
        """The function of this thread. A thread without a context is of the only function that runs."""
        mine = _FUNCTION.get()
        if mine is None and len(self._running) == 1:
            return self._running[0]
        return mine or WORKFLOW


def kind_of(service: str, operation: str) -> str | None:
    """What a call counts as; None when it is free, or paid for in another way."""
    if service in INDEXES:
        return "index_calls"
    if service != "s3" or operation in FREE:
        return None
    return "s3_puts" if operation in PUT_CLASS else "s3_gets"


@contextmanager
def counting() -> Iterator[Counter]:
    """Count everything that happens in the block, on the laptop that runs in this process."""
    counter = Counter()
    real_invoke = LambdaRuntime.invoke
    real_call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001  # nothing public sees every call

    def call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        counter.called(client.meta.service_model.service_name, operation)
        return real_call(client, operation, params)

    def invoke(runtime: LambdaRuntime, arn: str, payload: str | bytes) -> tuple[str, bool]:
        with counter.invoked(arn.rpartition("-")[2]):
            return real_invoke(runtime, arn, payload)

    with (
        patch.object(BaseClient, "_make_api_call", call),
        patch.object(LambdaRuntime, "invoke", invoke),
        telling_states(counter.entered),
    ):
        yield counter
