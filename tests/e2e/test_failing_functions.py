"""What the state machine makes of functions that fail, each with the code that Lambda would run and its own limits."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from docferry_cli.targets.aws import opened
from docferry_infra.deployable import deployable
from docferry_laptop.assembly import Assembly
from docferry_laptop.deployed import cloud
from tests.e2e.world import CONNECTORS
from tests.waiting import wait_for_end

# The shortest way through the state machine: a listing without changes, which is committed; or the clean-up.
SOUND = {
    "crawl": 'return {"complete": True, "changes": 0}',
    "commit": 'return {"status": "SUCCEEDED"}',
    "janitor": 'return {"error": "cleaned up"}',
}
TIMEOUT_SECONDS = 1
MEMORY_MIB = 128


class Ended:
    """An execution that has ended: its status, what its functions failed with, and the states that it was in."""

    def __init__(self, arn: str) -> None:
        step_functions: Any = boto3.client("stepfunctions")
        self.status: str = step_functions.describe_execution(executionArn=arn)["status"]
        pages = step_functions.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        self.states = [
            event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
        ]
        failures = [details for event in events if (details := event.get("lambdaFunctionFailedEventDetails"))]
        self.errors = [details["error"] for details in failures]
        self.causes = [json.loads(details["cause"])["errorMessage"] for details in failures]


Run = Callable[[str], Ended]


@pytest.fixture
def run(assembly: Assembly, tmp_path: Path) -> Iterator[Run]:
    """Deploys the Kendra connector with a body of its crawl function, or a whole module of it, and runs it once."""
    connector = deployable(CONNECTORS)["handbook"].connector

    def deployed(crawl: str) -> Ended:
        folder = faulty(assembly, connector.name, {**SOUND, "crawl": crawl}, tmp_path)
        running.publish(folder, connector)
        running.create(connector.name)
        execution = opened(connector).start()
        wait_for_end(execution)
        return Ended(execution.arn)

    with cloud() as running:
        yield deployed


def faulty(assembly: Assembly, connector: str, bodies: dict[str, str], folder: Path) -> Assembly:
    """An assembly with other functions, which are cheap to start, and narrow limits."""
    template: Any = json.loads(assembly.file(connector).read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"] |= {"Timeout": TIMEOUT_SECONDS, "MemorySize": MEMORY_MIB}
    (folder / f"docferry-{connector}.template.json").write_text(json.dumps(template))
    (folder / "manifest.json").write_text((assembly.folder / "manifest.json").read_text())
    assets = (assembly.folder / f"docferry-{connector}.assets.json").read_text()
    (folder / f"docferry-{connector}.assets.json").write_text(assets)
    for asset in json.loads(assets)["files"].values():
        if asset["source"]["packaging"] == "zip":
            code = folder / asset["source"]["path"]
            code.mkdir()
            for name, body in bodies.items():
                text = body if "\n" in body else f"def handler(event, context):\n    {body}\n"
                (code / f"{name}.py").write_text(text)
    return Assembly(folder)


def once(tmp_path: Path, failing: str) -> str:
    """A handler that fails the first time, and succeeds from then on."""
    return (
        "import pathlib, time\n"
        "def handler(event, context):\n"
        f"    mark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "    if not mark.exists():\n"
        "        mark.touch()\n"
        f"        {failing}\n"
        f"    {SOUND['crawl']}\n"
    )


def test_a_bundle_with_a_missing_dependency_is_caught(run: Run) -> None:
    """Trying again would not help: the clean-up follows at once."""
    ended = run("import no_such_library\n")

    assert ended.errors == ["Runtime.ImportModuleError"]
    assert ended.causes == ["Unable to import module 'crawl': No module named 'no_such_library'"]
    assert ended.states == ["Begin", "Crawl", "CleanUp", "Failed"]
    assert ended.status == "FAILED"


def test_a_handler_that_raises_is_caught(run: Run) -> None:
    """Under the name of the exception's class."""
    ended = run('raise LookupError("nothing there")')

    assert (ended.errors, ended.causes) == (["LookupError"], ["nothing there"])
    assert ended.states == ["Begin", "Crawl", "CleanUp", "Failed"]


def test_a_handler_that_raises_what_may_pass_is_tried_again(run: Run) -> None:
    """Six times, as the definition says; then it is caught."""
    ended = run("class Throttled(Exception):\n    pass\ndef handler(event, context):\n    raise Throttled\n")

    assert ended.errors == ["Throttled"] * 7
    assert ended.states == ["Begin", "Crawl", "CleanUp", "Failed"]


def test_a_handler_that_exceeds_its_timeout_is_tried_again(run: Run, tmp_path: Path) -> None:
    """In a new process: the old one is gone."""
    ended = run(once(tmp_path, "time.sleep(60)"))

    assert ended.errors == ["Sandbox.Timedout"]
    assert ended.causes[0].endswith("Error: Task timed out after 1.00 seconds")
    assert ended.states == [
        "Begin",
        "Crawl",
        "WholeListing",
        "AnyGroups",
        "AnyChanges",
        "Commit",
        "Outcome",
        "Succeeded",
    ]


def test_a_handler_that_exceeds_its_memory_is_tried_again(run: Run, tmp_path: Path) -> None:
    """Same."""
    ended = run(once(tmp_path, f"bytearray(2 * {MEMORY_MIB} * 1024 * 1024)"))

    assert ended.errors == ["Runtime.ExitError"]
    assert ended.causes[0].endswith("Error: Runtime exited with error: signal: killed")
    assert ended.status == "SUCCEEDED"
