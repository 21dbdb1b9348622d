"""The docferry command, called in this process."""

import json
import sys
from typing import Any

import pytest

from docferry_cli import main as command


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
        """Run a command with --json that succeeds, and read its output."""
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)
