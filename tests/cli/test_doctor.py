"""`docferry doctor` on this machine: what is wrong, the cure, and the exit code."""

import json
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from docferry.connector import Connector, Part
from docferry.errors import AccessDenied, SourceUnavailable
from docferry.runtime import lambdas
from docferry_cli.doctor import indexes
from docferry_cli.doctor.context import Blocked, Context
from docferry_cli.doctor.examine import finding_of, looked
from docferry_cli.doctor.findings import Check, Ok
from docferry_cli.running import watch
from docferry_cli.targets import Where
from docferry_laptop.storage import storage
from tests.cli.command import Docferry

REFUSED: Any = {
    "Error": {
        "Code": "AccessDeniedException",
        "Message": "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: kendra:DescribeIndex on "
        "resource: arn:aws:kendra:eu-west-1:123456789012:index/1 because no policy allows it",
    }
}
DENIED = ClientError(REFUSED, "DescribeIndex")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two documents, one of them with an attribute."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "tides.txt").write_text("High water is at noon.")
    (folder / "winds.md").write_text("# Winds\n\nForce eight.")
    (folder / "winds.md.metadata.json").write_text(json.dumps({"Attributes": {"force": 8}}))
    return folder


@pytest.fixture(scope="module", params=["kendra", "qbusiness"])
def synced(request: pytest.FixtureRequest, documents: Path) -> Connector:
    """A connector that has synced, of each service. Its state is in a folder beside the documents."""
    connector = Connector("team", Part("files", {"path": str(documents)}), Part(request.param))
    where = Where("here", documents.with_name(request.param), Path("connectors.yaml"))
    with where.run(connector) as opened:
        assert watch(opened, opened.start().run).report.added == 2
    return connector


@pytest.fixture
def kind(synced: Connector, documents: Path, docferry: Docferry, tmp_path: Path) -> str:
    """The service. The folder of the test has a copy of the connector's state, and its connectors.yaml."""
    assert docferry
    shutil.copytree(documents.with_name(synced.index.kind), tmp_path / ".docferry")
    describe(tmp_path, source={"kind": "files", "path": str(documents)}, index={"kind": synced.index.kind})
    return synced.index.kind


def describe(tmp_path: Path, **parts: Any) -> None:
    """Write connectors.yaml."""
    (tmp_path / "connectors.yaml").write_text(json.dumps({"connectors": {"team": parts}}))


def findings(docferry: Docferry) -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code, and what is not ok: by check, its status and what was said."""
    code, out, err = docferry("doctor", "--json")
    assert out, err
    found = json.loads(out)["findings"]
    return code, {one["check"]: (one["status"], one["said"]) for one in found if one["status"] in {"wrong", "unknown"}}


def ids(tmp_path: Path) -> dict[str, str]:
    """The ids of the emulated index."""
    (synced,) = json.loads((tmp_path / ".docferry" / "connectors.json").read_text())
    found: dict[str, str] = synced["index"]["settings"]
    return found


def delete_data_source(tmp_path: Path, kind: str) -> None:
    """Delete the data source, as a person does in the console."""
    known = ids(tmp_path)
    with storage(state=tmp_path / ".docferry"):
        if kind == "kendra":
            kendra: Any = boto3.client("kendra")
            kendra.delete_data_source(IndexId=known["index_id"], Id=known["data_source_id"])
        else:
            qbusiness: Any = boto3.client("qbusiness")
            names = {"applicationId": "application_id", "indexId": "index_id", "dataSourceId": "data_source_id"}
            qbusiness.delete_data_source(**{name: known[setting] for name, setting in names.items()})


def test_nothing_is_wrong_with_a_connector_that_has_synced(docferry: Docferry, kind: str) -> None:
    """Every check of this machine is ok, and the others are named."""
    code, out, _ = docferry("doctor")

    assert code == 0
    lines = {line[8:24].strip(): line[:8].strip() for line in out.splitlines()}
    assert set(lines.values()) == {"ok", "-"}
    assert {name for name, mark in lines.items() if mark == "ok"} == {
        *("configuration", "secrets", "environment", "index", "data source", "fields", "capacity"),
        *("source", "size", "lease", "sync job"),
    }
    assert f"{kind} index" in out


def test_a_data_source_that_was_deleted(docferry: Docferry, kind: str, tmp_path: Path) -> None:
    """Its jobs cannot be listed any more, either."""
    delete_data_source(tmp_path, kind)

    code, found = findings(docferry)

    assert code == 1
    assert found["data source"][0] == "wrong"
    assert set(found) <= {"data source", "sync job"}


def test_a_source_that_is_gone_and_a_field_that_is_not_declared(docferry: Docferry, kind: str, tmp_path: Path) -> None:
    """Each is found by itself; the attribute is known from what was sent."""
    file = tmp_path / ".docferry" / "connectors.json"
    synced = json.loads(file.read_text())
    synced[0]["index"]["settings"] |= {"declare": False, "fields": {"force": "STRING", "sea": "STRING"}}
    synced[0]["connector"]["source"]["settings"]["path"] = str(tmp_path / "elsewhere")
    file.write_text(json.dumps(synced))

    code, found = findings(docferry)

    assert code == 1, kind
    assert set(found) == {"fields", "source"}
    assert "sea (STRING) is not declared" in found["fields"][1]
    assert "force is a NUMBER in the index, and a STRING in connectors.yaml" in found["fields"][1]


def test_a_connector_that_outgrows_its_functions(
    docferry: Docferry, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before it happens, with what to do."""
    monkeypatch.setattr(lambdas, "NEARLY", 2 / lambdas.DOCUMENTS)

    code, found = findings(docferry)

    assert code == 1, kind
    assert set(found) == {"size"}
    assert "divide the source between two connectors" in found["size"][1]


