"""`docferry migrate` and `docferry compare` on a laptop, as a person or a program uses them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from docferry.errors import AccessDenied, SourceUnavailable
from docferry.indexes.bedrock.index import Bedrock
from docferry.sources import Page
from docferry.sources.folder.files import Files
from docferry_cli.targets import Where
from tests.cli.command import Docferry

GROUPS = "group,member,kind\ncrew,ann@example.com,user\n"
SIDECAR = {"AccessControlList": [{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}]}


@pytest.fixture
def desk(docferry: Docferry, tmp_path: Path) -> Path:  # noqa: ARG001  # which goes to the folder
    """A folder with a document for the crew, one for everybody, and rich text; and connectors for it."""
    folder = tmp_path / "desk"
    folder.mkdir()
    restricted(folder, "tides.txt", "High water is at noon.")
    restricted(folder, "slides.rtf", r"{\rtf1 High water, in pictures.}")
    (folder / "moon.txt").write_text("The moon makes high water.")
    (tmp_path / "groups.csv").write_text(GROUPS)
    describe()
    return folder


def restricted(folder: Path, name: str, text: str) -> None:
    """Write a document for the crew alone."""
    (folder / name).write_text(text)
    (folder / f"{name}.metadata.json").write_text(json.dumps(SIDECAR))


def describe(**indexes: str) -> None:
    """Write connectors.yaml: one connector for each kind of index, and others."""
    known = {
        "old": "index: {kind: kendra}",
        "new": "index: {kind: bedrock, acl: true}, groups: {file: groups.csv}",
        "alone": "index: {kind: bedrock, acl: true}",
        "open": "index: {kind: bedrock}",
        "q": "index: {kind: qbusiness}",
        **indexes,
    }
    described = {name: f"{{source: {{kind: files, path: desk}}, {rest}}}" for name, rest in known.items()}
    described["other"] = "{source: {kind: files, path: .}, index: {kind: kendra}}"
    Path("connectors.yaml").write_text(
        "connectors:\n" + "".join(f"  {name}: {rest}\n" for name, rest in described.items())
    )


def reasons(migration: Any) -> dict[str, str]:
    """What does not arrive, with the reasons."""
    return {one["id"]: one["reason"] for one in migration["missing"]}


@pytest.mark.usefixtures("desk")
def test_the_list_comes_before_anything_is_sent(docferry: Docferry) -> None:
    """Every document of the source is to be sent, or is named with its reason; then the index is filled, once."""
    docferry.json("sync", "old")

    listed = docferry.json("migrate", "old", "--to", "new")
    searched = docferry.json("search", "water", "--connector", "new", "--user", "ann@example.com")
    filled = docferry.json(*listed["next"].split()[1:])
    again = docferry.json("migrate", "old", "--to", "new", "--yes")

    assert (listed["stage"], listed["due"], listed["there"], listed["held_by_old"]) == ("listed", 1, 0, 3)
    assert searched == []
    assert set(reasons(listed)) == {"moon.txt", "slides.rtf"}
    assert "nobody would see it" in reasons(listed)["moon.txt"]
    assert "of type RTF" in reasons(listed)["slides.rtf"]
    assert (filled["stage"], filled["fill"]["added"], filled["next"]) == ("filled", 1, "")
    assert (again["stage"], again["due"], again["there"]) == ("filled", 0, 1)
    assert "fill" not in again
    assert len(docferry.json("history", "new")) == 1
    assert len(docferry.json("history", "old")) == 1


@pytest.mark.usefixtures("desk")
def test_what_the_list_says_is_what_a_sync_does(docferry: Docferry) -> None:
    """A group that cannot be expanded, and access control that an index does not have, keep documents back."""
    docferry.json("sync", "old")

    code, out, _ = docferry("migrate", "old", "--to", "alone", "--yes", "--json")
    everybody = docferry.json("migrate", "old", "--to", "open", "--yes")

    alone = json.loads(out)
    assert "names the group 'crew'" in reasons(alone)["tides.txt"]
    assert (code, alone["stage"]) == (1, "not possible")
    assert alone["obstacles"] == ["the source has no document that the new index takes"]
    assert "everybody would see it" in reasons(everybody)["tides.txt"]
    assert (everybody["fill"]["added"], everybody["stage"]) == (1, "filled")


def test_a_person_reads_the_list_and_what_is_left_to_do(docferry: Docferry, desk: Path) -> None:
    """Those that are found today come first. The commands of the checklist can be typed."""
    docferry.json("sync", "old")
    (desk / "program.exe").write_text("binary")

    _, listed, _ = docferry("migrate", "old", "--to", "new")
    code, filled, _ = docferry("migrate", "old", "--to", "new", "--yes")
    Path("queries.txt").write_text("high water\n")

    assert code == 0
    assert listed.index("lost moon.txt") < listed.index("in neither program.exe")
    assert "To fill it: docferry migrate old --to new --yes" in listed
    assert "docferry compare old new --queries queries.txt --user" in filled
    assert "What Docferry cannot know" in filled
    commands = [line.strip() for line in filled.splitlines() if line.strip().startswith("docferry ")]
    here = [one for one in commands if not one.startswith("docferry deploy")]
    assert len(here) >= 5
    for one in here:
        assert docferry(*one.split()[1:])[0] in {0, 1}, one


def test_a_document_of_the_inbox_is_not_forgotten(docferry: Docferry, desk: Path) -> None:
    """The new connector has an inbox of its own, in which it is not."""
    inbox = Path(".docferry/buckets/docferry-old-state/inbox")
    inbox.mkdir(parents=True)
    (inbox / "1.jsonl").write_text('{"DocumentId": "note.txt", "Content": "high water"}\n')
    docferry.json("sync", "old")
    (desk / "moon.txt").unlink()

    listed = docferry.json("migrate", "old", "--to", "q")

    assert "inbox of old" in reasons(listed)["note.txt"]
    assert reasons(listed)["moon.txt"] == "the source does not list it any more"


@pytest.mark.usefixtures("desk")
def test_without_a_sync_of_the_old_connector_the_rest_is_told(docferry: Docferry) -> None:
    """A rehearsal needs no old index."""
    listed = docferry.json("migrate", "old", "--to", "q")

    assert (listed["held_by_old"], listed["due"], listed["missing"]) == (None, 3, [])
    assert any("old has not run here" in note for note in listed["notes"])


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("old", "--to", "old"), "cannot be moved to itself"),
        (("old", "--to", "nobody"), "there is no connector 'nobody'"),
        (("old", "--to", "other"), "path is 'desk' and '.'"),
        (("old", "--to", "new", "--config", "none.yaml"), "none.yaml cannot be read"),
    ],
)
def test_bad_usage_is_one_line(docferry: Docferry, arguments: tuple[str, ...], said: str) -> None:
    """With exit code 2, and nothing on standard output."""
    code, out, err = docferry("migrate", *arguments)

    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert said in err


@pytest.mark.usefixtures("desk")
def test_an_index_with_documents_of_somebody_else_is_not_filled(docferry: Docferry) -> None:
    """Nobody could tell later whose document is whose. The message names one."""
    docferry.json("migrate", "old", "--to", "open")
    where = Where("here", Path(".docferry"), Path("connectors.yaml"))
    with where.look("open") as opened:
        ids = {
            "knowledgeBaseId": opened.part.settings["knowledge_base_id"],
            "dataSourceId": opened.part.settings["data_source_id"],
        }
        stranger = {
            "content": {
                "dataSourceType": "CUSTOM",
                "custom": {
                    "customDocumentIdentifier": {"id": "4711"},
                    "sourceType": "IN_LINE",
                    "inlineContent": {"type": "TEXT", "textContent": {"data": "by hand"}},
                },
            }
        }
        boto3.client("bedrock-agent").ingest_knowledge_base_documents(**ids, documents=[stranger])

    code, _, err = docferry("migrate", "old", "--to", "open", "--yes")

    assert code == 2
    assert "4711" in err
    assert docferry.json("history", "open") == []


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("to", ["kendra", "q"])
def test_an_index_that_somebody_else_syncs_is_not_filled(docferry: Docferry, to: str) -> None:
    """No connector has sent its documents: a sync job of a stranger is the sign of them."""
    describe(kendra="index: {kind: kendra}")
    docferry.json("migrate", "old", "--to", to)
    where = Where("here", Path(".docferry"), Path("connectors.yaml"))
    with where.look(to) as opened:
        job = stranger_syncs(opened.connector.index.kind, opened.part.settings)

    code, _, err = docferry("migrate", "old", "--to", to, "--yes")

    assert code == 2
    assert job in err
    assert "new data source" in err
    assert [one["made_by"] for one in docferry.json("history", to)] == ["foreign"]


def stranger_syncs(kind: str, settings: Any) -> str:
    """Let somebody else run a sync job of a data source; its execution id."""
    if kind == "kendra":
        kendra = boto3.client("kendra")
        ids = {"IndexId": settings["index_id"], "Id": settings["data_source_id"]}
        started: str = kendra.start_data_source_sync_job(**ids)["ExecutionId"]
        kendra.stop_data_source_sync_job(**ids)
        return started
    qbusiness = boto3.client("qbusiness")
    names = {"applicationId": "application_id", "indexId": "index_id", "dataSourceId": "data_source_id"}
    ids = {name: settings[ours] for name, ours in names.items()}
    started = str(qbusiness.start_data_source_sync_job(**ids)["executionId"])
    qbusiness.stop_data_source_sync_job(**ids)
    return started


@pytest.mark.usefixtures("desk")
def test_attributes_that_the_new_index_lacks_are_told_before_the_fill(docferry: Docferry, desk: Path) -> None:
    """A fill would send nothing at all, so it does not begin."""
    (desk / "moon.txt.metadata.json").write_text('{"Attributes": {"phase": "full"}}')
    describe(q="index: {kind: qbusiness, fields: {revision: NUMBER}}")

    code, out, _ = docferry("migrate", "old", "--to", "q", "--yes", "--json")

    found = json.loads(out)
    assert (code, found["stage"]) == (1, "not possible")
    assert "phase (STRING) is not declared; q/moon.txt has it" in found["obstacles"]
    assert docferry.json("history", "q") == []


def test_a_fill_that_dies_goes_on(docferry: Docferry, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command sends what is missing. The old index is not touched."""
    for number in range(3):
        (desk / f"{number}.txt").write_text(f"high water {number}")
    docferry.json("sync", "old")
    put = Bedrock.put

    def refused(self: Bedrock, execution_id: str, documents: Any) -> Any:
        put(self, execution_id, documents[:2])
        raise AccessDenied("bedrock:IngestKnowledgeBaseDocuments is not allowed")

    monkeypatch.setattr(Bedrock, "put", refused)
    code, out, _ = docferry("migrate", "old", "--to", "open", "--yes", "--json")
    monkeypatch.undo()
    monkeypatch.chdir(desk.parent)
    died = json.loads(out)
    done = docferry.json(*died["next"].split()[1:])
    filled = docferry.json("migrate", "old", "--to", "open")

    assert (code, died["stage"], died["fill"]["status"]) == (1, "filling failed", "FAILED")
    assert (done["stage"], done["fill"]["failed"]) == ("filled", 0)
    assert (filled["stage"], filled["there"], filled["due"]) == ("filled", 4, 0)
    assert len(docferry.json("history", "old")) == 1


