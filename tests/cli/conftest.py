"""The command, in an empty folder."""

from pathlib import Path

import pytest

from tests.cli.command import Docferry


@pytest.fixture
def docferry(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Docferry:
    """The command, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Docferry(monkeypatch, capsys)
