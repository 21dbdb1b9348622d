"""The keys and the actions that functions use, seen in real runs: the role allows each key, and has no more actions."""

from collections.abc import Iterator
from contextlib import suppress
from contextvars import Context, ContextVar
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from docferry.connector import Connector, Groups, Part
from docferry.errors import Conflict
from docferry.runtime.lambdas import FUNCTIONS, Function
from docferry.state.keys import OWN_JOBS
from docferry_emulators import Knobs, Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.iam.calls import Call, Place, demands
from docferry_laptop.iam.enforcement import object_exists
from docferry_laptop.laptop import Laptop, laptop
from docferry_laptop.moto.lambda_runtime import LambdaRuntime
from docferry_laptop.storage import ACCOUNT, REGION
from tests.first_layout import lay_out_as_at_first
from tests.infra.synthesis import Assembly, actions
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


Used = set[tuple[str, str]]
"""Function, and an action that a call of it needed."""

OF_LAMBDA = ("logs:", "xray:", "sqs:", "kms:", "ec2:", "elasticfilesystem:")
"""What Lambda or S3 does with the role of a function; no code of a function calls it."""

ABSENT = "when the record of the sync job is not there; tests/unit/sync_job/test_job.py"
IN_VAIN = "when the job is still not seen to be stopped; tests/unit/workflow/test_poll_sync.py"
OF_BOTH = {
    ("poll_sync", "ListBucket"): ABSENT,
    ("poll_sync", "PutObject"): IN_VAIN,
    ("poll_sync", "StopDataSourceSyncJob"): IN_VAIN,
    (
        "start_sync",
        "StopDataSourceSyncJob",
    ): "when a job is found that was lost sight of; tests/unit/sync_job/test_job.py",
    ("stop_sync", "ListBucket"): ABSENT,
    ("stop_sync", "PutObject"): "when the reply to a start was lost; tests/unit/sync_job/test_job.py",
}
GONE = "when a group is gone from the list; tests/workflow/test_groups.py"
UNUSED = {
    "kendra": {**OF_BOTH, ("sync_groups", "DeletePrincipalMapping"): GONE},
    "qbusiness": {**OF_BOTH, ("sync_groups", "DeleteGroup"): GONE},
}
"""Actions that the runs of this module do not come to: when they are used, and which test sees it."""


@pytest.fixture
def dead() -> set[str]:
    """The functions that die whenever they are called."""
    return set()


@pytest.fixture
def used() -> Used:
    """The actions that functions need during the test."""
    return set()


@pytest.fixture
def touched(dead: set[str], used: Used, monkeypatch: pytest.MonkeyPatch) -> Touched:
    """What functions do to keys of state buckets during the test."""
    found: Touched = set()
    place = Place(REGION, ACCOUNT, object_exists)
    # The threads of a function have a copy of its context.
    inside: ContextVar[str | None] = ContextVar("inside", default=None)
    call, invoke = BaseClient._make_api_call, LambdaRuntime.invoke  # type: ignore[attr-defined]  # not in the stubs

    def watched_call(self: Any, operation: str, params: dict[str, Any]) -> Any:
        function = inside.get()
        if function:
            needed = demands(Call(self.meta.service_model.signing_name, operation, params), place)
            used.update((function, demand.action) for demand in needed)
        if function and operation in KINDS and params["Bucket"].endswith("-state"):
            keys = [one["Key"] for one in params["Delete"]["Objects"]] if "Delete" in params else [params["Key"]]
            found.update((function, KINDS[operation], key) for key in keys)
        return call(self, operation, params)

    def watched_invoke(self: LambdaRuntime, arn: str, payload: str | bytes) -> tuple[str, bool]:
        function = arn.rpartition("-")[2]
        if function in dead:
            return '{"errorType": "Runtime.ExitError"}', True
        before = inside.set(function)
        try:
            return invoke(self, arn, payload)
        finally:
            inside.reset(before)

    monkeypatch.setattr(BaseClient, "_make_api_call", watched_call)
    monkeypatch.setattr(LambdaRuntime, "invoke", watched_invoke)
    return found