def test_an_index_that_is_full(
    docferry: Docferry, kind: str, documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More documents were listed than there is room for."""
    monkeypatch.setattr(indexes.kind("qbusiness"), "DOCUMENTS", 2)
    monkeypatch.setattr(indexes.kind("kendra"), "PER_UNIT", {"ENTERPRISE_EDITION": (0, 10**9)})
    # Full, and nothing waits: that is no trouble.
    assert findings(docferry) == (0, {})
    more = tmp_path / "documents"
    shutil.copytree(documents, more)
    (more / "fogs.txt").write_text("Sound the horn.")
    describe(tmp_path, source={"kind": "files", "path": str(more)}, index={"kind": kind})
    docferry.json("plan", "team")

    code, found = findings(docferry)

    assert (code, set(found)) == (1, {"capacity"})
    assert "the index has room for 0 more documents, and 1 wait (2 of " in found["capacity"][1]


def test_a_configuration_with_mistakes(docferry: Docferry, kind: str, tmp_path: Path) -> None:
    """Here the other checks go on; of a deployed connector nothing can be told without it."""
    describe(tmp_path, source={"kind": "files"}, index={"kind": kind})

    code, found = findings(docferry)
    deployed, out, _ = docferry("doctor", "--target", "aws")

    assert (code, set(found)) == (1, {"configuration"})
    assert "connectors.team.source.path: is required" in found["configuration"][1]
    assert deployed == 1
    assert out.count("there is no valid configuration") == len(out.splitlines()) - 3


def test_a_secret_that_is_missing(docferry: Docferry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, wherever in the settings it stands; the source is not reached without it."""
    monkeypatch.setenv("WIKI_TOKEN", "x")
    source = {"kind": "http", "base_url": "http://127.0.0.1:9/", "auth": {"type": "bearer", "token": "env:WIKI_TOKEN"}}
    state = tmp_path / ".docferry"
    state.mkdir()
    settings = {name: value for name, value in source.items() if name != "kind"}
    connector = {"name": "wiki", "source": {"kind": "http", "settings": settings}, "index": {"kind": "kendra"}}
    index = {"kind": "kendra", "settings": {"index_id": "0" * 36, "data_source_id": "0"}}
    (state / "connectors.json").write_text(json.dumps([{"connector": connector, "index": index}]))
    monkeypatch.delenv("WIKI_TOKEN")

    code, found = findings(docferry)

    assert code == 1
    assert found["secrets"] == ("wrong", "the environment variable WIKI_TOKEN is not set, which env:WIKI_TOKEN names")
    assert found["index"] == ("wrong", f"there is no index {'0' * 36}")


@pytest.mark.usefixtures("kind")
def test_texts_of_others_are_not_interpreted(docferry: Docferry, documents: Path, tmp_path: Path) -> None:
    """Neither by the terminal nor as markup."""
    file = tmp_path / ".docferry" / "connectors.json"
    file.write_text(file.read_text().replace(str(documents), f"{tmp_path}/[red]no\\u001b[2Jplace"))

    _, out, _ = docferry("doctor")

    assert "[red]no\\x1b[2Jplace" in out
    assert "\x1b" not in out


def test_bad_usage(docferry: Docferry, tmp_path: Path) -> None:
    """Nothing was synced here, or there is no such connector: exit code 2, and one line."""
    assert "nothing was synced" in docferry("doctor")[2]
    describe(tmp_path, source={"kind": "files", "path": "."}, index={"kind": "kendra"})
    code, _, err = docferry("doctor", "other", "--target", "aws")
    assert (code, err.strip()) == (2, "there is no connector 'other'; there are: team")


def raising(error: Exception) -> Check:
    """A check that cannot look."""

    def look(_: Context) -> Ok:
        raise error

    return Check("it", look)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            DENIED,
            "unknown",
            "the right kendra:DescribeIndex on arn:aws:kendra:eu-west-1:123456789012:index/1 is missing: ask for it",
        ),
        (Blocked("the connector could not be opened"), "unknown", "the connector could not be opened"),
        (SourceUnavailable("no answer"), "unknown", "no answer"),
        (ValueError("moto"), "unknown", "ValueError: moto"),
    ],
)
def test_a_check_that_cannot_look_says_why(error: Exception, status: str, said: str) -> None:
    """A missing right by its action and its resource. The other checks go on."""
    found = finding_of("it", looked(raising(error), None))  # type: ignore[arg-type]  # it does not look at it

    assert (found.status, found.said[: len(said)]) == (status, said)


def test_a_right_that_an_adapter_misses_is_named_too() -> None:
    """An adapter raises an error of Docferry's own."""
    error = AccessDenied("DescribeIndex: AccessDeniedException")
    error.__cause__ = DENIED

    found = finding_of("it", looked(raising(error), None))  # type: ignore[arg-type]  # it does not look at it

    assert found.said.startswith("the right kendra:DescribeIndex on arn:aws:kendra:")
