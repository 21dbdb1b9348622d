"""A storm of events while a run is going: each twice, in any order."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from docferry.workflow.trigger import Triggered, signals, trigger
from tests.faults.stage import NAME, PATIENCE_SECONDS, SERVICES, Stage, execution, stage

EVENTS = 1_000
BATCH = 25


def tell(on: Stage, *bodies: dict[str, Any]) -> Triggered:
    """Deliver messages to the trigger, as its queue does."""
    heard = signals({"Records": [{"body": json.dumps(body)} for body in bodies]})
    return trigger(on.store, on.wired.step_functions, on.deployment.state_machine, heard)


def ended(on: Stage, arn: str) -> dict[str, Any]:
    """Wait for the end of an execution; return the event that tells of it."""
    execution(arn).exec_worker.thread.join(PATIENCE_SECONDS)
    status = on.ended(arn.rpartition(":")[2], arn).status
    return {"source": "aws.states", "detail": {"executionArn": arn, "status": status}}


@pytest.mark.parametrize("service", SERVICES)
def test_a_thousand_events_during_a_run_become_one_more_run(service: str, tmp_path: Path) -> None:
    """At most one run is going and one is to come; at the end the index is what the source is."""
    with stage(service, tmp_path) as on:
        uploads = [{"source": "aws.s3", "detail": {"object": {"key": f"{n}.txt"}}} for n in range(EVENTS // 2)] * 2
        random.Random(7).shuffle(uploads)
        said: list[str] = []

        def storm() -> None:
            """Most events are of files that the crawl did not see any more."""
            on.aws.emulation.faults.hooks.clear()
            for number in range(20):
                on.write(f"{number}.txt", f"{number}, uploaded late")
            said.extend(tell(on, *uploads[start : start + BATCH]).outcome for start in range(0, EVENTS, BATCH))

        on.write("first.txt", "uploaded first")
        on.aws.emulation.faults.hooks["BatchPutDocument#1"] = storm
        first = tell(on, uploads[0])
        assert first.execution is not None
        end = ended(on, first.execution)
        assert set(said) == {"pending"}

        second = tell(on, end)
        assert second.outcome == "started"
        assert second.execution is not None
        assert tell(on, end, end).execution != first.execution
        news = ended(on, second.execution)
        assert {tell(on, news, end, news).outcome for _ in range(3)} == {"nothing"}

        runs = on.wired.step_functions.list_executions(stateMachineArn=on.deployment.state_machine)["executions"]
        assert [run["status"] for run in runs] == ["SUCCEEDED", "SUCCEEDED"]
        assert on.index() == on.source()
        assert set(on.manifest()) == {f"{NAME}/{name}.txt" for name in ["first", *map(str, range(20))]}
