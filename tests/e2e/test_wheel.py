"""The wheel, in an environment and a folder of its own: what a person has who never saw the repository."""

import csv
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path, PurePosixPath

import pytest

from docferry.runtime.lambdas import DEPLOYED

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; the libraries are those of the environment that the tests run in.

    What that one has of Docferry itself is not seen: it stands in a .pth file, and those are read in one place only.
    """
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=ROOT)
    (wheel,) = folder.glob("docferry-*.whl")
    call(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = str(folder / "venv" / "bin" / "python")
    call(sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    (site_packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site_packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "venv"


@pytest.fixture(scope="module")
def project(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that `docferry init` wrote."""
    folder = tmp_path_factory.mktemp("projects") / "Notices to Mariners"
    said = call(str(environment / "bin" / "docferry"), "init", str(folder), cwd=folder.parent)
    assert "notices-to-mariners" in said
    return folder


def call(*command: str, cwd: Path | None = None) -> str:
    """Run a program that must succeed. Returns what it printed."""
    ended = run(*command, cwd=cwd)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def run(*command: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a program without what says where this repository is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DOCFERRY", "AWS"))}
    # The bundle is built already, and node stands beside this Python: nothing is downloaded.
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    return subprocess.run(
        command,
        cwd=cwd,
        env={**kept, "PATH": path, "DOCFERRY_BUILD": str(ROOT / "build")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_name_that_it_installs_begins_with_docferry(environment: Path) -> None:
    """No other distribution can have a package of these names."""
    (record,) = environment.glob("lib/python*/site-packages/docferry-*.dist-info/RECORD")
    files = [PurePosixPath(name) for name, *_ in csv.reader(record.read_text().splitlines())]
    tops = {file.parts[0] for file in files if file.parts[0] != ".."}

    assert {"docferry", "docferry_cli", "docferry_emulators", "docferry_infra", "docferry_laptop"} <= tops
    assert not [top for top in tops if not top.startswith("docferry")]
    assert {file.name for file in files if file.parts[0] == ".."} == {"docferry"}
    for package in tops:
        assert package.endswith(".dist-info") or PurePosixPath(package, "py.typed") in files


def test_it_has_what_the_bundle_needs(environment: Path) -> None:
    """A handler for each function, the pinned libraries, the workflow, the recipes, and the schemas."""
    (assets,) = environment.glob("lib/python*/site-packages/docferry/assets")
    handlers = {file.stem for file in (assets / "functions").glob("*.py")}

    assert handlers == {function.name for function in DEPLOYED}
    for pattern in ("functions/requirements*.txt", "statemachine/sync.asl.json", "recipes/*.yaml"):
        for file in ROOT.glob(pattern):
            assert (assets / file.relative_to(ROOT)).read_bytes() == file.read_bytes()
    for schema in (ROOT / "docs" / "schemas").glob("*.json"):
        assert (assets / "schemas" / schema.name).read_bytes() == schema.read_bytes()


def test_a_project_is_synced_and_searched(environment: Path, project: Path) -> None:
    """It runs as `docferry init` wrote it."""
    docferry = str(environment / "bin" / "docferry")

    synced = json.loads(call(docferry, "sync", "--json", cwd=project))
    hits = json.loads(call(docferry, "search", "welcome", "--json", cwd=project))

    assert (synced["status"], synced["added"]) == ("SUCCEEDED", 1)
    assert [hit["title"] for hit in hits] == ["welcome.md"]


def test_a_project_is_synthesized(environment: Path, project: Path) -> None:
    """Without the repository: every function of the workflow is in the template."""
    said = call(str(environment / "bin" / "docferry"), "synth", "--json", cwd=project)
    template = json.loads((project / json.loads(said)["notices-to-mariners"]).read_text())

    handlers = {
        resource["Properties"]["Handler"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert {function.handler for function in DEPLOYED} <= handlers


def test_the_app_of_a_project_is_what_the_cdk_cli_runs(environment: Path, project: Path) -> None:
    """``app.py`` reads the connectors.yaml beside it, from any folder, and tells what is wrong as the command does."""
    (project / "connectors.yaml").rename(project / "kept.yaml")
    (project / "connectors.yaml").write_text("connectors: {}\n")

    ended = run(str(environment / "bin" / "python"), str(project / "app.py"), cwd=project.parent)

    assert ended.returncode == 2
    assert f"{project / 'connectors.yaml'} has a mistake" in ended.stderr
    (project / "kept.yaml").rename(project / "connectors.yaml")
