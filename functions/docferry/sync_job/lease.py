"""The lease: at most one run of a connector at a time.

Held by an execution of the state machine, and taken over only when that execution is no longer running.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html is eventually consistent: an
execution that began a moment ago may not exist there yet.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct, structs

from docferry.errors import AlreadyRunning, LeaseLost
from docferry.state.keys import LEASE
from docferry.state.objects import Moved, Record
from docferry.state.store import Store

# Far longer than the list of executions was ever seen to lag, and no longer than a person waits for the next run.
YOUNG = timedelta(minutes=5)


class Lease(Struct, frozen=True):
    """Who holds the lease: the ARN of the execution, and its name, the run.

    ``over`` is the lease that it was taken over from, None when it was free.
    """

    execution: str
    run: str
    taken_at: datetime
    over: "Lease | None" = None


def take(store: Store, step_functions: Any, *, execution: str, run: str) -> Lease | None:
    """Take the lease for a run, or find that the run has it already. Returns the lease that it was taken over from.

    Raises AlreadyRunning when another execution holds it and is running.
    """
    lease = Lease(execution, run, datetime.now(UTC))
    try:
        store.create(LEASE, lease)
    except Moved:
        return _take_over(store, step_functions, lease)
    return None


def _take_over(store: Store, step_functions: Any, lease: Lease) -> Lease | None:
    held = store.read(LEASE, Lease)
    if held is None:
        raise AlreadyRunning("another run has just ended; start again")
    if held.value.execution == lease.execution:
        return held.value.over
    if is_running(step_functions, held):
        raise AlreadyRunning(f"already running: {held.value.execution}")
    try:
        over = structs.replace(held.value, over=None)
        store.swap(LEASE, structs.replace(lease, over=over), held.etag)
    except Moved as error:
        raise AlreadyRunning("another run has just taken the lease over") from error
    return over


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


def abandon(store: Store, step_functions: Any) -> str | None:
    """Free the lease of an execution that Step Functions does not know, and return its run.

    For a laptop, where the process that was Step Functions has died with its executions.
    """
    held = store.read(LEASE, Lease)
    if held is None or _status(step_functions, held.value.execution) is not None:
        return None
    store.delete(LEASE)
    return held.value.run


def young_holder(store: Store) -> str | None:
    """The execution that took the lease a few minutes ago, too young to be listed for certain; None without one."""
    held = store.read(LEASE, Lease)
    return held.value.execution if held is not None and held.age < YOUNG else None


def is_running(step_functions: Any, held: Record[Lease]) -> bool:
    """Whether the execution that holds the lease has not ended.

    One that Step Functions does not know was forgotten, or began a moment ago: the age of the lease tells.
    """
    status = _status(step_functions, held.value.execution)
    return held.age < YOUNG if status is None else status in {"RUNNING", "PENDING_REDRIVE"}


def _status(step_functions: Any, execution: str) -> str | None:
    try:
        status: str = step_functions.describe_execution(executionArn=execution)["status"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
            return None
        raise
    return status
