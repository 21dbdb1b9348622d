"""The source of kind ``fsspec``: the promises of every source, over SFTP, in Git, and in archives."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.contract.remote_repositories import (
    GitRepository,
    PlainTar,
    Sftp,
    SftpFolder,
    TarArchive,
    ZipArchive,
    serving,
)
from tests.contract.source_suite import Repository, SourceSuite


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sftp]:
    """Give an SFTP server."""
    with serving(tmp_path_factory.mktemp("sftp")) as running:
        yield running


class TestSftp(SourceSuite):
    """The promises of every source."""

    @pytest.fixture
    def repository(self, server: Sftp, monkeypatch: pytest.MonkeyPatch) -> Repository:
        """Give an empty folder of the server."""
        return SftpFolder(server, str(uuid4()), monkeypatch)


class TestGit(SourceSuite):
    """The promises of every source."""

    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
        """Give a repository with an empty commit."""
        return GitRepository(tmp_path, monkeypatch)

    def test_a_document_without_sidecar_is_described_by_its_place(self, repository: Repository) -> None:
        """Git keeps no time of a file."""
        repository.put("guides/how to.html", b"<p>text</p>")
        assert self.only(repository).updated_at is None


class TestZip(SourceSuite):
    """The promises of every source."""

    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
        """Give an empty archive."""
        return ZipArchive(tmp_path, monkeypatch)


class TestTar(SourceSuite):
    """The promises of every source."""

    @pytest.fixture(params=[TarArchive, PlainTar])
    def repository(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
        """Give an empty archive."""
        made: Repository = request.param(tmp_path, monkeypatch)
        return made
