"""`docferry local serve`, as other programs see it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from docferry_infra.deployable import deployable
from docferry_laptop.assembly import Assembly
from docferry_laptop.deployed import cloud
from tests.e2e.world import BUCKET, CONNECTORS
from tests.waiting import PATIENCE_SECONDS, wait_for

DOCFERRY = [sys.executable, "-c", "from docferry_cli.main import main; main()"]
ROLE = "arn:aws:iam::123456789012:role/nobody"
SERVE = [*DOCFERRY, "local", "serve", "--port", "0"]


@contextmanager
def served(state: Path) -> Iterator[tuple[dict[str, Any], "subprocess.Popen[str]"]]:
    """The command, ready, with waits that pass at once; yields what it says of itself."""
    command = [*SERVE, "--state", str(state), "--clock", "virtual", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield json.loads(line), process
    finally:
        process.kill()
        process.communicate()


def endless(step_functions: Any) -> str:
    """Start what goes on until it is stopped; return its ARN. A run of a connector may end before a signal is seen."""
    again = {"Type": "Wait", "Seconds": 1, "Next": "Again"}
    definition = json.dumps({"StartAt": "Again", "States": {"Again": again}})
    machine = step_functions.create_state_machine(name="endless", definition=definition, roleArn=ROLE)
    arn: str = step_functions.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    return arn


def test_another_process_drives_the_stack(assembly: Assembly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It syncs as in AWS, an upload starts a run, and Ctrl-C says what happens and how to go on.

    The first run crawls the bucket; the one of the next upload looks at its key alone.
    """
    connector = deployable(CONNECTORS)["handbook"].connector
    with cloud(state=tmp_path) as here:
        here.publish(assembly, connector)
        here.create(connector.name)
    with served(tmp_path) as (told, process):
        for name, value in told["environment"].items():
            monkeypatch.setenv(name, value)
        s3, step_functions, machine = (
            boto3.client("s3"),
            boto3.client("stepfunctions"),
            told["stacks"]["handbook"]["StateMachineArn"],
        )

        def runs() -> dict[str, str]:
            listed = step_functions.list_executions(stateMachineArn=machine)["executions"]
            return {execution["name"]: execution["status"] for execution in listed}

        s3.put_object(Bucket=BUCKET, Key="tides.txt", Body=b"High water is at noon.")
        wait_for(lambda: list(runs().values()) == ["SUCCEEDED"])
        sync = [*DOCFERRY, "sync", "handbook", "--target", "aws", "--config", str(CONNECTORS), "--json"]
        synced = json.loads(subprocess.run(sync, stdout=subprocess.PIPE, check=True, cwd=tmp_path).stdout)
        before = runs()
        s3.put_object(Bucket=BUCKET, Key="ebb.txt", Body=b"Low tide is at six.")
        wait_for(lambda: sorted(runs().values()) == ["SUCCEEDED"] * (len(before) + 1))
        (uploaded,) = runs().keys() - before.keys()
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{uploaded}"
        of_upload = json.loads(step_functions.describe_execution(executionArn=arn)["output"])
        index = boto3.client("kendra").list_indices()["IndexConfigurationSummaryItems"][0]["Id"]
        found: Any = boto3.client("kendra").query(IndexId=index, QueryText="water")
        execution = endless(step_functions)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)

    assert (synced["status"], synced["unchanged"]) == ("SUCCEEDED", 1)
    assert (of_upload["keys"], of_upload["added"], of_upload["unchanged"]) == (1, 1, 0)
    assert [item["DocumentId"] for item in found["ResultItems"]] == ["handbook/tides.txt"]
    assert process.returncode == 0
    assert f"stopping the execution {execution}" in said
    assert "go on with: docferry local serve" in said
    assert "Traceback" not in said
    assert (tmp_path / "buckets" / BUCKET / "tides.txt").exists()


def test_nothing_is_deployed(tmp_path: Path) -> None:
    """What to do is said."""
    ended = subprocess.run([*SERVE, "--state", str(tmp_path)], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert "run `docferry local deploy`" in ended.stderr
