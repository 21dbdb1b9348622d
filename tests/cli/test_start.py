"""What commands import before they do anything: help waits for none of it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.docs.test_documentation import COMMANDS

HEAVY = {"boto3", "botocore", "moto", "yaml", "jsonschema", "zstandard"}
PROGRAM = """
import json, sys
from docferry_cli.main import main
imported = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["docferry", *arguments]
    try:
        main()
    except SystemExit:
        imported.append(sorted(sys.modules))
print(json.dumps(imported))
"""


def imported(*commands: Sequence[str]) -> list[set[str]]:
    """The modules that are imported after each of these commands, which one process runs in turn."""
    program = [sys.executable, "-c", PROGRAM, json.dumps(commands)]
    ended = subprocess.run(program, capture_output=True, text=True, check=True)
    return [set(modules) for modules in json.loads(ended.stdout.splitlines()[-1])]


def test_help_imports_nothing_heavy() -> None:
    """Neither clients, nor emulators, nor what reads connectors.yaml."""
    commands = [[], *([name] for name in sorted(COMMANDS)), ["local", "deploy"], ["local", "serve"]]
    after = imported(*([*command, "--help"] for command in commands))

    assert {" ".join(command): modules & HEAVY for command, modules in zip(commands, after, strict=True)} == {
        " ".join(command): set() for command in commands
    }


def test_a_command_that_only_reads_starts_no_workflow(tmp_path: Path) -> None:
    """Neither moto's interpreter nor its Lambda, and none of its EC2 and Batch."""
    (tmp_path / "tides.txt").write_text("High water is at noon.")
    state = ("--state", str(tmp_path / "state"))
    (synced,) = imported(("sync", "--path", str(tmp_path), *state))
    reading = (("history",), ("search", "noon"), ("runs",), ("failures",), ("status",), ("watch",))

    for read in imported(*((*command, *state) for command in reading)):
        assert "docferry_laptop.storage" in read
        assert not [name for name in read if name.startswith(("moto.stepfunctions", "moto.awslambda", "moto.ec2"))]
        assert "moto.batch" not in read
    assert "moto.stepfunctions.parser.asl.parse.asl_parser" in synced
    assert not [name for name in synced if name.startswith("moto.ec2")]
