"""`docferry cost`: of a connector that was synced, and of one that does not exist yet."""

from pathlib import Path

from tests.cli.command import Docferry

CONFIG = """
connectors:
  team:
    source: {kind: files, path: documents}
    index: {kind: qbusiness}
    schedule: {expression: rate(12 hours)}
"""


def test_a_connector_that_was_synced_is_estimated_by_its_runs(docferry: Docferry, tmp_path: Path) -> None:
    """Its documents, the changes of its last runs, and the schedule of connectors.yaml."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(12):
        (documents / f"{number}.txt").write_text("x" * 100)
    (tmp_path / "connectors.yaml").write_text(CONFIG)
    docferry.json("sync", "team")
    (documents / "1.txt").write_text("another text")
    docferry.json("sync", "team")
    docferry.json("sync", "team")

    found = docferry.json("cost", "team")

    work = found["next_run"]["workload"]
    assert (work["documents"], work["added"], work["modified"], work["deleted"]) == (12, 0, 1, 0)
    assert (work["index"], work["first"]) == ("qbusiness", False)
    assert found["runs_per_month"] == 730 / 12
    assert "a run changes as much as the last 2 did on average" in found["assumptions"]
    assert found["index_dollars"] < found["month"]["dollars"]
    assert docferry.json("cost", "team", "--changed", "7")["next_run"]["workload"]["modified"] == 7
    assert docferry.json("cost") == found
    code, out, _ = docferry("cost")
    assert code == 0
    assert "team: 12 documents, 0 added, 1 modified" in out
    assert docferry("cost", "team", "--index", "kendra")[0] == 2


def test_a_connector_that_does_not_exist_yet_is_estimated_by_figures(docferry: Docferry) -> None:
    """Its next run sends everything; the other runs of the month what was given."""
    figures = ("--documents", "5000", "--changed", "50", "--average-size", "2000", "--runs-per-month", "10")

    found = docferry.json("cost", *figures, "--source", "s3")

    assert found["next_run"]["workload"]["added"] == 5000
    assert found["edition"] == "DEVELOPER_EDITION"
    assert found["runs_per_month"] == 10
    assert found["next_run"]["index_calls"] > 500
    code, out, _ = docferry("cost", *figures, "--edition", "ENTERPRISE_EDITION")
    assert code == 0
    assert "kendra index, ENTERPRISE_EDITION" in out
    assert "not included: free tiers" in out


def test_what_is_too_long_for_one_invocation_takes_several(docferry: Docferry) -> None:
    """The crawl and the commit of many documents go on in another one, so nothing is warned of."""
    found = docferry.json("cost", "--documents", "20000000", "--runs-per-month", "1", "--index", "qbusiness")

    invocations = {function["name"]: function["invocations"] for function in found["next_run"]["functions"]}
    assert invocations["crawl"] > 1
    assert invocations["commit"] > 1
    assert found["warnings"] == []


def test_what_is_missing_is_named(docferry: Docferry, tmp_path: Path) -> None:
    """One line, exit code 2."""
    (tmp_path / "connectors.yaml").write_text(CONFIG)
    for arguments, said in (
        ((), "give --documents N, or sync the connector first"),
        (("team",), "give --documents N, or sync the connector first"),
        (("other", "--documents", "5"), "connectors.yaml does not describe it"),
        (("--documents", "5", "--prices", "none.yaml"), "none.yaml cannot be read"),
        (("--documents", "20000", "--edition", "DEVELOPER_EDITION"), "holds at most 10,000 documents"),
    ):
        code, _, err = docferry("cost", *arguments)
        assert code == 2
        assert said in err.replace("\n", " ")
    assert docferry.json("cost", "team", "--documents", "5")["index"] == "qbusiness"
