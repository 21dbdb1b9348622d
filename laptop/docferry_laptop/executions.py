"""Starts and watches executions of a state machine: on a laptop and in AWS, as any program does it."""

import json
import threading
from typing import Any
from uuid import uuid4

from msgspec import Struct

from docferry.runtime import wiring


class Execution(Struct, frozen=True):
    """One execution. ``run`` is its name."""

    arn: str
    run: str

    def status(self) -> str:
        """Return RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        status: str = self._described()["status"]
        return status

    def error(self) -> str:
        """Return why the execution failed, in the words of Step Functions."""
        described = self._described()
        return ": ".join(filter(None, (described.get("error"), described.get("cause")))) or described["status"]

    def _described(self) -> dict[str, Any]:
        step_functions = wiring.client("stepfunctions")
        described: dict[str, Any] = step_functions.describe_execution(executionArn=self.arn)
        return described


def start(state_machine: str, **inputs: object) -> Execution:
    """Start an execution, as a schedule, a person or a program would."""
    run = str(uuid4())
    step_functions = wiring.client("stepfunctions")
    started = step_functions.start_execution(stateMachineArn=state_machine, name=run, input=json.dumps(inputs))
    return Execution(started["executionArn"], run)


def stop_all() -> None:
    """Stop every running execution, and wait until all have ended. Only for a laptop, where all of them are ours."""
    step_functions = wiring.client("stepfunctions")
    waiting = threading.Event()
    for machine in step_functions.list_state_machines()["stateMachines"]:
        listing = {"stateMachineArn": machine["stateMachineArn"], "statusFilter": "RUNNING"}
        while running := step_functions.list_executions(**listing)["executions"]:
            for execution in running:
                step_functions.stop_execution(executionArn=execution["executionArn"])
            waiting.wait(0.05)
