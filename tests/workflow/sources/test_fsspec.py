"""An SFTP server, a Git repository and archives: what a sync moves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from docferry.config.connectors import load_connectors
from docferry_laptop.laptop import Laptop
from tests.contract.remote_repositories import (
    Archived,
    GitRepository,
    Sftp,
    SftpFolder,
    TarArchive,
    ZipArchive,
    serving,
)
from tests.contract.source_suite import CREW, sidecar
from tests.workflow.sources.world import held, restricted, synced
from tests.workflow.world import World

Made = tuple[Any, dict[str, Any]]
"""A repository, and the source of it as connectors.yaml writes it."""
SOURCES = Path(__file__).parents[3] / "docs" / "sources.md"


@pytest.fixture
def kind() -> str:
    """One service: a source knows nothing of the index. test_own.py tries them all."""
    return "bedrock"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sftp]:
    """Give an SFTP server."""
    with serving(tmp_path_factory.mktemp("sftp")) as running:
        yield running


def sftp(request: pytest.FixtureRequest) -> Made:
    """A folder of a server."""
    server = request.getfixturevalue("server")
    name = f"folder-{len(list(server.root.iterdir()))}"
    folder = SftpFolder(server, name, request.getfixturevalue("monkeypatch"))
    return folder, {"protocol": "sftp", "options": folder.options(), "path": f"/{name}"}


def git(request: pytest.FixtureRequest) -> Made:
    """A repository."""
    made = GitRepository(request.getfixturevalue("tmp_path"), request.getfixturevalue("monkeypatch"))
    made.source()
    return made, {"protocol": "git", "options": {"path": str(made.root)}}


def archive(kind: type[Archived], protocol: str, name: str) -> Callable[[pytest.FixtureRequest], Made]:
    """An archive."""

    def made(request: pytest.FixtureRequest) -> Made:
        archive = kind(request.getfixturevalue("tmp_path"), request.getfixturevalue("monkeypatch"))
        archive.source()
        return archive, {"protocol": protocol, "options": {"fo": str(archive.root / name)}}

    return made


REPOSITORIES: dict[str, Callable[[pytest.FixtureRequest], Made]] = {
    "sftp": sftp,
    "git": git,
    "zip": archive(ZipArchive, "zip", "docs.zip"),
    "tar": archive(TarArchive, "tar", "docs.tar.gz"),
}


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_only_what_changed_is_sent(
    aws: Laptop, kind: str, repository: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """All at first, then nothing, then one of each; who may see a document moves with its sidecar."""
    files, source = REPOSITORIES[repository](request)
    for name in ("a.md", "b/c.md", "b/d.txt", "e.md"):
        files.put(name, f"the text of {name}".encode())
        files.put(f"{name}.metadata.json", sidecar(AccessControlList=[CREW]))
    files.put("a.md.metadata.json", sidecar(Title="Tides", AccessControlList=[CREW]))
    world = restricted(aws, {"kind": "fsspec", **source}, kind, tmp_path)

    assert world.sync().added == 4
    assert held(world)["a.md"].title == "Tides"
    assert world.sync().unchanged == 4

    files.put("b/c.md", b"a lighthouse")
    files.put("f.md", b"a new one")
    files.put("f.md.metadata.json", sidecar(AccessControlList=[CREW]))
    files.remove("e.md")
    files.remove("e.md.metadata.json")
    files.put("a.md.metadata.json", sidecar(Title="Tides", AccessControlList=[{**CREW, "Name": "officers"}]))
    run = world.sync()

    assert (run.modified, run.added, run.deleted, run.unchanged) == (2, 1, 1, 1)
    documents = held(world)
    assert set(documents) == {"a.md", "b/c.md", "b/d.txt", "f.md"}
    assert [one.name for one in documents["a.md"].access_control] == ["officers"]


def test_a_server_that_is_gone_deletes_nothing(aws: Laptop, kind: str, request: pytest.FixtureRequest) -> None:
    """The run fails, and says why."""
    files, source = sftp(request)
    files.put("a.md")
    world = synced(aws, {"kind": "fsspec", **source}, kind)
    world.sync()
    gone = {**source, "options": {**source["options"], "port": 1}}

    world = synced(aws, {"kind": "fsspec", **gone}, kind)
    execution = world.start()
    world.finish(execution)

    assert execution.status() == "FAILED"
    assert set(held(world)) == {"a.md"}


def test_the_example_of_the_documentation_runs(aws: Laptop, kind: str, request: pytest.FixtureRequest) -> None:
    """As it stands in docs/sources.md, but for where the server is."""
    text = SOURCES.read_text(encoding="utf-8").partition("\n## fsspec\n")[2].partition("```yaml\n")[2]
    example = text.partition("```")[0]
    files, source = sftp(request)
    files.put("handbook/a.md")
    files.put("handbook/drafts/b.md")
    known_hosts = "files.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…"
    for written, actual in {
        f"known_hosts: {known_hosts}": f"known_hosts: '{source['options']['known_hosts'].strip()}'",
        "host: files.example.com": "host: 127.0.0.1",
        "port: 22": f"port: {source['options']['port']}",
        "/srv/handbook": f"{source['path']}/handbook",
    }.items():
        assert written in example, written
        example = example.replace(written, actual)
    folder = request.getfixturevalue("tmp_path")
    indented = "".join(f"    {line}\n" for line in example.splitlines())
    (folder / "connectors.yaml").write_text(f"connectors:\n  team:\n{indented}    index:\n      kind: {kind}\n")

    world = World.of(aws, folder, load_connectors(folder / "connectors.yaml")["team"])

    assert world.sync().added == 1
    assert set(held(world)) == {"a.md"}
