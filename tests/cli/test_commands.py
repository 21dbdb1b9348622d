"""The docferry command, as a person or a program uses it: output, exit codes, state from one process to the next."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from docferry_laptop.storage import locked
from tests.cli.command import Docferry

KEYS = {
    *("status", "added", "modified", "deleted", "unchanged", "skipped", "failed", "execution_id", "run"),
    *("exposed", "withheld", "foreign_jobs", "approved"),
}


@pytest.mark.parametrize("index", ["kendra", "qbusiness"])
def test_a_folder_is_synced_searched_and_listed(docferry: Docferry, folder: Path, index: str) -> None:
    """From nothing to a search result; the second sync moves nothing and opens no job."""
    first = docferry.json("sync", "--path", str(folder), "--index", index)
    second = docferry.json("sync", "--path", str(folder), "--index", index)
    hits = docferry.json("search", "noon")
    jobs = docferry.json("history")

    assert set(first) >= KEYS
    assert (first["status"], first["added"], first["skipped"]) == ("SUCCEEDED", 2, 1)
    assert (second["unchanged"], second["execution_id"]) == (2, None)
    assert [hit["title"] for hit in hits] == ["tides.txt"]
    assert [job["execution_id"] for job in jobs] == [first["execution_id"]]


@pytest.mark.parametrize("index", ["kendra", "qbusiness"])
def test_a_search_finds_what_a_user_would(docferry: Docferry, folder: Path, tmp_path: Path, index: str) -> None:
    """By name, and through groups that the connector lists."""
    principals = [{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}]
    (folder / "tides.txt.metadata.json").write_text(json.dumps({"AccessControlList": principals}))
    groups = tmp_path / "groups.csv"
    groups.write_text("group,member,kind\ncrew,ann,user\n")
    config = tmp_path / "connectors.yaml"
    config.write_text(
        f"connectors: {{team: {{source: {{kind: files, path: {folder}}}, index: {{kind: {index}}}, "
        f"groups: {{file: {groups}}}}}}}"
    )
    result = docferry.json("sync", "team", "--config", str(config))

    assert result["groups"]["put"] == 1
    assert len(docferry.json("search", "noon")) == 1
    assert len(docferry.json("search", "noon", "--user", "ann")) == 1
    assert docferry.json("search", "noon", "--user", "eve") == []
    code, out, err = docferry("search", "noon", "--user", "eve", "--group", "crew")
    if index == "kendra":
        assert "tides.txt" in out
    else:
        assert (code, "takes no groups with a search" in err) == (2, True)
    assert docferry("search", "noon", "--group", "crew")[0] == 2


def test_a_new_process_goes_on_where_the_last_one_ended(folder: Path, tmp_path: Path) -> None:
    """The state folder is all that is handed over."""
    docferry = [sys.executable, "-c", "from docferry_cli.main import main; main()"]
    sync = [*docferry, "sync", "--path", str(folder), "--state", str(tmp_path / "state"), "--json"]

    runs = [json.loads(subprocess.run(sync, check=True, capture_output=True).stdout) for _ in range(2)]

    assert [(run["added"], run["unchanged"]) for run in runs] == [(2, 0), (0, 2)]


def test_the_table_shows_what_moved_and_why_not(docferry: Docferry, folder: Path) -> None:
    """A person reads counts, ids and reasons."""
    code, out, _ = docferry("sync", "--path", str(folder))

    assert code == 0
    assert "added" in out
    assert "SUCCEEDED" in out
    assert "program.exe: .exe is not a type" in out


def test_an_interesting_history_can_be_narrowed_down(docferry: Docferry, folder: Path) -> None:
    """By status, time and number."""
    docferry.json("sync", "--path", str(folder))
    (folder / "new.txt").write_text("new")
    docferry.json("sync", "--path", str(folder))

    assert len(docferry.json("history")) == 2
    assert len(docferry.json("history", "--limit", "1")) == 1
    assert docferry.json("history", "--status", "FAILED") == []
    assert docferry.json("history", "--since", "2999-01-01") == []
    assert len(docferry.json("history", "--until", "2999-01-01", "--status", "SUCCEEDED")) == 2
    _, out, _ = docferry("history")
    assert "SUCCEEDED" in out


def test_a_failed_sync_exits_with_1(docferry: Docferry, folder: Path, tmp_path: Path) -> None:
    """Here its manifest is damaged. A refused plan has failed, too: nothing was wrong with the command."""
    first = docferry.json("sync", "--path", str(folder))
    plan = docferry.json("plan", "--path", str(folder))
    (folder / "tides.txt").write_text("High water is at one.")
    moved, out, _ = docferry("apply", plan["run"])
    (manifest,) = (tmp_path / ".docferry").glob("buckets/*/data-sources/**/current.json")
    manifest.write_text("{}")

    code, shown, _ = docferry("sync", "--path", str(folder))

    assert first["status"] == "SUCCEEDED"
    assert (moved, code) == (1, 1)
    assert "PlanMoved: the source moved" in out
    assert "docferry rebuild" in shown


def test_a_folder_that_is_not_there_is_bad_configuration(docferry: Docferry, tmp_path: Path) -> None:
    """The workflow finds it, and the command says it as it says every such mistake."""
    (tmp_path / "connectors.yaml").write_text(
        "connectors: {gone: {source: {kind: files, path: nowhere}, index: {kind: kendra}}}"
    )

    code, out, err = docferry("sync", "gone")

    assert (code, out) == (2, "")
    assert "source.path: nowhere cannot be found" in err


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("sync", "--path", "documents", "--state", "/proc/x"), "/proc/x"),
        (("sync", "--path", "documents", "--state", "documents/tides.txt"), "documents/tides.txt"),
        (("history", "--state", "documents/tides.txt/below"), "documents/tides.txt/below"),
        (("emulator", "--state", "/proc/x"), "/proc/x"),
        (("local", "deploy", "--state", "/proc/x", "--config", "documents"), "documents"),
        (("sync", "one", "--config", "documents"), "documents"),
        (("sync", "--path", "n" * 300), "n" * 300),
        (("emulator", "--faults", "documents"), "documents"),
    ],
)
def test_a_path_that_cannot_be_used_is_one_line(
    docferry: Docferry, folder: Path, arguments: tuple[str, ...], path: str
) -> None:
    """It names the path, and exits with 2."""
    assert folder.exists()

    code, out, err = docferry(*arguments)

    assert (code, out) == (2, "")
    last = err.strip().splitlines()[-1]
    assert path in last
    assert "Traceback" not in err


@pytest.mark.parametrize("name", ["indexes.sqlite3", "connectors.json"])
def test_a_state_folder_with_a_damaged_file_is_named(
    docferry: Docferry, folder: Path, tmp_path: Path, name: str
) -> None:
    """With the file, and what to do."""
    docferry.json("sync", "--path", str(folder))
    for file in (tmp_path / ".docferry").glob(f"{name}*"):
        file.write_text("damaged" * 1_000)

    code, _, err = docferry("sync", "--path", str(folder))

    assert code == 2
    assert name in err
    assert "move it away" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sync", "--path", "nowhere"), "nowhere does not exist"),
        (("sync", "--path", "documents/tides.txt"), "is not a folder"),
        (("sync", "one", "--path", "documents"), "not both"),
        (("sync",), "say which connector"),
        (("sync", "three"), "there is no connector 'three'; there are: one, two"),
        (("sync", "one", "--index", "qbusiness"), "syncs into kendra, not qbusiness"),
        (("sync", "--config", "missing.yaml"), "there is no missing.yaml"),
        (("sync", "--index", "solr"), "solr"),
        (("sync", "--nonsense"), "--nonsense"),
        (("history",), "nothing was synced"),
        (("search", "words"), "nothing was synced"),
    ],
)
def test_bad_usage_exits_with_2_and_says_what_to_do(
    docferry: Docferry, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    """The message names the thing; there is no traceback, and nothing was made."""
    part = "{source: {kind: files, path: .}, index: {kind: kendra}}"
    (folder.parent / "connectors.yaml").write_text(f"connectors: {{one: {part}, two: {part}}}")

    code, _, err = docferry(*arguments)

    assert code == 2
    assert said in " ".join(err.split())
    assert "Traceback" not in err
    assert not (folder.parent / ".docferry").exists()


def test_every_mistake_of_the_configuration_is_listed_at_once(docferry: Docferry, tmp_path: Path) -> None:
    """Each with its path."""
    (tmp_path / "connectors.yaml").write_text(
        "connectors: {a: {source: {kind: s3}, index: {kind: kendra}}, b: {source: {kind: nothing}}}"
    )

    code, _, err = docferry("sync", "a")

    assert code == 2
    for path in ("connectors.a.source.bucket", "connectors.b.source.kind", "connectors.b.index"):
        assert path in err


def test_a_state_folder_in_use_is_left_alone(docferry: Docferry, folder: Path, tmp_path: Path) -> None:
    """Two processes must not write one state."""
    (tmp_path / ".docferry").mkdir()
    with locked(tmp_path / ".docferry"):
        code, _, err = docferry("sync", "--path", str(folder))

    assert code == 2
    assert "another docferry process" in err


def test_a_bucket_of_the_laptop_can_be_a_source(docferry: Docferry, tmp_path: Path) -> None:
    """Files under buckets/ are objects; the service reads them by reference."""
    bucket = tmp_path / ".docferry" / "buckets" / "papers" / "signed"
    bucket.mkdir(parents=True)
    (bucket / "treaty of ghent.txt").write_text("peace")
    (tmp_path / "connectors.yaml").write_text(
        "connectors: {papers: {source: {kind: s3, bucket: papers, prefix: signed/}, index: {kind: qbusiness}}}"
    )

    first, second = docferry.json("sync"), docferry.json("sync")

    assert (first["added"], first["failed"], second["unchanged"]) == (1, 0, 1)
    assert [hit["document_id"] for hit in docferry.json("search", "peace")] == ["papers/signed/treaty of ghent.txt"]


def test_withheld_deletes_are_explained_and_approved_by_run(docferry: Docferry, folder: Path) -> None:
    """The text names the command; a run can be approved once, and one that withheld nothing never."""
    for number in range(30):
        (folder / f"{number}.txt").write_text(str(number))
    docferry.json("sync", "--path", str(folder))
    for number in range(30):
        (folder / f"{number}.txt").unlink()
    _, out, _ = docferry("sync", "--path", str(folder))
    withheld = docferry.json("sync", "--path", str(folder))

    approved = docferry.json("approve", withheld["run"])
    again, _, err = docferry("approve", approved["run"])
    twice, _, used = docferry("approve", withheld["run"])

    assert "docferry approve " in out
    assert len(withheld["withheld_documents"]) == withheld["withheld"] == 30
    assert (approved["deleted"], approved["unchanged"], approved["approved"]) == (30, 2, 30)
    assert again == twice == 2
    assert "nothing to approve" in err
    assert "approved already" in used


def test_a_plan_names_each_document_and_why(docferry: Docferry, folder: Path) -> None:
    """A dry run is a plan; what is applied is what it says."""
    docferry.json("sync", "--path", str(folder))
    (folder / "tides.txt").write_text("Low water is at noon.")
    (folder / "moon.md").write_text("# Moon")
    (folder / "winds.md").unlink()
    (folder / "moon.md.metadata.json").write_text('{"Title": "The moon"}')

    plan = docferry.json("plan", "--path", str(folder))
    dry = docferry.json("sync", "--path", str(folder), "--dry-run")
    _, shown, _ = docferry("plan", "--path", str(folder))
    applied = docferry.json("apply", plan["run"])

    prefix = plan["connector"]
    assert (
        plan["documents"]
        == dry["documents"]
        == [
            {"id": f"{prefix}/moon.md", "why": ["added"]},
            {"id": f"{prefix}/tides.txt", "why": ["content"]},
            {"id": f"{prefix}/winds.md", "why": ["deleted"]},
        ]
    )
    assert "docferry apply " in shown
    assert f"content {prefix}/tides.txt" in shown
    assert (applied["added"], applied["modified"], applied["deleted"]) == (1, 1, 1)


def test_runs_are_listed(docferry: Docferry, folder: Path) -> None:
    """Newest first, with what each has done."""
    first = docferry.json("sync", "--path", str(folder))
    plan = docferry.json("plan", "--path", str(folder))

    runs = docferry.json("runs")
    newest = docferry.json("runs", "--limit", "1")
    _, table, _ = docferry("runs")

    assert [(run["run"], run["mode"], run["added"]) for run in runs] == [
        (plan["run"], "plan", 0),
        (first["run"], "sync", 2),
    ]
    assert runs[1]["execution_id"] == first["execution_id"]
    assert newest == runs[:1]
    assert first["run"] in table


def test_a_plan_a_full_sync_a_reconcile_and_a_rebuild(docferry: Docferry, folder: Path) -> None:
    """Each on the connector of the last sync."""
    plan = docferry.json("sync", "--path", str(folder), "--dry-run")
    docferry.json("sync", "--path", str(folder))
    full = docferry.json("sync", "--path", str(folder), "--full")
    reconciled = docferry.json("reconcile")
    dry = docferry.json("reconcile", "--dry-run")
    rebuilt = docferry.json("rebuild")

    assert (plan["added"], plan["execution_id"], plan["dry_run"]) == (2, None, True)
    assert full["modified"] == 2
    assert (reconciled["unchanged"], reconciled["execution_id"]) == (2, None)
    assert dry["unchanged"] == 2
    assert rebuilt["modified"] == 2
    assert docferry.json("sync", "--path", str(folder))["unchanged"] == 2


def test_failures_are_listed_and_released(docferry: Docferry, folder: Path) -> None:
    """A PDF that is none fails after acceptance, until it is quarantined."""
    (folder / "broken.pdf").write_bytes(b"not a PDF")
    for _ in range(5):
        run = docferry.json("sync", "--path", str(folder))
    quiet = docferry.json("sync", "--path", str(folder))
    listed = docferry.json("failures")
    _, shown, _ = docferry("failures")
    code, released, _ = docferry("retry")

    assert (run["failed"], quiet["failed"], quiet["quarantined"]) == (1, 0, 1)
    assert [(one["runs"], one["quarantined"]) for one in listed] == [(5, True)]
    assert "quarantined" in shown
    assert (code, released) == (0, "1 released; the next sync sends them again\n")
    assert docferry.json("sync", "--path", str(folder))["failed"] == 1
