"""The lease: at most one run of a connector, and no lease that stays for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from docferry.errors import AlreadyRunning, LeaseLost
from docferry.state.keys import LEASE
from docferry.state.store import Store
from docferry.sync_job import lease
from docferry.sync_job.lease import Lease
from tests.unit.fakes import FakeStepFunctions


def holder(store: Store) -> str | None:
    """Who holds the lease."""
    held = store.read(LEASE, Lease)
    return held.value.execution if held else None


def take(store: Store, execution: str, **statuses: str) -> None:
    """Take the lease while Step Functions says this of executions."""
    lease.take(store, FakeStepFunctions(**statuses), execution=execution, run=f"run-{execution}")


def test_a_free_lease_is_taken(store: Store) -> None:
    """It says who holds it, and since when."""
    take(store, "one")

    held = store.read(LEASE, Lease)
    assert held is not None
    assert (held.value.execution, held.value.run) == ("one", "run-one")
    assert held.value.taken_at.utcoffset() is not None


def test_the_holder_finds_that_it_has_the_lease(store: Store) -> None:
    """A crawl in several invocations, or one that is retried, takes it again each time."""
    take(store, "one", one="RUNNING")
    take(store, "one", one="RUNNING")

    assert holder(store) == "one"


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_a_second_run_is_turned_away(store: Store, status: str) -> None:
    """Its error names the run that is under way; the lease stays where it is."""
    take(store, "one")

    with pytest.raises(AlreadyRunning, match="already running: one"):
        take(store, "two", one=status)

    assert holder(store) == "one"


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
def test_the_lease_of_an_ended_run_is_taken_over(store: Store, status: str) -> None:
    """A run that was aborted has freed nothing."""
    take(store, "one")

    take(store, "two", one=status)

    assert holder(store) == "two"


def test_the_lease_of_an_unknown_execution_is_taken_over_when_it_is_old(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step Functions forgets executions after 90 days; one that began a moment ago it may not show yet."""
    take(store, "one")
    with pytest.raises(AlreadyRunning, match="already running: one"):
        take(store, "two")
    assert holder(store) == "one"

    monkeypatch.setattr(lease, "YOUNG", timedelta(0))
    take(store, "two")

    assert holder(store) == "two"


@pytest.mark.parametrize("days", [-1, 1])
def test_the_age_of_a_lease_does_not_depend_on_this_machines_clock(
    store: Store, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """S3 says when the lease was written, and what time it is."""
    take(store, "one")
    real = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(lease, "datetime", Mock(now=lambda _: real))

    with pytest.raises(AlreadyRunning):
        take(store, "two")


def test_who_takes_over_learns_from_whom(store: Store) -> None:
    """The run that has died cannot say itself that it is over. An attempt that is repeated learns the same."""
    assert lease.take(store, FakeStepFunctions(), execution="one", run="run-one") is None

    over = lease.take(store, FakeStepFunctions(one="ABORTED"), execution="two", run="run-two")
    again = lease.take(store, FakeStepFunctions(two="RUNNING"), execution="two", run="run-two")

    assert over is not None
    assert (over.run, over.execution) == ("run-one", "one")
    assert again == over


def test_a_lease_of_a_process_that_died_is_given_up(store: Store) -> None:
    """On a laptop, Step Functions dies with its executions, and knows each one that lives."""
    take(store, "one")

    assert lease.abandon(store, FakeStepFunctions(one="RUNNING")) is None
    assert holder(store) == "one"
    assert lease.abandon(store, FakeStepFunctions()) == "run-one"
    assert holder(store) is None
    assert lease.abandon(store, FakeStepFunctions()) is None


def test_who_cannot_ask_does_not_take_over(store: Store) -> None:
    """A missing permission is no proof that the other run has ended."""
    take(store, "one")
    step_functions = FakeStepFunctions()
    step_functions.error = "AccessDeniedException"

    with pytest.raises(ClientError):
        lease.take(store, step_functions, execution="two", run="run-two")

    assert holder(store) == "one"


class Racing(FakeStepFunctions):
    """Lets something happen while Step Functions is asked."""

    def __init__(self, happens: Any) -> None:
        super().__init__(one="ABORTED")
        self._happens = happens

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803  # boto3's name
        """Give the status, after it happened."""
        self._happens()
        return super().describe_execution(executionArn=executionArn)


def test_of_two_that_take_over_one_gets_it(store: Store) -> None:
    """The lease moves by compare-and-swap."""
    take(store, "one")

    with pytest.raises(AlreadyRunning, match="another run"):
        lease.take(store, Racing(lambda: take(store, "three", one="ABORTED")), execution="two", run="run-two")

    assert holder(store) == "three"


def test_a_lease_that_is_freed_while_it_is_taken_over_is_not_taken(store: Store) -> None:
    """Nothing is known of what happened between: the next start gets it."""
    take(store, "one")

    with pytest.raises(AlreadyRunning, match="another run"):
        lease.take(store, Racing(lambda: store.delete(LEASE)), execution="two", run="run-two")

    assert holder(store) is None


def test_only_the_holder_gives_the_lease_back(store: Store) -> None:
    """A run that was turned away cleans up, too, and must not free the other's lease."""
    take(store, "one")

    lease.release(store, execution="two")
    assert holder(store) == "one"

    lease.release(store, execution="one")
    assert holder(store) is None

    lease.release(store, execution="one")


def test_the_holder_passes_the_check(store: Store) -> None:
    """Whoever still has the lease may commit."""
    take(store, "one")

    lease.check(store, execution="one")


def test_who_has_lost_the_lease_commits_nothing(store: Store) -> None:
    """The error says who has it now."""
    with pytest.raises(LeaseLost, match="held by nobody"):
        lease.check(store, execution="one")

    take(store, "two")

    with pytest.raises(LeaseLost, match="held by two"):
        lease.check(store, execution="one")
