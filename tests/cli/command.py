"""The docferry command, called in this process."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from docferry_cli import main as command
from docferry_cli.schemas import PRINTED, file

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas" / "commands"


class Docferry:
    """Calls the command in this process, in a folder of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command; return its exit code, standard output and standard error."""
        self._monkeypatch.setattr(sys, "argv", ["docferry", *arguments])
        with pytest.raises(SystemExit) as exited:
            command.main()
        printed = self._capsys.readouterr()
        code = exited.value.code
        assert isinstance(code, int | None)
        return code or 0, printed.out, printed.err

    def json(self, *arguments: str) -> Any:
        """Run a command with --json that succeeds, and read its output, which fits its schema."""
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        printed = json.loads(out)
        check(arguments, printed)
        return printed


def check(arguments: Sequence[str], printed: Any) -> None:
    """Check what a command has printed with --json against its schema in docs/schemas/commands."""
    words = " ".join(arguments[:2])
    name = words if words in PRINTED else arguments[0]
    written = json.loads(file(SCHEMAS, name).read_text(encoding="utf-8"))
    Draft202012Validator(written).validate(printed)
