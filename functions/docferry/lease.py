"""The lease: at most one run of a connector at a time.

Held by an execution of the state machine, and taken over only when that execution is no longer running.
"""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct

from docferry.errors import AlreadyRunning, LeaseLost
from docferry.store import LEASE, Moved, Store


class Lease(Struct, frozen=True):
    """Who holds the lease: the ARN of the execution, and its name, the run."""

    execution: str
    run: str
    taken_at: datetime


def take(store: Store, step_functions: Any, *, execution: str, run: str) -> None:
    """Take the lease for a run, or find that the run has it already.

    Raises AlreadyRunning when another execution holds it and is running.
    """
    lease = Lease(execution, run, datetime.now(UTC))
    try:
        store.create(LEASE, lease)
    except Moved:
        _take_over(store, step_functions, lease)


def _take_over(store: Store, step_functions: Any, lease: Lease) -> None:
    held = store.read(LEASE, Lease)
    if held is None:
        raise AlreadyRunning("another run has just ended; start again")
    if held.value.execution == lease.execution:
        return
    if is_running(step_functions, held.value.execution):
        raise AlreadyRunning(f"already running: {held.value.execution}")
    try:
        store.replace(LEASE, lease, held.etag)
    except Moved as error:
        raise AlreadyRunning("another run has just taken the lease over") from error


def check(store: Store, *, execution: str) -> None:
    """Make sure that the lease is still this execution's. Raises LeaseLost."""
    held = store.read(LEASE, Lease)
    if held is None or held.value.execution != execution:
        raise LeaseLost(f"the lease is held by {held.value.execution if held else 'nobody'}; nothing was committed")


def release(store: Store, *, execution: str) -> None:
    """Give the lease back, when it is this execution's."""
    held = store.read(LEASE, Lease)
    if held is not None and held.value.execution == execution:
        store.delete(LEASE)


def is_running(step_functions: Any, execution: str) -> bool:
    """Whether Step Functions says that the execution has not ended. An unknown one has."""
    try:
        status: str = step_functions.describe_execution(executionArn=execution)["status"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
            return False
        raise
    return status in {"RUNNING", "PENDING_REDRIVE"}