@pytest.mark.usefixtures("desk")
def test_a_source_that_cannot_be_listed_moves_nothing(docferry: Docferry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told, and the command to try again."""
    docferry.json("sync", "old")

    def unreachable(*_: object) -> Iterator[Page]:
        raise SourceUnavailable("the share does not answer")

    monkeypatch.setattr(Files, "pages", unreachable)

    code, out, _ = docferry("migrate", "old", "--to", "open", "--yes", "--json")
    _, shown, _ = docferry("migrate", "old", "--to", "open")

    found = json.loads(out)
    assert (code, found["stage"], found["missing"]) == (1, "not possible", [])
    assert "the share does not answer" in found["obstacles"][0]
    assert found["next"] == "docferry migrate old --to open"
    assert f"To go on: {found['next']}" in shown


@pytest.mark.usefixtures("desk")
def test_two_indexes_are_compared_query_by_query(docferry: Docferry) -> None:
    """By what ids have in common, as a user in a group that one of them knows, and the other is told."""
    for name in ("old", "new", "q"):
        docferry.json("sync", name)
    Path("queries.txt").write_text("# about water\nhigh water\n\nnothing of the kind\n")
    ann = ("--user", "ann@example.com", "--group", "crew")

    same = docferry.json("compare", "old", "q", "--queries", "queries.txt")
    seen = docferry.json("compare", "old", "new", "--queries", "queries.txt", *ann)
    nobody = docferry.json("compare", "old", "new", "--queries", "queries.txt", "--user", "bob@example.com")
    _, shown, _ = docferry("compare", "old", "new", "--queries", "queries.txt", *ann)

    assert same["mean_overlap_10"] == 1.0
    assert [one["query"] for one in same["queries"]] == ["high water", "nothing of the kind"]
    assert same["silent"] == ["nothing of the kind"]
    water = seen["queries"][0]
    assert (set(water["old"]), water["new"]) == ({"tides.txt", "moon.txt", "slides.rtf"}, ["tides.txt"])
    assert (water["overlap_5"], seen["apart"]) == (0.333, [])
    assert "without groups" in seen["notes"][0]
    assert (nobody["queries"][0]["old"], nobody["queries"][0]["new"]) == (["moon.txt"], [])
    assert nobody["apart"] == ["high water"]
    assert "overlap 33% at 5, 33% at 10" in shown


@pytest.mark.usefixtures("desk")
def test_a_comparison_is_written_as_one_page(docferry: Docferry) -> None:
    """Which loads nothing."""
    docferry.json("sync", "old")
    docferry.json("sync", "q")
    Path("queries.txt").write_text("high water\n")

    code, out, _ = docferry("compare", "old", "q", "--queries", "queries.txt", "--html", "compared.html")

    page = Path("compared.html").read_text()
    assert (code, out.strip()) == (0, "wrote compared.html")
    assert "tides.txt" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("old", "q", "--queries", "none.txt"), "none.txt cannot be read"),
        (("old", "old", "--queries", "queries.txt"), "cannot be compared with itself"),
        (("old", "nobody", "--queries", "queries.txt"), "there is no connector 'nobody'"),
        (("old", "q", "--queries", "queries.txt", "--group", "crew"), "give --user too"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_one_line(
    docferry: Docferry, arguments: tuple[str, ...], said: str
) -> None:
    """With exit code 2."""
    docferry.json("sync", "old")
    docferry.json("sync", "q")
    Path("queries.txt").write_text("high water\n")

    code, out, err = docferry("compare", *arguments)

    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert said in err
