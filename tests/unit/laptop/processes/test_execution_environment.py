"""What an invocation gives whose function fails: the error types and messages of Lambda."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import pytest

from docferry_laptop.processes.execution_environment import ExecutionEnvironment, Result
from docferry_laptop.processes.functions import runtime_in
from docferry_laptop.processes.runtime_api import Invocation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda's runtime client is for Linux")

CODE = """
import os, sys, time

count = 0

def handler(event, context):
    global count
    count += 1
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "mib" in event:
        bytearray(event["mib"] * 1024 * 1024)
    if "exit" in event:
        os._exit(event["exit"])
    if "error" in event:
        raise LookupError(event["error"])
    return {
        "count": count,
        "id": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
    }
"""

Started = Callable[[str], ExecutionEnvironment]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts a function of the code above, or of a module that cannot be imported; ends it."""
    code, runtime = tmp_path / "code", runtime_in(tmp_path / "runtime")
    code.mkdir()
    (code / "whole.py").write_text(CODE)
    (code / "lacking.py").write_text("import no_such_library\n")
    (code / "borrowing.py").write_text("import moto\n")
    (code / "broken.py").write_text("def handler(event, context)\n")
    variables = {"PYTHONPATH": str(runtime), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("FUNCTION_NAME", "FUNCTION_VERSION", "LOG_GROUP_NAME", "LOG_STREAM_NAME"):
        variables[f"AWS_LAMBDA_{name}"] = "test"
    environments = []

    def start(handler: str) -> ExecutionEnvironment:
        environment = ExecutionEnvironment(handler, code=code, variables=variables, memory=128, log=DEVNULL)
        environments.append(environment)
        return environment

    yield start
    for environment in environments:
        environment.close()
        assert not environment.alive


def invocation(timeout: float = 5.0, **event: Any) -> Invocation:
    """An invocation with a known request id."""
    return Invocation(
        "request-1", "arn:aws:lambda:us-east-1:123456789012:function:f", json.dumps(event).encode(), timeout
    )


def error(result: Result) -> dict[str, Any]:
    """The error that a failed invocation describes."""
    assert result.failed
    described: dict[str, Any] = json.loads(result.payload)
    return described


def test_a_process_is_warm_the_second_time(started: Started) -> None:
    """What a module holds is there for the next invocation; the context is the invocation's own."""
    environment = started("whole.handler")

    first, second = environment.invoke(invocation()), environment.invoke(invocation())

    assert not first.failed
    assert not second.failed
    told = json.loads(second.payload)
    assert (told["count"], told["id"], told["memory"]) == (2, "request-1", "128")
    assert 3000 < told["left"] <= 5000
    assert told["arn"].endswith(":function:f")


def test_an_exception_has_the_name_of_its_class(started: Started) -> None:
    """And the process goes on."""
    environment = started("whole.handler")

    described = error(environment.invoke(invocation(error="nothing there")))

    assert (described["errorType"], described["errorMessage"]) == ("LookupError", "nothing there")
    assert described["requestId"] == "request-1"
    assert "raise LookupError" in described["stackTrace"][-1]
    assert environment.alive


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        (
            "lacking.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'lacking': No module named 'no_such_library'",
        ),
        (
            "borrowing.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'borrowing': No module named 'moto'",
        ),
        (
            "missing.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'missing': No module named 'missing'",
        ),
        ("whole.other", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'whole'"),
        ("broken.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'broken'"),
    ],
)
def test_a_function_that_cannot_start(started: Started, handler: str, kind: str, message: str) -> None:
    """Nothing of this machine's libraries is there, so what a bundle lacks is missed here too."""
    environment = started(handler)

    described = error(environment.invoke(invocation()))

    assert described["errorType"] == kind
    assert described["errorMessage"].startswith(message)
    assert not environment.alive


def test_a_handler_that_takes_too_long(started: Started) -> None:
    """Its process is gone."""
    environment = started("whole.handler")

    described = error(environment.invoke(invocation(timeout=0.5, sleep=60)))

    assert described == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: request-1 Error: Task timed out after 0.50 seconds",
    }
    assert not environment.alive


def test_a_handler_that_takes_too_much_memory(started: Started) -> None:
    """Memory that was had for a moment counts, as it does for the kernel that Lambda leaves this to."""
    environment = started("whole.handler")

    described = error(environment.invoke(invocation(mib=300)))

    assert described == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: request-1 Error: Runtime exited with error: signal: killed",
    }
    assert not environment.alive


@pytest.mark.parametrize(
    ("status", "why"),
    [(3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")],
)
def test_a_process_that_ends_by_itself(started: Started, status: int, why: str) -> None:
    """With a status, or without one."""
    described = error(started("whole.handler").invoke(invocation(exit=status)))

    assert described == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: request-1 Error: {why}"}
