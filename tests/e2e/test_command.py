"""`docferry local deploy` and `docferry sync --target stack`, as a person uses them."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import docferry_laptop.assembly
from docferry_cli import main as command
from docferry_laptop.assembly import Assembly
from tests.e2e.world import BUCKET, CONNECTORS

Docferry = Callable[..., tuple[int, str, str]]


@pytest.fixture
def docferry(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Docferry:
    """The command with its state in a folder of its own; synthesized is only once a session."""
    monkeypatch.setattr(docferry_laptop.assembly, "synthesize", lambda *_: assembly)
    options = ["--config", str(CONNECTORS), "--state", str(tmp_path / "state")]

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["docferry", *arguments, *options])
        with pytest.raises(SystemExit) as exited:
            command.main()
        printed = capsys.readouterr()
        code = exited.value.code
        assert isinstance(code, int | None)
        return code or 0, printed.out, printed.err

    return call


def test_a_connector_is_deployed_and_synced_again_and_again(docferry: Docferry, tmp_path: Path) -> None:
    """What a stack holds is there for the next command."""

    def sync() -> Any:
        code, out, err = docferry("sync", "handbook", "--target", "stack", "--json")
        assert code == 0, err
        return json.loads(out)

    deployed, _, said = docferry("local", "deploy", "handbook")
    documents = tmp_path / "state" / "buckets" / BUCKET
    (documents / "tides.txt").write_text("High water is at noon.")
    first, second = sync(), sync()
    code, examined, _ = docferry("doctor", "handbook", "--target", "stack", "--json")
    healthy, found, _ = docferry("status", "handbook", "--target", "stack", "--json")

    assert deployed == 0
    # Nobody has turned EventBridge on for this bucket, and the connector does not ask for it.
    findings = json.loads(examined)["findings"]
    assert (code, [one["check"] for one in findings if one["status"] in {"wrong", "unknown"}]) == (1, ["uploads"])
    assert f"source bucket  {documents}" in said
    assert (first["status"], first["added"]) == ("SUCCEEDED", 1)
    assert (second["status"], second["added"], second["unchanged"]) == ("SUCCEEDED", 0, 1)
    (status,) = json.loads(found)
    assert (healthy, status["last"]["run"], status["success"]["overdue"]) == (0, second["run"], False)


def test_a_connector_that_is_not_deployed(docferry: Docferry) -> None:
    """What to do is said."""
    code, _, err = docferry("sync", "handbook-q", "--target", "stack")

    assert code == 2
    assert "docferry local deploy handbook-q" in err


def test_a_role_that_lacks_an_action_fails_the_sync_by_name(
    docferry: Docferry, assembly: Assembly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The crawl may not write its change set: the command names the action and the resource."""
    template = json.loads(assembly.file("handbook").read_text())
    (policy,) = (
        resource["Properties"]["PolicyDocument"]
        for name, resource in template["Resources"].items()
        if name.startswith("FunctionsCrawlRoleDefaultPolicy")
    )
    policy["Statement"] = [one for one in policy["Statement"] if one["Action"] != "s3:PutObject"]
    shutil.copytree(assembly.folder, tmp_path / "narrowed")
    narrowed = Assembly(tmp_path / "narrowed")
    narrowed.file("handbook").write_text(json.dumps(template))
    monkeypatch.setattr(docferry_laptop.assembly, "synthesize", lambda *_: narrowed)
    docferry("local", "deploy", "handbook")

    code, out, _ = docferry("sync", "handbook", "--target", "stack", "--json")

    report = json.loads(out)
    assert (code, report["status"]) == (1, "FAILED")
    assert "docferry-handbook-crawl is not authorized to perform: s3:PutObject on resource: " in report["error"]
    assert "/ledger.json" in report["error"]
