"""Handlers run in this process as Lambda would run them."""

import io
import json
import os
import sys
import threading
from types import ModuleType
from typing import Any

import pytest

from docferry.runtime.lambdas import Function
from docferry_laptop.moto.lambda_runtime import Deployed, LambdaRuntime, lambda_runtime

ARN = "arn:aws:lambda:us-east-1:123456789012:function:team-probe"


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with a handler, as the functions folder has them."""
    module = ModuleType("probe")
    monkeypatch.setitem(sys.modules, "probe", module)
    return module


def runtime(log: io.StringIO | None = None, **environment: str) -> LambdaRuntime:
    """A runtime with the probe deployed."""
    made = LambdaRuntime(log)
    function: Function = Function("probe", "ProbeArn", memory=128, timeout=60)
    made.deploy(Deployed(ARN, function, environment))
    return made


def test_the_result_is_json(handler: Any) -> None:
    """What the handler returns, and that it is no error."""
    handler.handler = lambda event, context: {"got": event, "left": context.get_remaining_time_in_millis() > 0}

    result, failed = runtime().invoke(ARN, '{"a": 1}')

    assert (json.loads(result), failed) == ({"got": {"a": 1}, "left": True}, False)


def test_an_error_is_described_as_lambda_does(handler: Any) -> None:
    """Step Functions matches the class name in errorType."""

    def fail(_event: object, _context: object) -> None:
        raise LookupError("no such thing")

    handler.handler = fail

    result, failed = runtime().invoke(ARN, "{}")

    described = json.loads(result)
    assert failed
    assert (described["errorType"], described["errorMessage"]) == ("LookupError", "no such thing")


def test_each_environment_is_seen_by_its_function_alone(handler: Any) -> None:
    """Invocations that overlap, of functions with different environments, see their own."""
    seen: list[tuple[str, str]] = []
    made = runtime(NAME="one")
    other = ARN.replace("probe", "other")
    made.deploy(Deployed(other, Function("probe", "OtherArn", memory=128, timeout=60), {"NAME": "two"}))
    handler.handler = lambda event, _context: seen.append((event["expected"], os.environ["NAME"]))

    threads = [
        threading.Thread(target=made.invoke, args=(arn, json.dumps({"expected": expected})))
        for arn, expected in [(ARN, "one"), (other, "two")] * 20
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 40
    assert all(expected == found for expected, found in seen)


def test_what_a_handler_prints_goes_to_the_log(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """And not to the terminal of the person who runs a sync."""
    handler.handler = lambda _event, _context: sys.stdout.write("from the function\n")
    log = io.StringIO()
    made = runtime(log)

    with lambda_runtime(made):
        made.invoke(ARN, "{}")
        sys.stdout.write("from the command\n")

    assert log.getvalue() == "from the function\n"
    assert capsys.readouterr().out == "from the command\n"
