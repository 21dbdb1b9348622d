"""Whether a run is going on, as Step Functions and the lease tell."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from docferry.connector import Connector, Part
from docferry.runtime import wiring
from docferry.state.keys import LEASE
from docferry.state.store import Store
from docferry.sync_job.lease import Lease
from docferry_cli.targets.opened import UNSEEN_LOOKS, Startable
from tests.unit.fakes import FakeStepFunctions

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:docferry-handbook"
EXECUTION = MACHINE.replace(":stateMachine:", ":execution:") + ":run-1"


class Starting(FakeStepFunctions):
    """Step Functions that takes an execution and does not show it yet."""

    def start_execution(self, *, name: str, **_: Any) -> dict[str, str]:
        """Take an execution."""
        return {"executionArn": f"{MACHINE}:{name}"}


@pytest.fixture
def step_functions(monkeypatch: pytest.MonkeyPatch) -> FakeStepFunctions:
    """Step Functions with no execution."""
    fake = Starting()
    monkeypatch.setattr(wiring, "client", lambda _: fake)
    return fake


@pytest.fixture
def opened(store: Store) -> Startable:
    """A connector in AWS."""
    connector = Connector("handbook", Part("s3"), Part("kendra"))
    found = Startable("aws", connector, connector.index, store.bucket, state_machine=MACHINE, interrupted="")
    found.__dict__["store"] = store
    return found


@pytest.mark.parametrize(("status", "going_on"), [("RUNNING", True), ("PENDING_REDRIVE", True), ("FAILED", False)])
def test_an_execution_says_itself_whether_it_runs(
    opened: Startable, step_functions: FakeStepFunctions, status: str, *, going_on: bool
) -> None:
    """One that waits for a redrive has not ended."""
    step_functions.statuses = {EXECUTION: status}

    assert opened.running("run-1") is going_on


@pytest.mark.usefixtures("step_functions")
def test_an_execution_that_is_not_known_runs_while_its_lease_is_young(opened: Startable, store: Store) -> None:
    """The list of executions may lag behind."""
    before = opened.running("run-1")
    store.write(LEASE, Lease(EXECUTION, "run-1", datetime.now(UTC)))

    assert (before, opened.running("run-1"), opened.running("run-2")) == (False, True, False)
    assert "does not know this execution" in opened.why("run-1")


@pytest.mark.usefixtures("step_functions")
def test_an_execution_that_was_just_started_runs_for_a_while(opened: Startable) -> None:
    """And is given up when it never shows."""
    execution = opened.start()

    assert all(opened.running(execution.run) for _ in range(UNSEEN_LOOKS))
    assert not opened.running(execution.run)


def test_another_error_is_an_error(opened: Startable, step_functions: FakeStepFunctions) -> None:
    """A missing right is not an execution that has ended."""
    step_functions.error = "AccessDeniedException"

    with pytest.raises(ClientError):
        opened.running("run-1")
