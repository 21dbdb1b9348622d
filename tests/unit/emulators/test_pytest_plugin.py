"""The fixtures for other people's tests, found as pytest finds them: by the entry point of the installed project."""

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from docferry_emulators import Emulation, Settings
from docferry_emulators.clock import VirtualClock

PAGE = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")


def run(folder: Path, test: str) -> str:
    """Run a test file in a pytest of its own, far from this repository's settings. It must pass."""
    (folder / "test_connector.py").write_text(test)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_connector.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_complete_example_of_the_page_passes(tmp_path: Path) -> None:
    """As it stands there, with nothing beside it."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (example,) = (block for block in blocks if "docferry_emulation" in block)

    assert "2 passed" in run(tmp_path, example)


def test_tests_that_use_no_fixture_pay_nothing(tmp_path: Path) -> None:
    """The plug-in is loaded in every pytest of the environment."""
    run(tmp_path, "import sys\n\ndef test_it():\n    assert not {'moto', 'boto3'} & set(sys.modules)\n")


@pytest.fixture
def docferry_settings() -> Settings:
    """Overrides the plug-in's."""
    return Settings(resource_seconds=0)


def test_the_settings_are_those_that_a_test_gives(docferry_emulation: Emulation, docferry_clock: VirtualClock) -> None:
    """And time is the test's own."""
    kendra = boto3.client("kendra", region_name="eu-west-1")
    index_id = kendra.create_index(Name="docs", RoleArn="arn:aws:iam::123456789012:role/kendra")["Id"]

    assert docferry_emulation.settings.resource_seconds == 0
    assert docferry_emulation.clock is docferry_clock
    assert kendra.describe_index(Id=index_id)["Status"] == "ACTIVE"


def test_each_test_begins_with_empty_services(request: pytest.FixtureRequest) -> None:
    """Moto's too, which has what another test of this process has made. The SDKs that read AWS_REGION find it."""
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket("of-another-test", "us-east-1")

    s3 = boto3.client("s3", endpoint_url=request.getfixturevalue("docferry_emulator"), region_name="us-east-1")

    assert s3.list_buckets()["Buckets"] == []
    assert os.environ["AWS_REGION"] == "us-east-1"


def test_the_server_is_found_through_the_environment(docferry_emulator: str, docferry_clock: VirtualClock) -> None:
    """By any program that takes AWS_ENDPOINT_URL."""
    qbusiness = boto3.client("qbusiness")
    created = qbusiness.create_application(displayName="two")["applicationId"]
    docferry_clock.sleep(1)

    assert qbusiness.get_application(applicationId=created)["status"] == "ACTIVE"
    with urllib.request.urlopen(f"{docferry_emulator}/_docferry/clock") as reply:
        assert reply.status == 200
