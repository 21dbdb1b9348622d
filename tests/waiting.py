"""Waits for what other threads and processes do."""

import threading
from collections.abc import Callable

from moto.stepfunctions.responses import get_backend

from docferry_laptop.executions import Execution
from docferry_laptop.storage import ACCOUNT, REGION

PATIENCE_SECONDS = 120


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until other threads and processes have made something true."""
    waiting = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("waited in vain")


def wait_for_end(execution: Execution) -> None:
    """Wait until an execution has ended. It is looked at in moto's memory: a call for it costs more than a state."""
    backend = get_backend(ACCOUNT, REGION)
    wait_for(lambda: backend.describe_execution(execution.arn).status != "RUNNING")
