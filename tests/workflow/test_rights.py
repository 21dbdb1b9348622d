"""The policies of docs/operations.md allow what each command calls in AWS, and no more is needed."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from docferry.state.keys import FAILURES
from docferry_cli.main import app
from docferry_cli.targets import Startable
from docferry_cli.targets import aws as target_aws
from tests.cli.command import Docferry
from tests.workflow.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
READ_KENDRA, ASK_QBUSINESS, ASK_BEDROCK, START = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
ASKS = {"qbusiness": ASK_QBUSINESS, "bedrock": ASK_BEDROCK}
COMMANDS = {command.name for command in app.registered_commands}

# The actions that calls of S3 need, where they have another name.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
ACTIONS = {"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket"}
SERVICES = {"sfn": "states", "bedrock-agent": "bedrock", "bedrock-agent-runtime": "bedrock"}

LOOKS = ["runs team", "history team", "failures team", "search text --user ann@example.com", "status", "report RUN"]
LOOKS += ["watch RUN", "why a.txt --no-source", "why a.txt --no-source --user ann@example.com"]
LOOKS += ["why a.txt --user ann@example.com"]
# `sync`, `apply`, `reconcile` and `rebuild` start an execution as these do, with another input.
STARTS = ["plan team", "approve RUN", "retry --connector team"]

Call = tuple[str, str]
"""An action, and the key of the object or the name of the operation."""


def statements(kind: str, *, starts: bool) -> list[dict[str, Any]]:
    """The statements that a person of this service has."""
    found: list[dict[str, Any]] = READ_KENDRA["Statement"]
    if kind != "kendra":
        found = [*(one for one in found if one["Sid"] != "AskTheIndex"), ASKS[kind]]
    return [*found, *START["Statement"]] if starts else found


def allowed(call: Call, policy: list[dict[str, Any]]) -> bool:
    """Whether a policy allows a call: the action, and of an object the key."""
    action, key = call
    for statement in policy:
        actions, resources = statement["Action"], statement["Resource"]
        if action in ([actions] if isinstance(actions, str) else actions):
            arns = [resources] if isinstance(resources, str) else resources
            if not key or any(fnmatchcase(f"arn:aws:s3:::STATE_BUCKET/{key}", arn) for arn in arns):
                return True
    return False


@contextmanager
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Call]]:
    """Record what this thread calls. The functions of a run work in other threads, with roles of their own."""
    made: set[Call] = set()
    mine, call = threading.get_ident(), BaseClient._make_api_call  # type: ignore[attr-defined]  # every call of every client goes through it

    def recording(self: Any, operation: str, params: Any) -> Any:
        if threading.get_ident() == mine:
            service = self.meta.service_model.service_name
            action = f"{SERVICES.get(service, service).replace('stepfunctions', 'states')}:{operation}"
            made.add((ACTIONS.get(action, action), params.get("Key", "") if service == "s3" else ""))
        return call(self, operation, params)

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", recording)
        yield made


@pytest.fixture
def docferry(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Docferry:
    """The command, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return Docferry(monkeypatch, capsys)


@pytest.fixture
def deployed(restricted: World, monkeypatch: pytest.MonkeyPatch, docferry: Docferry) -> World:  # noqa: ARG001  # its folder
    """A connector of connectors.yaml that the target ``aws`` finds, whose documents groups may see.

    CloudFormation would cost most of the time.
    """
    world = restricted
    settings = world.deployment.wired.settings
    part, machine = settings.connector.index, world.deployment.state_machine
    stack = Startable("aws", world.connector, part, settings.state_bucket, state_machine=machine, interrupted="")
    monkeypatch.setattr(target_aws, "find", lambda *_: stack)
    source = {"kind": "files", "path": str(world.folder)}
    index = {"kind": world.connector.index.kind, **world.connector.index.settings}
    described = {"connectors": {"team": {"source": source, "index": index}}}
    Path("connectors.yaml").write_text(json.dumps(described), encoding="utf-8")
    return world


def test_a_person_needs_the_rights_of_the_page_and_no_other(
    deployed: World, monkeypatch: pytest.MonkeyPatch, docferry: Docferry
) -> None:
    """Every call of every command is allowed; somebody who only looks starts nothing."""
    monkeypatch.setenv("DOCFERRY_TARGET", "aws")
    kind = deployed.connector.index.kind
    deployed.knobs.reject = {"team/b.txt": "InvalidRequest"}
    for name in ("a.txt", "b.txt"):
        deployed.write(name, "text")
        entry = {"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}
        deployed.write(f"{name}.metadata.json", json.dumps({"AccessControlList": [entry]}))
    run = deployed.sync().run

    for starts, lines in ((False, LOOKS), (True, STARTS)):
        policy = statements(kind, starts=starts)
        for line in lines:
            words = line.replace("RUN", run).split()
            if words[0] not in COMMANDS:
                continue
            with calls(monkeypatch) as made:
                docferry(*words)
            assert made, line
            assert {call for call in made if not allowed(call, policy)} == set(), line


def test_the_page_names_the_record_of_failures() -> None:
    """`docferry retry` writes this object, and no other."""
    (writes,) = [one for one in START["Statement"] if one["Action"] == "s3:PutObject"]

    assert writes["Resource"].endswith(f"/data-sources/*/{FAILURES}")
