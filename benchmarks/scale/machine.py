"""Step Functions: walks the definition of the workflow, with the kinds of states that it uses.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

import json
import random
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from benchmarks.scale.calls import Calls
from benchmarks.scale.lambdas import Failed, Lambda

if TYPE_CHECKING:
    from benchmarks.scale.virtual import Task

State = Mapping[str, Any]
Data = Any

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
ENTERED_AND_EXITED = 2
OF_INVOCATION = 3
"""Scheduled, started, and how it ended."""
OF_MAP_RUN = 3
OF_EXECUTION = 2
SECONDS, ATTEMPTS, RATE = 1, 3, 2.0
"""What a retrier has when the definition does not say."""


class Reader(Protocol):
    """Reads an object of the state bucket, as Step Functions does for the items of a Map."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """See S3."""
        ...


class Outcome(Struct):
    """How an execution has ended."""

    output: Data = None
    error: str = ""
    cause: str = ""


class Execution(Struct):
    """An execution, or a child of a Map, which has a history of its own. ``events`` are those of its history."""

    context: dict[str, Any]
    events: int = OF_EXECUTION


class Machine:
    """One state machine. ``children`` counts how many children of a Map have run at one time at most."""

    def __init__(self, calls: Calls, functions: Lambda, s3: Reader, definition: Mapping[str, Any], seed: int) -> None:
        self._calls = calls
        self._functions = functions
        self._s3 = s3
        self._definition = definition
        self._random = random.Random(seed)
        self.running: dict[str, str] = {}
        self.children = 0
        self.child_events = 0
        self._now_running = 0

    def execute(self, name: str, given: Data) -> tuple[Outcome, int]:
        """Run an execution to its end. Gives its outcome, and the events of its history."""
        arn = f"arn:aws:states:us-east-1:123456789012:execution:docferry:{name}"
        self.running[arn] = "RUNNING"
        execution = Execution({"Execution": {"Name": name, "Id": arn, "Input": given}})
        outcome = self._walk(self._definition, given, execution)
        self.running[arn] = "FAILED" if outcome.error else "SUCCEEDED"
        self._calls.tell(f"the execution ends: {outcome.error or 'SUCCEEDED'} {outcome.cause[:300]}")
        return outcome, execution.events

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        """See Step Functions."""
        return {"status": self.running[executionArn]}

    def _walk(self, machine: State, data: Data, execution: Execution) -> Outcome:
        """Go from state to state."""
        name = machine["StartAt"]
        while True:
            state = machine["States"][name]
            execution.events += ENTERED_AND_EXITED
            self._calls.usage.transitions += 1
            self._calls.simulation.sleep(self._calls.times.transition.seconds)
            kind = state["Type"]
            if kind == "Succeed":
                return Outcome(_path(state.get("OutputPath", "$"), data, execution.context))
            if kind == "Fail":
                cause = _path(state["CausePath"], data, execution.context) if "CausePath" in state else ""
                return Outcome(None, state.get("Error", ""), cause or state.get("Cause", ""))
            try:
                data, following = self._enter(name, state, data, execution)
            except Failed as failed:
                catcher = next((one for one in state.get("Catch", ()) if _matches(one, failed.name)), None)
                if catcher is None:
                    return Outcome(None, failed.name, failed.cause)
                caught = {"Error": failed.name, "Cause": failed.cause}
                data, following = _placed(catcher.get("ResultPath", "$"), data, caught), catcher["Next"]
            if following is None:
                return Outcome(data)
            name = following

    def _enter(self, name: str, state: State, data: Data, execution: Execution) -> tuple[Data, str | None]:
        """Do what a state does; give the data after it, and the next state. Raises Failed."""
        match state["Type"]:
            case "Pass":
                result = _filled(state.get("Parameters", data), data, execution.context)
                return _placed(state.get("ResultPath", "$"), data, result), state.get("Next")
            case "Choice":
                chosen = next((one["Next"] for one in state["Choices"] if _holds(one, data, execution)), None)
                return data, chosen or state["Default"]
            case "Wait":
                self._calls.simulation.sleep(float(_path(state["SecondsPath"], data, execution.context)))
                return data, state["Next"]
            case "Task" | "Map":
                result = self._tried(state, lambda: self._work(name, state, data, execution))
                result = (
                    _filled(state["ResultSelector"], result, execution.context) if "ResultSelector" in state else result
                )
                return _placed(state.get("ResultPath", "$"), data, result), state.get("Next")
        raise NotImplementedError(f"{name} is a {state['Type']}: teach the simulation this kind of state")

    def _work(self, name: str, state: State, data: Data, execution: Execution) -> Data:
        if state["Type"] == "Map":
            return self._map(name, state, data, execution)
        execution.events += OF_INVOCATION
        given = _filled(state["Parameters"], data, execution.context) if "Parameters" in state else data
        result = self._functions.invoke(state["Resource"].strip("${}"), given)
        if len(json.dumps(result)) > self._calls.figures.service.payload_bytes.value:
            raise Failed("States.DataLimitExceeded", f"{name} returns more than Step Functions takes")
        return result

    def _tried(self, state: State, work: Callable[[], Data]) -> Data:
        """Work, again after each error that a retrier is for. Each retry is a transition more."""
        tried = [0] * len(state.get("Retry", ()))
        while True:
            try:
                return work()
            except Failed as failed:
                place = next((at for at, one in enumerate(state.get("Retry", ())) if _matches(one, failed.name)), None)
                if place is None or tried[place] >= state["Retry"][place].get("MaxAttempts", ATTEMPTS):
                    raise
                self._pause(state["Retry"][place], tried[place])
                tried[place] += 1
                self._calls.usage.transitions += 1

    def _pause(self, retrier: State, attempt: int) -> None:
        wait = retrier.get("IntervalSeconds", SECONDS) * retrier.get("BackoffRate", RATE) ** attempt
        wait = min(wait, retrier.get("MaxDelaySeconds", wait))
        self._calls.simulation.sleep(self._random.uniform(0, wait) if retrier.get("JitterStrategy") == "FULL" else wait)

    def _map(self, name: str, state: State, data: Data, execution: Execution) -> Data:
        """Run a child for each item, so many at a time; see https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html."""
        execution.events += OF_MAP_RUN
        key = _filled(state["ItemReader"]["Parameters"], data, execution.context)["Key"]
        items = deque(json.loads(self._s3.get_object(Bucket="state", Key=key)["Body"].read()))
        limit = self._calls.figures.service.map_children.value
        at_once = _path(state["MaxConcurrencyPath"], data, execution.context) if "MaxConcurrencyPath" in state else None
        at_once = int(at_once if at_once is not None else state.get("MaxConcurrency", 0)) or limit
        processor, failures = state["ItemProcessor"], [0]
        total, left = len(items), [min(at_once, limit, len(items))]
        waiting: deque[Task] = deque()
        self._calls.tell(f"{name} begins {total:,} children, {left[0]:,} at a time")

        def child() -> None:
            self._now_running += 1
            self.children = max(self.children, self._now_running)
            while items:
                item = items.popleft()
                self._calls.usage.transitions += 1
                own = Execution({"Execution": execution.context["Execution"]})
                failures[0] += bool(self._walk(processor, item, own).error)
                self.child_events = max(self.child_events, own.events)
            self._now_running -= 1
            left[0] -= 1
            if not left[0]:
                self._calls.simulation.wake(waiting)

        with self._functions.together(lambda: self.children):
            for _ in range(left[0]):
                self._calls.simulation.start(child)
            if left[0]:
                self._calls.simulation.park(waiting)
        if failures[0] * 100 > state.get("ToleratedFailurePercentage", 0) * total:
            raise Failed("States.ExceedToleratedFailureThreshold", f"{failures[0]:,} of {total:,} children have failed")
        return []


def _matches(handler: State, error: str) -> bool:
    return error in handler["ErrorEquals"] or "States.ALL" in handler["ErrorEquals"]


def _holds(rule: State, data: Data, execution: Execution) -> bool:
    """Whether a rule of a Choice holds."""
    found = _path(rule["Variable"], data, execution.context)
    tests: dict[str, Callable[[Any], bool]] = {
        "BooleanEquals": lambda value: found is value,
        "StringEquals": lambda value: bool(found == value),
        "NumericEquals": lambda value: bool(found == value),
        "NumericGreaterThan": lambda value: bool(found > value),
        "NumericLessThan": lambda value: bool(found < value),
        "IsPresent": lambda value: (found is not None) is value,
    }
    (name,) = rule.keys() - {"Variable", "Next"}
    return tests[name](rule[name])


def _path(path: str | None, data: Data, context: Mapping[str, Any]) -> Any:
    """What a reference path points to; None where there is nothing."""
    if path is None:
        return {}
    value: Any = context if path.startswith("$$") else data
    for member in path.lstrip("$").split("."):
        if member:
            value = value.get(member) if isinstance(value, Mapping) else None
    return value


def _filled(template: Any, data: Data, context: Mapping[str, Any]) -> Any:
    """A payload template with its paths replaced by what they point to."""
    if not isinstance(template, Mapping):
        return template
    return {
        name.removesuffix(".$"): _path(value, data, context) if name.endswith(".$") else _filled(value, data, context)
        for name, value in template.items()
    }


def _placed(path: str | None, data: Data, result: Data) -> Data:
    """The data with a result in it. None leaves the result away, ``$`` puts it in the place of the data."""
    if path is None:
        return data
    if path == "$":
        return result
    first, _, rest = path.removeprefix("$.").partition(".")
    return {**data, first: _placed(f"$.{rest}" if rest else "$", data.get(first, {}), result)}
