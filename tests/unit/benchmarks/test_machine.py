"""The walk through a definition: retries, catches, and children of a Map."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.scale.calls import Calls
from benchmarks.scale.lambdas import Failed
from benchmarks.scale.machine import Machine
from benchmarks.scale.virtual import Simulation
from docferry_laptop.costs import calibration

TASK = {"Type": "Task", "Resource": "${Function}", "End": True}


class Functions:
    """Functions that fail as often as they are told, and take a minute."""

    def __init__(self, simulation: Simulation, failures: int = 0) -> None:
        self._simulation = simulation
        self._failures = failures
        self.events: list[tuple[float, Any]] = []

    def invoke(self, _: str, event: Any) -> Any:
        """Take a minute, and fail or answer."""
        self.events.append((round(self._simulation.now), event))
        self._simulation.sleep(60)
        if len(self.events) <= self._failures:
            raise Failed("Throttled", "slower")
        return {"done": True}

    @contextmanager
    def together(self, _: Any) -> Iterator[None]:
        """Nothing is measured."""
        yield


class Items:
    """The items of a Map."""

    def __init__(self, number: int) -> None:
        self._items = list(range(number))

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  # boto3's parameters
        """The items, whatever the key."""
        del Bucket, Key
        return {"Body": io.BytesIO(json.dumps(self._items).encode())}


def walked(states: dict[str, Any], *, failures: int = 0, items: int = 0) -> tuple[Any, int, Functions, Calls]:
    """Walk through states from the one named First."""
    simulation = Simulation(counts_processor=False)
    calls = Calls(simulation, calibration.load(), lambda _now, _text: None)
    functions = Functions(simulation, failures)
    machine = Machine(calls, functions, Items(items), {"StartAt": "First", "States": states}, seed=0)  # type: ignore[arg-type]  # what the machine uses
    outcome, events = simulation.run(lambda: machine.execute("run", {"given": 1}))
    return outcome, events, functions, calls


def test_a_task_is_retried() -> None:
    """A task that fails is invoked again after growing waits, and each retry is a transition and three events."""
    retry = [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 10, "BackoffRate": 2, "MaxAttempts": 2}]
    outcome, events, functions, calls = walked({"First": {**TASK, "Retry": retry}}, failures=2)
    assert outcome.output == {"done": True}
    assert [moment for moment, _ in functions.events] == [0, 70, 150]
    assert calls.usage.transitions == 3
    assert events == 2 + 2 + 3 * 3


def test_what_is_retried_in_vain_is_caught() -> None:
    """After the last attempt the error goes where the definition says, with its name and its cause."""
    states = {
        "First": {
            **TASK,
            "Retry": [{"ErrorEquals": ["Throttled"], "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": "Over"}],
        },
        "Over": {"Type": "Fail", "Error": "Over", "CausePath": "$.caught.Error"},
    }
    outcome, _, functions, _ = walked(states, failures=9)
    assert (outcome.error, outcome.cause) == ("Over", "Throttled")
    assert len(functions.events) == 2


def test_children_run_so_many_at_a_time() -> None:
    """Ten children, four at a time, take three minutes, and leave six events in the history of the run."""
    processor = {"StartAt": "Child", "States": {"Child": TASK}}
    reader = {"Parameters": {"Bucket": "b", "Key.$": "$.given"}}
    states = {
        "First": {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "MaxConcurrency": 4, "End": True}
    }
    outcome, events, functions, calls = walked(states, items=10)
    assert not outcome.error
    assert [moment for moment, _ in functions.events] == [0] * 4 + [60] * 4 + [120] * 2
    assert events == 2 + 2 + 3
    assert calls.usage.transitions == 1 + 2 * 10


def test_a_child_that_fails_fails_the_map() -> None:
    """The Map fails when more children fail than it tolerates."""
    processor = {"StartAt": "Child", "States": {"Child": TASK}}
    state = {
        "Type": "Map",
        "ItemReader": {"Parameters": {"Key": "k"}},
        "ItemProcessor": processor,
        "MaxConcurrency": 1,
        "End": True,
    }
    assert walked({"First": state}, items=3, failures=1)[0].error == "States.ExceedToleratedFailureThreshold"
    assert not walked({"First": {**state, "ToleratedFailurePercentage": 100}}, items=3, failures=1)[0].error


def test_paths_choose_and_wait() -> None:
    """A Choice follows a path, and a Wait waits as long as one says."""
    states = {
        "First": {"Type": "Pass", "Parameters": {"seconds": 5, "name.$": "$$.Execution.Name"}, "Next": "Which"},
        "Which": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.name", "StringEquals": "run", "Next": "Wait"}],
            "Default": "Lost",
        },
        "Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Over"},
        "Over": {"Type": "Succeed", "OutputPath": "$.seconds"},
        "Lost": {"Type": "Fail"},
    }
    outcome, _, _, calls = walked(states)
    assert outcome.output == 5
    assert calls.usage.transitions == 4