@pytest.fixture
def aws() -> Iterator[Laptop]:
    """A laptop on virtual time."""
    with laptop(clock=VirtualClock(), settings=Settings(undeclared_fields="declare")) as running:
        yield running


@pytest.mark.parametrize(("kind", "deployed"), [("kendra", "wiki"), ("qbusiness", "handbook-q")])
def test_functions_use_what_their_roles_allow(  # noqa: PLR0913, PLR0917  # one parameter a fixture
    kind: str,
    deployed: str,
    aws: Laptop,
    tmp_path: Path,
    touched: Touched,
    used: Used,
    dead: set[str],
    assembly: Assembly,
) -> None:
    """In runs that add, change and delete, stage large content, fail in part, and die: no other key is touched.

    Nor in those that take over a bucket of the first layout, or apply what was withheld. And every action of a role is
    needed, but for those that are listed here.
    """
    folder = tmp_path / "team"
    folder.mkdir()
    groups = tmp_path / "groups.csv"
    groups.write_text("group,member,kind\n" + "".join(f"everybody,person-{number},user\n" for number in range(1_001)))
    source = Part("files", {"path": str(folder)})
    topic = boto3.client("sns").create_topic(Name="told")["TopicArn"]
    deployment = aws.deploy(Connector("team", source, Part(kind), groups=Groups(file=str(groups))), topic=topic)

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
    (folder / "3.txt.metadata.json").write_text('{"Attributes": {"department": "deck"}}')
    dead |= {"stop_sync"}
    sync()  # the janitor stops the job
    dead |= {"janitor"}
    sync()  # nobody does
    dead.clear()
    sync()  # stops it first
    (folder / "3.txt").write_text("changed again")
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
    roles = {name: actions(assembly.template(deployed), function) for name, function in functions(assembly, deployed)}
    idle = {
        (name, action.partition(":")[2])
        for name, granted in roles.items()
        for action in granted
        if not action.startswith(OF_LAMBDA) and (name, action) not in used
    }
    assert idle == set(UNUSED[kind])


def test_a_batch_may_note_what_came_after_its_job(
    aws: Laptop, tmp_path: Path, touched: Touched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service without jobs takes a call whose job was stopped meanwhile; the function that has made it notes that."""
    folder = tmp_path / "team"
    folder.mkdir()
    deployment = aws.deploy(Connector("team", Part("files", {"path": str(folder)}), Part("bedrock")))
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # not in the stubs
    amid = "IngestKnowledgeBaseDocuments"

    def stopped_meanwhile(self: Any, operation: str, params: dict[str, Any]) -> Any:
        reply = call(self, operation, params)
        if operation == amid:
            with suppress(Conflict):
                Context().run(deployment.wired.index.stop)  # somebody else's call, not the function's
        return reply

    monkeypatch.setattr(BaseClient, "_make_api_call", stopped_meanwhile)
    for name in ("gone.txt", "kept.txt"):
        (folder / name).write_text(name)
    wait_for_end(deployment.start())
    amid = "DeleteKnowledgeBaseDocuments"  # alone: the put beside it would be the first to stop the job, or not
    (folder / "gone.txt").unlink()
    wait_for_end(deployment.start())

    batches = {function.name: function for function in FUNCTIONS if function.name in {"put_batch", "delete_batch"}}
    noted = {
        (function, key)
        for function, what, key in touched
        if function in batches and what == "writes" and key.endswith(OWN_JOBS)
    }
    assert {function for function, _ in noted} == set(batches)
    assert all(allowed(batches[function], "writes", key) for function, key in noted)


def functions(assembly: Assembly, deployed: str) -> list[tuple[str, dict[str, Any]]]:
    """The functions of the workflow in the template of a connector."""
    found = assembly.template(deployed).functions()
    return [(function.name, found[function.name]) for function in FUNCTIONS]


def allowed(function: Function, what: str, key: str) -> bool:
    """Whether a function's data, from which its role is made, has a key."""
    patterns: tuple[str, ...] = getattr(function, what)
    return any(fnmatchcase(key, pattern) for pattern in patterns)
