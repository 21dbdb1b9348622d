"""The functions as data, their handler modules, and the workflow that calls them: three lists that must agree."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from docferry import errors
from docferry.runtime.lambdas import DEPLOYED, DOCUMENTS, FUNCTIONS, Function, outgrown

ROOT = Path(__file__).parents[3]
DEFINITION = (ROOT / "statemachine" / "sync.asl.json").read_text()
OTHER_PLACEHOLDERS = {"StateBucket", "Partition"}

DIED = {"Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Sandbox.Timedout"}
"""What a function's process died of, under the names of today and of earlier runtimes."""


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the definition."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def named(member: str) -> list[tuple[str, str]]:
    """Each name in an ErrorEquals of the Retry or Catch of a state, with the function that the state calls."""
    return [
        (node.get("Resource", ""), name)
        for node in nodes(json.loads(DEFINITION))
        for rule in node.get(member, ())
        for name in rule["ErrorEquals"]
    ]


@pytest.mark.parametrize("function", DEPLOYED, ids=lambda function: function.name)
def test_a_function_has_a_module_with_a_handler(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler is where Lambda looks for it."""
    monkeypatch.syspath_prepend(str(ROOT / "functions"))
    module, _, attribute = function.handler.partition(".")

    assert callable(getattr(import_module(module), attribute))


def test_every_handler_module_is_a_function() -> None:
    """A handler that is not listed is never deployed."""
    modules = {path.stem for path in (ROOT / "functions").glob("*.py")}

    assert modules == {function.name for function in DEPLOYED}


def test_the_workflow_and_the_functions_name_the_same_placeholders() -> None:
    """Each function is called, and each call finds its function."""
    placeholders = set(re.findall(r"\$\{(\w+)\}", DEFINITION))

    assert placeholders == {function.placeholder for function in FUNCTIONS} | OTHER_PLACEHOLDERS


def test_names_and_placeholders_are_unique() -> None:
    """Two functions under one name would replace each other."""
    assert len({function.name for function in DEPLOYED}) == len(DEPLOYED)
    assert len({function.placeholder for function in DEPLOYED}) == len(DEPLOYED)


@pytest.mark.parametrize("function", DEPLOYED, ids=lambda function: function.name)
def test_memory_and_timeout_are_what_lambda_allows(function: Function) -> None:
    """128 to 10,240 MiB, up to 15 minutes (Lambda quotas)."""
    assert 128 <= function.memory <= 10_240
    assert 0 < function.timeout <= 900


def aws(name: str) -> bool:
    """Whether an error is one of Step Functions or of Lambda."""
    return name in DIED or name.startswith(("States.", "Lambda."))


@pytest.mark.parametrize("member", ["Retry", "Catch"])
def test_an_error_that_the_workflow_names_exists(member: str) -> None:
    """A misspelt name would never match, and nobody would notice."""
    for _, name in named(member):
        if not aws(name):
            assert issubclass(getattr(errors, name), errors.DocferryError), name


def test_only_errors_that_may_pass_are_retried() -> None:
    """Waiting does not grant a permission."""
    for resource, name in named("Retry"):
        if not aws(name):
            assert issubclass(getattr(errors, name), errors.RetriableError), f"{resource}: {name}"


def test_every_error_that_may_pass_is_retried_somewhere() -> None:
    """An error that nothing retries is no RetriableError."""
    retriable = {kind.__name__ for kind in errors.RetriableError.__subclasses__()}

    assert retriable <= {name for _, name in named("Retry")}


def test_every_task_retries_what_each_of_them_may_raise() -> None:
    """Throttling, a failing service, and Lambda's own trouble can meet any state."""
    for node in nodes(json.loads(DEFINITION)):
        if node.get("Type") == "Task":
            retried = {name for rule in node["Retry"] for name in rule["ErrorEquals"]}
            lambdas = {"Lambda.TooManyRequestsException", *DIED}
            assert retried >= {"Throttled", "ServiceUnavailable", *lambdas}


def test_who_outgrows_the_functions_is_told_before() -> None:
    """Below four fifths nothing is said; from there on the number is, and which function is outgrown first."""
    assert outgrown(7_999_999) == ""
    assert "8,000,000 documents" in outgrown(8_000_000)
    small = (*FUNCTIONS[1:], structs.replace(FUNCTIONS[0], documents=DOCUMENTS // 10))
    assert outgrown(900_000) == ""
    assert f"made for 1,000,000 ({FUNCTIONS[0].name})" in outgrown(900_000, small)
