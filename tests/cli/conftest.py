"""The command, in an empty folder."""

from pathlib import Path

import pytest

from tests.cli.command import Docferry


@pytest.fixture
def docferry(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Docferry:
    """The command, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Docferry(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two documents, and something that is none."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "tides.txt").write_text("High water is at noon.")
    (documents / "winds.md").write_text("# Winds\n\nForce eight.")
    (documents / "program.exe").write_text("binary")
    return documents
