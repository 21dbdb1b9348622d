"""`docferry status`, `watch`, `report` and `history`, as a person or a program uses them on a laptop."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docferry_laptop.storage import locked
from tests.cli.command import Docferry
from tests.waiting import wait_for

# What a shell starts in the background ignores Ctrl-C, and so do its children: pytest may be one.
PROGRAM = [
    sys.executable,
    "-c",
    "import signal as s; from docferry_cli.main import main; s.signal(s.SIGINT, s.default_int_handler); main()",
]


def status_of(docferry: Docferry) -> tuple[int, Any]:
    """The exit code of `docferry status --json`, and the one connector of it."""
    code, out, _ = docferry("status", "--json")
    (found,) = json.loads(out)
    return code, found


def test_status_says_how_every_connector_is_and_what_to_do(docferry: Docferry, folder: Path) -> None:
    """The command that it names is one that can be typed."""
    nothing, _, err = docferry("status")
    for number in range(20):
        (folder / f"{number}.txt").write_text(str(number))
    first = docferry.json("sync", "--path", str(folder))
    healthy, before = status_of(docferry)
    for number in range(20):
        (folder / f"{number}.txt").unlink()
    withheld = docferry.json("sync", "--path", str(folder))
    waits, after = status_of(docferry)
    named, shown, _ = docferry("status", first["connector"])
    approved = docferry(*after["next"].split()[1:])[0]

    assert (nothing, healthy, waits, named, approved) == (2, 0, 1, 1, 0)
    assert "nothing was synced" in err
    assert (before["health"], before["success"]["run"], before["next"]) == ("healthy", first["run"], "nothing to do")
    assert (after["waiting"]["run"], after["waiting"]["withheld"]) == (withheld["run"], 20)
    assert "20 deletes wait for approval" in shown
    assert status_of(docferry)[0] == 0
    assert docferry("status", "other")[0] == 2


def test_a_connector_that_cannot_be_read_does_not_hide_the_others(docferry: Docferry, folder: Path) -> None:
    """It is unknown how that one is; exit 2 says so."""
    damaged = docferry.json("sync", "--path", str(folder))["connector"]
    docferry.json("sync", "--path", str(folder), "--index", "qbusiness")
    (ledger,) = Path(".docferry").glob(f"buckets/docferry-{damaged}-state/ledger.json")
    ledger.write_text("{")

    code, out, _ = docferry("status", "--json")
    _, shown, _ = docferry("status")

    assert (code, [one["health"] for one in json.loads(out)]) == (2, ["unknown", "healthy"])
    assert "ledger.json is not what a run has written" in " ".join(shown.split())


def test_a_report_is_read_as_text_json_and_page(docferry: Docferry, folder: Path) -> None:
    """By the beginning of the run's name."""
    (folder / "broken.pdf").write_bytes(b"not a PDF")
    run = docferry.json("sync", "--path", str(folder))
    name = run["run"][:8]

    plan = docferry.json("plan", "--path", str(folder))
    found = docferry.json("report", name)
    _, text, _ = docferry("report", name)
    wrote, said, _ = docferry("report", name, "--html", "run.html")
    unknown, _, err = docferry("report", run["run"][:-1] + "?")

    assert (found["entry"]["run"], found["result"]["added"], found["unknown"]) == (run["run"], 2, [])
    assert found["job"]["execution_id"] == run["execution_id"]
    assert [phase["phase"] for phase in found["phases"]] == ["crawl", "sending", "indexing and commit"]
    assert [one["id"] for one in found["skipped"]] == [f"{run['connector']}/program.exe"]
    assert "broken.pdf: " in text
    assert (wrote, said) == (0, "wrote run.html\n")
    assert "broken.pdf" in Path("run.html").read_text()
    assert docferry.json("report", plan["run"])["planned"] == plan["documents"] != []
    assert unknown == 2
    assert f"did you mean {run['run']}" in " ".join(err.split())


