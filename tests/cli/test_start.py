"""What a command imports before it does anything: help waits for none of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_documentation import COMMANDS

HEAVY = ("boto3", "botocore", "moto", "yaml", "jsonschema", "zstandard")
PROGRAM = """
import json, sys
from docferry_cli.main import main
sys.argv = ["docferry", *sys.argv[1:]]
try:
    main()
except SystemExit:
    print(json.dumps(sorted(sys.modules)))
"""


def imported(*arguments: str) -> set[str]:
    """The modules that a command has imported when it exits."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True)
    return set(json.loads(ended.stdout.splitlines()[-1]))


@pytest.mark.parametrize("command", [[], *([name] for name in sorted(COMMANDS)), ["local", "deploy"]])
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    """Neither clients, nor emulators, nor what reads connectors.yaml."""
    assert not set(HEAVY) & imported(*command, "--help")


def test_a_command_that_only_reads_starts_no_workflow(tmp_path: Path) -> None:
    """Neither moto's interpreter nor its Lambda, and none of its EC2 and Batch."""
    (tmp_path / "tides.txt").write_text("High water is at noon.")
    state = ("--state", str(tmp_path / "state"))
    synced = imported("sync", "--path", str(tmp_path), *state)

    for command in (("history",), ("search", "noon"), ("runs",), ("failures",), ("status",), ("watch",)):
        read = imported(*command, *state)
        assert "docferry_laptop.storage" in read
        assert not [name for name in read if name.startswith(("moto.stepfunctions", "moto.awslambda", "moto.ec2"))]
        assert "moto.batch" not in read
    assert "moto.stepfunctions.parser.asl.parse.asl_parser" in synced
    assert not [name for name in synced if name.startswith("moto.ec2")]
