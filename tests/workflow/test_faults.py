"""The real state machine under faults: the job is stopped, the lease freed, and one clean run makes it all good."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal
from unittest.mock import patch

import boto3
import pytest

from docferry.indexes.service import OnIndex, OnJobs
from docferry.state.keys import LEASE
from docferry.sync_job import lease
from docferry.workflow.janitor import Request, janitor
from docferry_laptop.moto.lambda_runtime import LambdaRuntime
from tests.waiting import wait_for, wait_for_end
from tests.workflow.world import World


def function(arn: str) -> str:
    """The name of a deployed function, without the connector's."""
    return arn.rpartition("-")[2]


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let invocations of a function die, before it does anything or after all it does."""
    invoke = LambdaRuntime.invoke

    def crash(name: str, *, after: bool = False, times: int | None = None) -> None:
        left = [times]

        def dying(runtime: LambdaRuntime, arn: str, payload: str | bytes) -> tuple[str, bool]:
            if function(arn) != name or left[0] == 0:
                return invoke(runtime, arn, payload)
            if left[0] is not None:
                left[0] -= 1
            if after:
                invoke(runtime, arn, payload)
            return json.dumps({"errorType": "Lambda.Unknown", "errorMessage": "the process died"}), True

        monkeypatch.setattr(LambdaRuntime, "invoke", dying)

    crash.stop = lambda: monkeypatch.setattr(LambdaRuntime, "invoke", invoke)  # type: ignore[attr-defined]  # a handle
    return crash


ORCHESTRATION = pytest.mark.parametrize("kind", ["bedrock"])
"""For what the state machine does whatever the service; with the one whose jobs the connector keeps itself."""
STATES = ("crawl", "start_sync", "put_batch", "delete_batch", "stop_sync", "poll_sync", "commit")


def three_changes(world: World) -> None:
    """A source that is in sync, then gets a document, loses one, and changes one."""
    for name in ("a.txt", "b.txt", "c.txt"):
        world.write(name)
    world.sync()
    world.write("a.txt", "changed")
    world.write("d.txt")
    (world.folder / "b.txt").unlink()


@ORCHESTRATION
@pytest.mark.parametrize("state", STATES)
def test_a_function_that_dies_once_is_tried_again(world: World, crashing: Callable[..., None], state: str) -> None:
    """After all its effects, once: the retry completes the run. `make faults` has every other point."""
    three_changes(world)
    crashing(state, after=True, times=1)

    run = world.sync()

    assert run.status == "SUCCEEDED"
    world.assert_at_rest()
    world.assert_converged("a.txt", "c.txt", "d.txt")
    assert world.indexed("b.txt") == set()


@ORCHESTRATION
@pytest.mark.parametrize(
    ("state", "after"), [*((state, False) for state in STATES), ("put_batch", True), ("delete_batch", True)]
)
def test_a_function_that_always_dies_fails_the_run_and_leaves_nothing_open(
    world: World, crashing: Any, state: str, *, after: bool
) -> None:
    """The run fails with a report, its job is stopped and its lease free; the next run brings all together."""
    three_changes(world)
    crashing(state, after=after)

    execution = world.start()
    wait_for_end(execution)

    crashing.stop()
    # A shard that left its result is done, whatever became of the function; so is a run that left its report.
    done = after and state in {"put_batch", "delete_batch"}
    assert execution.status() == ("SUCCEEDED" if done else "FAILED")
    assert world.report_exists(execution.run)
    assert "SYNCING" not in world.jobs()
    assert world.store.read(LEASE, lease.Lease) is None
    assert world.sync().status == "SUCCEEDED"
    world.assert_at_rest()
    world.assert_converged("a.txt", "c.txt", "d.txt")
    assert world.indexed("b.txt") == set()


def test_a_document_put_by_a_run_that_died_is_deleted_when_it_is_gone(world: World, crashing: Any) -> None:
    """It never came to the manifest, and yet the next run knows that the index may hold it."""
    world.write("keep.txt")
    world.sync()
    world.write("ghost.txt")
    crashing("put_batch", after=True)
    execution = world.start()
    wait_for_end(execution)
    crashing.stop()
    assert world.indexed("ghost.txt") == {"ghost.txt"}
    (world.folder / "ghost.txt").unlink()

    world.sync()

    assert world.indexed("ghost.txt") == set()
    world.assert_converged("keep.txt")


@pytest.mark.parametrize("call", ["start", "stop", "put", "delete"])
def test_a_lost_reply_does_no_harm(world: World, call: OnJobs | OnIndex) -> None:
    """The call took effect, the caller does not know: the run succeeds all the same, with one job."""
    three_changes(world)
    operation = world.operation(call)
    calls = world.aws.emulation.faults.calls[operation]
    world.knobs.lose_reply.add(f"{operation}#{calls + 1}")

    run = world.sync()

    assert run.status == "SUCCEEDED"
    assert len(world.jobs()) == 2
    world.assert_at_rest()
    world.assert_converged("a.txt", "c.txt", "d.txt")


@pytest.mark.parametrize("fault", ["throttle_every", "fail_every"])
def test_throttling_and_server_errors_are_waited_out(world: World, fault: str) -> None:
    """Every third call of anything is refused: the run takes longer, and is as good."""
    three_changes(world)
    getattr(world.knobs, fault)["*"] = 3

    run = world.sync()

    assert (run.status, run.added, run.modified, run.deleted) == ("SUCCEEDED", 1, 1, 1)
    world.assert_at_rest()
    getattr(world.knobs, fault).clear()
    world.assert_converged("a.txt", "c.txt", "d.txt")


def test_a_throttle_that_does_not_end_fails_the_run_with_the_job_stopped(world: World) -> None:
    """Puts never get through: the shard has no result, its documents are not taken for indexed."""
    three_changes(world)
    world.knobs.throttle_every[world.operation("put")] = 1

    run = world.sync()

    assert run.status == "FAILED"
    assert "shards without a result: put-00000" in run.error
    assert run.deleted == 1
    world.assert_at_rest()
    world.knobs.throttle_every.clear()
    world.sync()
    world.assert_converged("a.txt", "c.txt", "d.txt")


@pytest.mark.parametrize("status", ["FAILED", "ABORTED"])
def test_a_job_that_fails_commits_only_what_the_index_confirms(
    world: World, status: Literal["FAILED", "ABORTED"]
) -> None:
    """The execution fails; documents the index says it holds are committed, and the next run has the rest."""
    world.write("a.txt")
    world.end_jobs(status)

    run = world.sync()

    ended = status if world.deployment.wired.index.service.has_jobs else "FAILED"
    assert (run.status, run.job_status) == ("FAILED", ended)
    assert ended in run.error
    world.assert_at_rest()
    world.end_jobs(None)
    assert world.sync().status == "SUCCEEDED"
    world.assert_converged("a.txt")


def test_a_job_that_never_ends_is_given_up_after_the_deadline(world: World) -> None:
    """26 hours of virtual time later the run fails; nothing of it is believed, and later all is sent again."""
    world.write("a.txt")
    world.knobs.stuck, world.knobs.stuck_documents = True, {"*"}

    run = world.sync()

    assert run.status == "FAILED"
    # Nobody but the adapter can end a job of its own, so it does.
    assert ("SYNCING_INDEXING" if world.deployment.wired.index.service.has_jobs else "FAILED") in run.error
    assert world.store.read(LEASE, lease.Lease) is None
    world.knobs.stuck, world.knobs.stuck_documents = False, set()
    assert world.sync().status == "SUCCEEDED"
    world.assert_converged("a.txt")


def test_a_job_of_somebody_else_is_waited_for_and_never_stopped(world: World) -> None:
    """The data source is busy with a job this connector did not open: the run gives up, the job goes on."""
    world.write("a.txt")
    stranger = world.deployment.wired.index.start()

    run = world.sync()

    assert run.status == "FAILED"
    assert "SyncJobBusy" in run.error
    assert stranger in run.error
    assert world.jobs() == ["SYNCING"]
    world.deployment.wired.index.stop()
    assert world.sync().added == 1


def test_a_second_run_is_refused_while_the_first_runs(world: World) -> None:
    """It says which execution is running, and changes nothing; the first one ends well."""
    world.write("a.txt")
    seen: list[str] = []

    def start_another() -> None:
        second = world.finish(world.start())
        seen.append(second.error)

    world.aws.emulation.faults.hooks[f"{world.operation('put')}#1"] = start_another

    run = world.sync()

    assert (run.status, run.added) == ("SUCCEEDED", 1)
    assert "AlreadyRunning: already running: arn:aws:states" in seen[0]
    assert run.run in seen[0]
    assert len(world.jobs()) == 1
    world.assert_at_rest()


@pytest.mark.parametrize("call", ["put", "stop", "jobs"])
def test_the_janitor_cleans_up_after_an_aborted_execution(world: World, call: OnJobs | OnIndex) -> None:
    """An abort runs no Catch: the janitor stops the job and frees the lease, and a second time does nothing."""
    world.write("a.txt")
    arns: list[str] = []

    def abort() -> None:
        world.aws.emulation.faults.hooks.clear()
        boto3.client("stepfunctions").stop_execution(executionArn=arns[0])

    world.aws.emulation.faults.hooks[world.operation(call)] = abort
    machine = world.deployment.state_machine
    arns.append(machine.replace(":stateMachine:", ":execution:") + ":aborted")
    boto3.client("stepfunctions").start_execution(stateMachineArn=machine, name="aborted", input="{}")
    wait_for(lambda: boto3.client("stepfunctions").describe_execution(executionArn=arns[0])["status"] == "ABORTED")

    for _ in range(2):
        janitor(world.deployment.wired, Request("aborted", arns[0]))

        assert "SYNCING" not in world.jobs()
        assert world.store.read(LEASE, lease.Lease) is None
    assert world.sync().status == "SUCCEEDED"
    world.assert_at_rest()
    world.assert_converged("a.txt")


def test_the_janitor_of_one_run_leaves_another_alone(world: World) -> None:
    """It frees no lease and stops no job that its run does not have."""
    world.write("a.txt")
    held: list[Any] = []

    def clean_up_another() -> None:
        janitor(world.deployment.wired, Request("other", "arn:of:another"))
        held.append(world.store.read(LEASE, lease.Lease))

    world.aws.emulation.faults.hooks[f"{world.operation('put')}#1"] = clean_up_another

    run = world.sync()

    assert (run.status, run.added) == ("SUCCEEDED", 1)
    assert held[0].value.run == run.run


def test_a_lease_whose_execution_is_gone_is_taken_over(world: World) -> None:
    """A run that died without a trace does not lock the connector for ever."""
    dead = "arn:aws:states:us-east-1:123456789012:execution:docferry-team:dead"
    lease.take(world.store, world.deployment.wired.step_functions, execution=dead, run="dead")
    world.write("a.txt")

    assert "AlreadyRunning" in world.sync().error  # it may have begun a moment ago
    with patch.object(lease, "YOUNG", timedelta(0)):
        assert world.sync().added == 1
