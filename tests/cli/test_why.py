"""`docferry why`: exit codes, what is printed, and several connectors."""

import json
from pathlib import Path

import pytest

from docferry.state.keys import MANIFEST
from tests.cli.command import Docferry


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two connectors of one folder, into both services."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "tides.txt").write_text("High water is at noon.")
    entry = {"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}
    (folder / "[red]rota.txt").write_text("The night watch.")
    described = {"Title": "\x1b[31mRota", "AccessControlList": [entry]}
    (folder / "[red]rota.txt.metadata.json").write_text(json.dumps(described))
    groups = tmp_path / "groups.csv"
    groups.write_text("group,member,kind\ncrew,ann,user\n")
    settings = f"source: {{kind: files, path: {folder}}}, groups: {{file: {groups}}}"
    file = tmp_path / "connectors.yaml"
    team, crew = (f"{{{settings}, index: {{kind: {kind}}}}}" for kind in ("kendra", "qbusiness"))
    file.write_text(f"connectors:\n  team: {team}\n  crew: {crew}\n")
    return file


def test_a_document_is_explained(docferry: Docferry, config: Path) -> None:
    """By its id, or by its place in a named connector; a path that two connectors have is theirs to choose from."""
    for name in ("team", "crew"):
        docferry.json("sync", name, "--config", str(config))

    explained = {
        name: docferry.json("why", "[red]rota.txt", "--connector", name, "--user", "ann") for name in ("team", "crew")
    }
    code, out, _ = docferry("why", "tides.txt")
    shown, screen, _ = docferry("why", "team/[red]rota.txt", "--user", "eve")
    unknown, nothing, _ = docferry("why", "team/tide.txt")

    for name, said in explained.items():
        document = said["document"]
        assert (document["id"], document["service"]) == (
            f"{name}/[red]rota.txt",
            {"team": "kendra", "crew": "qbusiness"}[name],
        )
        assert (document["source"]["state"], document["index"]["status"]) == ("listed", "INDEXED")
        assert document["reader"]["indexed"] == {
            "may_see": "yes",
            "because": "ALLOW for the group crew",
            "through": ["ann", "crew"],
        }
        assert document["reader"]["index"] is True
    assert code == 2
    assert "2 documents fit tides.txt" in out
    assert "team/tides.txt" in out
    assert "crew/tides.txt" in out
    assert shown == 0
    assert "team/[red]rota.txt" in screen
    assert "eve may not see it: no ALLOW entry names the user" in screen
    assert "docferry sync team" in screen
    assert unknown == 1
    assert "Did you mean one of these?\n  team/tides.txt" in nothing


def test_a_folder_without_a_configuration_is_synced_by_its_path(docferry: Docferry, config: Path) -> None:
    """The advice is the command as it has to be typed; a manifest that cannot be read leaves the answer open."""
    folder = config.parent / "documents"
    config.unlink()
    docferry.json("sync", "--path", str(folder))
    (folder / "new.txt").write_text("new")

    unasked, _, _ = docferry("why", "new.txt", "--no-source")
    found = docferry.json("why", "new.txt")["document"]
    (pointer,) = (config.parent / ".docferry").rglob(f"**/{MANIFEST}")
    pointer.write_text("{}")
    code, _, _ = docferry("why", "none.txt", "--no-source", "--json")

    assert unasked == 1
    assert found["advice"].endswith(f"`docferry sync --path {folder} --index kendra` sends it.")
    assert code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--group", "crew"], "give --user too"),
        ([""], "say which document"),
        (["x"], "nothing was synced"),
        (["x", "--target", "aws", "--config", "none.yaml"], "none.yaml"),
    ],
)
def test_bad_usage_is_one_line(docferry: Docferry, arguments: list[str], said: str) -> None:
    """And exit code 2."""
    code, _, err = docferry("why", *arguments)

    assert code == 2
    assert said in err
    assert err.count("\n") == 1
