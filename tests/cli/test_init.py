"""`docferry init`: a project that runs as it is, and nothing of anybody's overwritten."""

import json
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from docferry import indexes, sources
from docferry.config.connectors import describe
from docferry.runtime.assets import RECIPES
from docferry_cli.commands.setup.init import FILES, SourceKind
from docferry_cli.options import IndexKind
from docferry_infra.deployable import deployable
from tests.cli.command import Docferry


@pytest.mark.parametrize(("source", "index"), [*product(get_args(SourceKind), get_args(IndexKind))])
def test_a_project_runs_as_it_is(docferry: Docferry, tmp_path: Path, source: str, index: str) -> None:
    """Each source with each index: synced, searched, and ready to be synthesized where it can be deployed."""
    assert docferry("init", ".", "--source", source, "--index", index)[0] == 0

    synced = docferry.json("sync")
    (hit,) = docferry.json("search", "welcome")

    assert (synced["status"], synced["added"]) == ("SUCCEEDED", 1)
    assert hit["title"] == "welcome.md"
    (one,) = describe(tmp_path / "connectors.yaml").values()
    assert (one.connector.source.kind, one.connector.index.kind) == (source, index)
    if source != "files":
        assert list(deployable(tmp_path / "connectors.yaml")) == [one.connector.name]


def test_every_kind_that_runs_as_it_is_has_a_project() -> None:
    """A source that needs somebody else's system cannot run at once; recipes are for those."""
    assert set(get_args(SourceKind)) <= set(sources.KINDS)
    assert set(get_args(IndexKind)) == set(indexes.KINDS)


@pytest.mark.parametrize("name", sorted(file.stem for file in RECIPES.glob("*.yaml")))
def test_a_recipe_becomes_a_project(docferry: Docferry, tmp_path: Path, name: str) -> None:
    """A connector that is described without a mistake, and no document: they are in the system."""
    code, out, _ = docferry("init", ".", "--recipe", name, "--index", "qbusiness")

    assert code == 0
    assert "Fill in connectors.yaml; then: docferry sync" in out
    (one,) = describe(tmp_path / "connectors.yaml").values()
    assert one.connector.source.kind == ("feed" if name == "feed" else "http")
    assert {file.name for file in tmp_path.iterdir()} == set(FILES)
    assert (tmp_path / "requirements.txt").read_text().startswith(f"docferry[deploy,{one.connector.source.kind}]==")


def test_a_recipe_that_does_not_exist_is_refused(docferry: Docferry, tmp_path: Path) -> None:
    """It says which there are, and writes nothing."""
    code, _, err = docferry("init", "wiki", "--recipe", "mediawicky")

    assert code == 2
    assert "there is no recipe 'mediawicky'; there are: bookstack, discourse," in err
    assert not (tmp_path / "wiki").exists()


def test_it_has_what_the_cdk_needs(docferry: Docferry, tmp_path: Path) -> None:
    """An app, its configuration, and the version that wrote it; state and results are kept out of the repository."""
    code, out, _ = docferry("init", "Notices to Mariners")

    project = tmp_path / "Notices to Mariners"
    assert code == 0
    assert "connector notices-to-mariners" in out
    assert "cd 'Notices to Mariners' && docferry sync" in out
    assert {file.name for file in project.iterdir() if file.is_file()} == set(FILES)
    assert json.loads((project / "cdk.json").read_text())["app"] == "python app.py"
    assert "from docferry_infra.app import main" in (project / "app.py").read_text()
    assert (project / "requirements.txt").read_text().startswith("docferry[deploy]==")
    assert {".docferry/", "cdk.out/"} <= set((project / ".gitignore").read_text().split())


def test_a_repository_and_an_environment_may_be_there(docferry: Docferry, tmp_path: Path) -> None:
    """Both are often made before the first file."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".venv").mkdir()

    assert docferry("init")[0] == 0


def test_a_folder_with_anything_in_it_is_refused(docferry: Docferry, tmp_path: Path) -> None:
    """Another project too: it is left as it is."""
    docferry("init", "one")
    before = {file: file.read_bytes() for file in (tmp_path / "one").rglob("*") if file.is_file()}

    code, _, err = docferry("init", "one", "--index", "qbusiness")

    assert code == 2
    assert "one is not empty (it has .docferry), and nothing is overwritten" in err
    assert before == {file: file.read_bytes() for file in (tmp_path / "one").rglob("*") if file.is_file()}


def test_a_project_inside_another_is_refused(docferry: Docferry, tmp_path: Path) -> None:
    """Its commands would find the other's connectors.yaml from one folder, and its own from the next."""
    docferry("init", "outer")

    code, _, err = docferry("init", "outer/inner/deep")

    assert code == 2
    assert f"outer/inner/deep is inside another project, {tmp_path / 'outer'}" in err
    assert not (tmp_path / "outer" / "inner").exists()


def test_what_is_no_folder_or_cannot_be_written_is_one_line(docferry: Docferry, tmp_path: Path) -> None:
    """With the path in it; exit 2."""
    (tmp_path / "file").write_text("")

    for place in ("file", "/proc/nowhere"):
        code, _, err = docferry("init", place)
        assert code == 2
        assert place in err
        assert "Traceback" not in err
