"""How functions share processes: one invocation at a time in each, kept for the next, ended at the end."""

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from docferry_laptop.processes.functions import Processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda's runtime client is for Linux")

CODE = """
import os, time

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return {"pid": os.getpid(), "environment": dict(os.environ), "folder": os.getcwd()}
"""


class Function(Struct):
    """What is looked at of moto's functions."""

    name: str
    code_bytes: bytes
    environment_vars: dict[str, str]
    code_digest: str = "digest"
    code_sha_256: str = "sha"
    handler: str = "code.handler"
    memory_size: int = 128
    timeout: int = 5
    region: str = "eu-west-1"
    run_time: str = "python3.13"
    role: str = "arn:aws:iam::123456789012:role/one"

    @property
    def function_name(self) -> str:
        """Its name."""
        return self.name

    @property
    def function_arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:lambda:{self.region}:123456789012:function:{self.name}"

    @property
    def logs_group_name(self) -> str:
        """Its log."""
        return f"/aws/lambda/{self.name}"

    def get_configuration(self) -> dict[str, Any]:
        """What an update would change."""
        return {"Environment": self.environment_vars, "Timeout": self.timeout}


def function(name: str = "one", **environment: str) -> Function:
    """A function of the code above."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("code.py", CODE)
    return Function(name, packed.getvalue(), environment)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Processes whose AWS is nowhere."""
    running = Processes(
        "http://127.0.0.1:9",
        folder=tmp_path,
        credentials=lambda role, session: {"AWS_ACCESS_KEY_ID": session, "AWS_SESSION_TOKEN": role},
    )
    yield running
    running.close()


def told(processes: Processes, invoked: Function, **event: Any) -> dict[str, Any]:
    """What the function says of its process."""
    result = processes.invoke(invoked, json.dumps(event))
    assert not result.failed, result.payload
    said: dict[str, Any] = json.loads(result.payload)
    return said


def test_one_after_the_other_share_a_process(processes: Processes) -> None:
    """It is warm."""
    invoked = function()

    assert told(processes, invoked)["pid"] == told(processes, invoked)["pid"]


def test_two_at_a_time_are_two_processes(processes: Processes) -> None:
    """As the children of a Map are."""
    invoked = function()
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(told, processes, invoked, sleep=0.5) for _ in range(2)]

        assert len({one.result()["pid"] for one in both}) == 2


def test_another_configuration_is_another_process(processes: Processes) -> None:
    """A function that was updated finds its new environment."""
    old, new = told(processes, function(STAGE="old")), told(processes, function(STAGE="new"))

    assert old["pid"] != new["pid"]
    assert (old["environment"]["STAGE"], new["environment"]["STAGE"]) == ("old", "new")


def test_the_environment_is_lambdas(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """With where AWS is, with the credentials of its role, and with nothing of this process's own."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    said = told(processes, function(STATE_BUCKET="state"))
    environment = said["environment"]

    assert environment["STATE_BUCKET"] == "state"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert environment["AWS_REGION"] == "eu-west-1"
    assert environment["AWS_SESSION_TOKEN"] == "arn:aws:iam::123456789012:role/one"
    assert environment["AWS_ACCESS_KEY_ID"] == "one"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "one"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert environment["LAMBDA_TASK_ROOT"] == said["folder"]
    assert "AWS_PROFILE" not in environment


def test_nothing_is_started_after_the_end(processes: Processes) -> None:
    """A process that came too late would outlive the one that has to end it."""
    processes.close()

    with pytest.raises(RuntimeError, match="ended"):
        processes.invoke(function(), "{}")
