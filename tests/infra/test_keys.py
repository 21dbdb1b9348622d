"""The keys that functions read, write and delete, seen in real runs: each is one that the function's role allows."""

import threading
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from docferry.connector import Connector, Groups, Part
from docferry.runtime.lambdas import FUNCTIONS, Function
from docferry_emulators import Knobs, Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.laptop import Laptop, laptop
from docferry_laptop.moto.lambda_runtime import LambdaRuntime
from tests.first_layout import lay_out_as_at_first
from tests.waiting import wait_for_end

KINDS = {
    "GetObject": "reads",
    "HeadObject": "reads",
    "PutObject": "writes",
    "DeleteObject": "deletes",
    "DeleteObjects": "deletes",
}

Touched = set[tuple[str, str, str]]
"""Function, what it did (``reads``, ``writes``, ``deletes``), key."""


@pytest.fixture
def dead() -> set[str]:
    """The functions that die whenever they are called."""
    return set()


@pytest.fixture
def touched(dead: set[str], monkeypatch: pytest.MonkeyPatch) -> Touched:
    """What functions do to keys of state buckets during the test."""
    found: Touched = set()
    inside = threading.local()
    call, invoke = BaseClient._make_api_call, LambdaRuntime.invoke  # type: ignore[attr-defined]  # not in the stubs

    def watched_call(self: Any, operation: str, params: dict[str, Any]) -> Any:
        function = getattr(inside, "function", None)
        if function and operation in KINDS and params["Bucket"].endswith("-state"):
            keys = [one["Key"] for one in params["Delete"]["Objects"]] if "Delete" in params else [params["Key"]]
            found.update((function, KINDS[operation], key) for key in keys)
        return call(self, operation, params)

    def watched_invoke(self: LambdaRuntime, arn: str, payload: str | bytes) -> tuple[str, bool]:
        inside.function = arn.rpartition("-")[2]
        if inside.function in dead:
            return '{"errorType": "Runtime.ExitError"}', True
        try:
            return invoke(self, arn, payload)
        finally:
            inside.function = None

    monkeypatch.setattr(BaseClient, "_make_api_call", watched_call)
    monkeypatch.setattr(LambdaRuntime, "invoke", watched_invoke)
    return found


@pytest.fixture
def aws() -> Iterator[Laptop]:
    """A laptop on virtual time."""
    with laptop(clock=VirtualClock(), settings=Settings(undeclared_fields="declare")) as running:
        yield running


@pytest.mark.parametrize("kind", ["kendra", "qbusiness"])
def test_functions_touch_the_keys_that_their_roles_allow(
    kind: str, aws: Laptop, tmp_path: Path, touched: Touched, dead: set[str]
) -> None:
    """In runs that add, change and delete, stage large content, fail in part, and die: no other key is touched.

    Nor in those that take over a bucket of the first layout, or apply what was withheld.
    """
    folder = tmp_path / "team"
    folder.mkdir()
    groups = tmp_path / "groups.csv"
    groups.write_text("group,member,kind\n" + "".join(f"everybody,person-{number},user\n" for number in range(1_001)))
    source = Part("files", {"path": str(folder)})
    deployment = aws.deploy(Connector("team", source, Part(kind), groups=Groups(file=str(groups))))

    def sync(**inputs: object) -> str:
        execution = deployment.start(**inputs)
        wait_for_end(execution)
        return execution.run

    for number in range(15):
        (folder / f"{number}.txt").write_text(f"text {number}")
    (folder / "large.txt").write_text("x" * 4_999_999)
    sync()
    lay_out_as_at_first(deployment.wired.store, boto3.client("s3"))
    (folder / "1.txt").unlink()
    (folder / "2.txt").write_text("changed")
    groups.write_text("group,member,kind\ndeck,ann,user\n")
    aws.emulation.faults.knobs = Knobs(fail_documents={"team/2.txt": "cannot be indexed"})
    sync()
    (folder / "3.txt").write_text("changed")
    dead |= {"commit", "janitor"}
    sync()
    dead.clear()
    sync()  # settles first what the last run has sent
    for number in range(4, 15):
        (folder / f"{number}.txt").unlink()
    sync(approve=sync())
    sync(mode="full")
    folder.rename(tmp_path / "away")  # the source is gone: the run fails, and is cleaned up after
    sync()

    by_name = {function.name: function for function in FUNCTIONS}
    assert {function for function, _, _ in touched} == set(by_name)
    refused = {one for one in touched if not allowed(by_name[one[0]], one[1], one[2])}
    assert refused == set()


def allowed(function: Function, what: str, key: str) -> bool:
    """Whether a function's data, from which its role is made, has a key."""
    patterns: tuple[str, ...] = getattr(function, what)
    return any(fnmatchcase(key, pattern) for pattern in patterns)