def test_history_names_the_run_of_each_job(docferry: Docferry, folder: Path) -> None:
    """For both services."""
    for index in ("kendra", "qbusiness"):
        run = docferry.json("sync", "--path", str(folder), "--index", index)
        (job,) = docferry.json("history", "--index", index, "--since", "2026-01-01T00:00:00+0100")
        _, table, _ = docferry("history", "--index", index)

        assert (job["execution_id"], job["run"], job["made_by"]) == (run["execution_id"], run["run"], "run")
        assert run["run"] in table


def test_watch_shows_the_end_of_a_run_that_is_over(docferry: Docferry, folder: Path) -> None:
    """The newest one, or the one that is named; with the exit code that its sync had."""
    first = docferry.json("sync", "--path", str(folder))
    second = docferry.json("sync", "--path", str(folder))

    assert docferry.json("watch")["run"] == second["run"]
    assert docferry.json("watch", first["run"][:8])["added"] == 2
    code, _, err = docferry("watch", "nothing-like-it")
    assert code == 2
    assert second["run"] in " ".join(err.split())


def test_a_folder_that_is_in_use_can_still_be_looked_at(docferry: Docferry, folder: Path, tmp_path: Path) -> None:
    """What its files say: a run that has no end yet is the other process's."""
    run = docferry.json("sync", "--path", str(folder))
    with locked(tmp_path / ".docferry"):
        code, found = status_of(docferry)
        report = docferry.json("report", run["run"])
        watched = docferry.json("watch")
        history, _, err = docferry("history")

    assert (code, found["last"]["run"]) == (0, run["run"])
    assert report["result"]["added"] == 2
    assert watched["run"] == run["run"]
    assert history == 2
    assert "another docferry process" in err


SLOW = """
import time
from pathlib import Path
from docferry.sources import Record, Records

class Slow(Records):
    def records(self):
        yield Record(id="one", content=b"one", content_type="PLAIN_TEXT")
        while not Path("go").exists():
            time.sleep(0.01)
"""


def shown_until(terminal: int, words: bytes) -> bytes:
    """Read what a command shows on a terminal, up to some words, or to its end."""
    shown = b""
    while words not in shown:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # Linux says so when the last process that had the terminal is gone
            break
    return shown


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_run_is_watched_from_another_process_and_interrupted(docferry: Docferry, tmp_path: Path) -> None:
    """The run goes on while only its watcher ends. Both end with 130, a whole terminal, and the command to go on."""
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "connectors.yaml").write_text(
        "connectors: {slow: {source: {kind: 'slow:Slow'}, index: {kind: kendra}}}"
    )
    mine, terminal = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    syncing = subprocess.Popen([*PROGRAM, "sync", "slow"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with syncing:
        try:
            wait_for(lambda: any(tmp_path.glob(".docferry/buckets/*/lease.json")))
            code, found = status_of(docferry)
            with subprocess.Popen([*PROGRAM, "watch"], stdout=terminal, stderr=terminal, env=environment) as watching:
                os.close(terminal)
                said = shown_until(mine, b"crawl")
                watching.send_signal(signal.SIGINT)
                said += shown_until(mine, b"nothing that is said")
            syncing.send_signal(signal.SIGINT)
            assert syncing.stderr is not None
            stopped = next(line for line in syncing.stderr if "interrupted" in line)
            (tmp_path / "go").touch()
            stopped += syncing.communicate(timeout=100)[1]
        finally:
            os.close(mine)
            syncing.kill()
    run = found["running"]["run"]

    assert (code, found["health"], found["next"]) == (0, "healthy", f"docferry watch {run} --connector slow")
    assert (watching.returncode, syncing.returncode) == (130, 130)
    assert said.rindex(b"\x1b[?25h") > said.rindex(b"\x1b[?25l"), "the cursor is shown again"
    assert b"the run goes on in the process that has started it" in said
    assert f"docferry watch {run} --connector slow".encode() in said
    assert "The next sync continues from here" in stopped
    assert b"Traceback" not in said + stopped.encode()
    assert f"run {run} has ended without a word" in docferry("status")[1]
    assert docferry.json("sync", "slow")["added"] == 1
    assert status_of(docferry)[0] == 0
