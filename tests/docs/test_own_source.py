"""docs/own-source.md as a reader follows it: from nothing to a synthesized template, in under forty lines."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from docferry_infra.own_source import own_source

PAGE = (Path(__file__).parents[2] / "docs" / "own-source.md").read_text(encoding="utf-8")
MODULE, TESTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(CONNECTORS,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def docferry(folder: Path, *arguments: str) -> str:
    """What the command prints."""
    program = "from docferry_cli.main import entry; entry()"
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the two files of the page."""
    (tmp_path / "letters.py").write_text(MODULE)
    (tmp_path / "connectors.yaml").write_text(CONNECTORS)
    return tmp_path


def test_it_takes_less_than_forty_lines() -> None:
    """The class, the connector, and the commands."""
    commands = re.findall(r"^docferry .*$", PAGE, re.MULTILINE)
    assert len(MODULE.splitlines()) + len(CONNECTORS.splitlines()) + len(commands) < 40


def test_the_source_of_the_page_runs(project: Path) -> None:
    """It is listed, keeps its promises, and is synced."""
    kinds = {one["kind"]: one for one in json.loads(docferry(project, "sources", "--json"))}
    assert kinds["letters:Letters"]["settings"] == [{"name": "count", "required": True, "description": ""}]
    assert all(one["kept"] for one in json.loads(docferry(project, "sources", "test", "letters", "--json")))

    report = json.loads(docferry(project, "sync", "letters", "--json"))

    assert (report["status"], report["added"]) == ("SUCCEEDED", 3)
    assert json.loads(docferry(project, "search", "letter 2", "--json"))[0]["title"] == "Letter 2"


def test_the_source_of_the_page_is_in_the_bundle(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the kind that the page names."""
    kind = yaml.safe_load(CONNECTORS)["connectors"]["letters"]["source"]["kind"]
    monkeypatch.syspath_prepend(project)

    assert set(own_source(kind).files) == {"letters.py"}
    monkeypatch.delitem(sys.modules, "letters")


def test_the_tests_of_the_page_pass(project: Path) -> None:
    """In a pytest of their own."""
    (project / "test_letters.py").write_text(TESTS)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "6 passed" in ended.stdout, ended.stdout
