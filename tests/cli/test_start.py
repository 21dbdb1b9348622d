"""What a command imports before it does anything: help waits for none of it."""

import json
import subprocess
import sys

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
