"""The source of kind ``fsspec``: the promises of every source, over SFTP, in Git, and in archives."""

import hashlib
import io
import os
import shutil
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from docferry.errors import ConfigurationError, DocumentUnreadable, SourceUnavailable
from docferry.model import Document, Listed, Skipped
from docferry.sources.remote import archive as remote_archive
from tests.contract.remote_repositories import (
    Files,
    GitRepository,
    MemoryFolder,
    PlainTar,
    Sftp,
    SftpFolder,
    TarArchive,
    ZipArchive,
    serving,
    source_of,
)
from tests.contract.source_suite import Repository, SourceSuite, listing


def skipped(item: Listed) -> str:
    """Return why something is skipped."""
    assert isinstance(item, Skipped), item
    return item.skipped


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


class TestMemory(SourceSuite):
    """The promises of every source, where a file system tells neither times nor checksums."""

    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
        """Give an empty folder of fsspec's file system in memory."""
        return MemoryFolder(tmp_path, monkeypatch)

    def test_a_document_without_sidecar_is_described_by_its_place(self, repository: Repository) -> None:
        """Its version is the digest of its content."""
        repository.put("guides/how to.html", b"<p>text</p>")
        document = self.only(repository)
        assert document.updated_at is None
        assert document.version == f"sha256:{hashlib.sha256(b'<p>text</p>').hexdigest()}"


class TestSshServer:
    """What a server adds: logins, links, folders that are closed, connections that break."""

    @pytest.fixture
    def folder(self, server: Sftp, monkeypatch: pytest.MonkeyPatch) -> SftpFolder:
        """Give an empty folder of the server."""
        return SftpFolder(server, str(uuid4()), monkeypatch)

    def test_links_are_never_followed(self, folder: SftpFolder) -> None:
        """Not into a circle, not out of the folder, not to a sidecar."""
        folder.put("a.md")
        folder.put("b.md")
        (folder.root / "circle").symlink_to(".")
        (folder.root / "link.md").symlink_to("a.md")
        (folder.root / "b.md.metadata.json").symlink_to("a.md")

        first, second, *links = listing(folder.source())

        assert first.id == "demo/a.md"
        assert (
            skipped(second) == "sidecar b.md.metadata.json: cannot be read: is a symbolic link, which is not followed"
        )
        assert [(link.id, skipped(link)) for link in links] == [
            ("demo/circle", "is a symbolic link, which is not followed"),
            ("demo/link.md", "is a symbolic link, which is not followed"),
        ]

    @pytest.mark.parametrize("how", ["closed", "gone"])
    def test_a_folder_that_may_not_be_listed_makes_the_listing_incomplete(
        self, folder: SftpFolder, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        """Its documents are unknown; so it is when a server says that what it has just listed does not exist."""
        folder.put("a/b.md")
        folder.put("c.md")
        monkeypatch.setattr(Files, how, frozenset({f"/{folder.name}/a".encode()}))

        hidden, seen = listing(folder.source())

        assert isinstance(hidden, Skipped)
        assert hidden.id == "demo/a/"
        assert hidden.incomplete
        assert seen.id == "demo/c.md"

    def test_a_broken_connection_does_not_end_the_listing(
        self, folder: SftpFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is an outage, and the next attempt connects anew."""
        for name in ("a.md", "b/c.md", "d.md"):
            folder.put(name)
        source = folder.source()
        with monkeypatch.context() as cut:
            cut.setattr(Files, "cut_at", f"/{folder.name}/b".encode())
            with pytest.raises(SourceUnavailable, match="cannot be read"):
                listing(source)

        assert len(listing(source)) == 3

    def test_a_document_is_opened_over_a_new_connection(self, folder: SftpFolder) -> None:
        """A function that was idle for an hour has one that the server has forgotten."""
        folder.put("a.md")
        source = folder.source()
        (document,) = listing(source)
        assert isinstance(document, Document)
        source._connected._fs._fs.client.abort()  # type: ignore[attr-defined]
        assert source.open(document).content == b"text"

    def test_a_folder_that_goes_away_is_an_outage(self, folder: SftpFolder) -> None:
        """Not a repository without documents; nor are its documents called vanished."""
        folder.small_pages(1)
        folder.put("a.md")
        folder.put("b.md")
        source = folder.source()
        pages = source.pages(None)
        (document,) = next(pages).listed
        shutil.rmtree(folder.root)

        with pytest.raises(SourceUnavailable, match="went away"):
            list(pages)
        with pytest.raises(SourceUnavailable, match="went away"):
            listing(folder.source(), checkpoint="a.md")
        assert isinstance(document, Document)
        with pytest.raises(SourceUnavailable, match="went away"):
            source.open(document)

    def test_a_folder_that_does_not_exist_is_a_mistake_in_the_settings(self, folder: SftpFolder) -> None:
        """The text names it; a file in its place is no folder either."""
        folder.put("a.md")
        with pytest.raises(ConfigurationError, match="sftp cannot find /nowhere"):
            listing(folder.source(path="/nowhere"))
        with pytest.raises(ConfigurationError, match="is not a folder"):
            listing(folder.source(path=f"/{folder.name}/a.md"))

    def test_a_wrong_password_is_a_mistake_in_the_settings(
        self, folder: SftpFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is tried again, and the text does not repeat it."""
        monkeypatch.setenv("SFTP_PASSWORD", "wrong horse")
        with pytest.raises(ConfigurationError, match="refuses the login") as raised:
            listing(folder.source())
        assert "horse" not in str(raised.value)

    def test_a_server_with_an_unknown_key_is_refused(self, folder: SftpFolder, tmp_path: Path) -> None:
        """It may be somebody else's, who wants the password. sshfs alone would let it pass."""
        empty = tmp_path / "known_hosts"
        empty.write_text("")
        with pytest.raises(ConfigurationError, match=r"host key is not known .* ssh-keyscan"):
            listing(folder.source(options={"known_hosts": str(empty)}))

    def test_a_server_that_is_not_there_is_an_outage(self, folder: SftpFolder) -> None:
        """It may be back in a minute."""
        with pytest.raises(SourceUnavailable, match="cannot be connected to"):
            listing(folder.source(options={"port": 1}))

    def test_an_unknown_option_is_a_mistake_in_the_settings(self, folder: SftpFolder) -> None:
        """The text names it."""
        with pytest.raises(ConfigurationError, match="pasword"):
            listing(folder.source(options={"pasword": "x"}))

    def test_a_file_that_was_just_written_is_sent_twice(self, folder: SftpFolder) -> None:
        """Servers tell whole seconds: another version may have come within the same one."""
        folder.put("a.md")
        now = time.time()
        os.utime(folder.root / "a.md", (now, now))
        (recent,) = listing(folder.source())
        os.utime(folder.root / "a.md", (now - 3600, now - 3600))
        (rested,) = listing(folder.source())
        assert isinstance(recent, Document)
        assert isinstance(rested, Document)
        assert recent.version.endswith("/recent")
        assert not rested.version.endswith("/recent")

    def test_an_unchanged_file_is_not_read(self, folder: SftpFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        """Size and time tell enough."""
        folder.put("a.md")
        monkeypatch.setattr(Files, "open", lambda *_: pytest.fail("opened"))
        assert len(listing(folder.source())) == 1

    def test_a_name_that_is_not_utf8_is_skipped_or_an_outage(self, folder: SftpFolder) -> None:
        """It never ends the listing as if the rest did not exist."""
        folder.put("a.md")
        folder.put("z.md")
        Path(os.fsdecode(os.fsencode(folder.root) + b"/caf\xe9.md")).write_bytes(b"text")
        with pytest.raises(SourceUnavailable):
            listing(folder.source())
        options = {"sftp_client_kwargs": {"path_errors": "surrogateescape"}}
        first, second, third = listing(folder.source(options=options))
        assert (first.id, third.id) == ("demo/a.md", "demo/z.md")
        assert (second.id, skipped(second)) == ("demo/caf\\xe9.md", "its name is not UTF-8; rename the file")


class TestGitRepositories:
    """What Git adds: branches, links, submodules, names that look like URLs, pointers."""

    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
        """Give a repository with an empty commit."""
        return GitRepository(tmp_path, monkeypatch)

    def test_only_what_is_committed_counts(self, repository: GitRepository) -> None:
        """Of the branch that is named, or of the one that is checked out."""
        repository.put("a.md")
        repository.source()
        repository.git("branch", "old")
        repository.put("b.md")
        (repository.root / "c.md").write_bytes(b"not committed")
        assert [item.id for item in listing(repository.made())] == ["demo/a.md", "demo/b.md"]
        old = source_of("git", {"path": str(repository.root), "ref": "old"})
        assert [item.id for item in listing(old)] == ["demo/a.md"]

    def test_names_may_have_any_character(self, repository: GitRepository) -> None:
        """Fsspec takes what stands before ``@`` or ``:`` for part of a URL."""
        for path in ("@scope/a@b.md", "12:30/c: d.md"):
            repository.put(path, path.encode())
        source = repository.source()
        documents = [item for item in listing(source) if isinstance(item, Document)]
        assert [item.locator for item in documents] == ["12:30/c: d.md", "@scope/a@b.md"]
        assert [source.open(item).content for item in documents] == [b"12:30/c: d.md", b"@scope/a@b.md"]

    def test_what_is_no_file_is_skipped(self, repository: GitRepository) -> None:
        """A link, a submodule, and the pointer to a file that is elsewhere."""
        (repository.root / "link.md").symlink_to("/etc/hostname")
        repository.put("lfs.pdf", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n")
        commit = repository.git("rev-parse", "HEAD")
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},module.md")
        repository.git("add", "link.md", "lfs.pdf")
        repository.git("commit", "--quiet", "--message=links")
        reasons = {item.id: skipped(item) for item in listing(repository.made())}
        assert reasons == {
            "demo/lfs.pdf": "is in Git LFS, and the repository has only a pointer to it",
            "demo/link.md": "is a symbolic link, which is not followed",
            "demo/module.md": "is a submodule, which is a repository of its own",
        }

    @pytest.mark.parametrize(
        ("options", "path"), [({"ref": "nowhere"}, ""), ({"path": "/nowhere"}, ""), ({}, "nowhere")]
    )
    def test_what_is_not_there_is_a_mistake_in_the_settings(
        self, repository: GitRepository, options: dict[str, str], path: str
    ) -> None:
        """A branch, a repository, a folder."""
        with pytest.raises((ConfigurationError, SourceUnavailable), match="nowhere"):
            listing(source_of("git", {"path": str(repository.root), **options}, path))


class TestArchives:
    """What archives add: names that lead out, bombs, damage, and half of an archive."""

    @pytest.mark.parametrize("name", ["../a.md", "/etc/a.md", "b/../../a.md"])
    @pytest.mark.parametrize("kind", [ZipArchive, PlainTar])
    def test_names_that_lead_out_are_skipped(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[ZipArchive], name: str
    ) -> None:
        """With the reason; the others are listed."""
        archive = kind(tmp_path, monkeypatch)
        archive.put(name)
        archive.put("./c/./d.md")
        found = {item.id: item for item in listing(archive.source())}
        assert isinstance(found["demo/c/d.md"], Document)
        assert "leads out of the archive" in skipped(found[f"demo/{name}"])

    def test_a_zip_bomb_is_not_unpacked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """By its ratio; by its size, as for every source; and by what it says of its size."""
        archive = ZipArchive(tmp_path, monkeypatch)
        archive.put("ratio.txt", bytes(10_000_000))
        archive.put("size.txt", b"%d" % 7**100 * 700_000)
        ratio, size = listing(archive.source())
        assert "as a zip bomb does" in skipped(ratio)
        assert "is larger than 50 MB" in skipped(size) or "zip bomb" in skipped(size)

    def test_a_member_that_lies_about_its_size_is_not_sent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The archive says four bytes, and holds more."""
        archive = ZipArchive(tmp_path, monkeypatch)
        archive.put("a.md", b"longer than it says")
        archive.source()
        place = tmp_path / "docs.zip"
        place.write_bytes(place.read_bytes().replace((19).to_bytes(4, "little"), (4).to_bytes(4, "little")))
        source = archive.made()
        (document,) = listing(source)
        assert isinstance(document, Document)
        assert document.size == 4
        with pytest.raises(DocumentUnreadable, match="is damaged"):
            source.open(document)

    def test_a_packed_tar_is_unpacked_up_to_a_limit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A few kilobytes may become a disk full of zeros."""
        monkeypatch.setattr(remote_archive, "UNPACKED_BYTES", 1_000_000)
        archive = TarArchive(tmp_path, monkeypatch)
        archive.put("a.txt", bytes(5_000_000))
        with pytest.raises(SourceUnavailable, match="holds more than 1,000,000 bytes"):
            listing(archive.source())

    @pytest.mark.parametrize("kind", [ZipArchive, PlainTar, TarArchive])
    def test_half_an_archive_is_an_outage(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[ZipArchive]
    ) -> None:
        """It is being written; what is missing was not deleted. A tar may be cut off between two members."""
        archive = kind(tmp_path, monkeypatch)
        for number in range(4):
            archive.put(f"{number}.md", b"text")
        assert len(listing(archive.source())) == 4
        (place,) = tmp_path.iterdir()
        data = place.read_bytes()
        for cut in (1024, 2048, len(data) // 3):
            place.write_bytes(data[:cut])
            if cut < len(data):
                with pytest.raises(SourceUnavailable):
                    listing(archive.made())

    def test_a_tar_that_is_damaged_in_the_middle_is_an_outage(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Python would read what comes before it, and say nothing."""
        archive = PlainTar(tmp_path, monkeypatch)
        for number in range(4):
            archive.put(f"{number}.md", b"text")
        archive.source()
        place = tmp_path / "docs.tar"
        data = bytearray(place.read_bytes())
        data[2048:2060] = b"garbage here"
        place.write_bytes(data)
        with pytest.raises(SourceUnavailable, match="cut off or damaged"):
            listing(archive.made())

    def test_damaged_and_encrypted_members_are_skipped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One bad member does not keep back the others."""
        archive = ZipArchive(tmp_path, monkeypatch)
        archive.put("a.md", b"text")
        archive.put("b.md", b"text")
        archive.source()
        place = tmp_path / "docs.zip"
        data = bytearray(place.read_bytes())
        entry = data.rindex(b"PK\x01\x02")
        data[entry + 8] |= 1
        data[data.index(b"a.md") + 5] ^= 0xFF
        place.write_bytes(data)
        source = archive.made()
        first, second = listing(source)
        assert "is encrypted" in skipped(second)
        assert isinstance(first, Document)
        with pytest.raises(DocumentUnreadable, match="damaged"):
            source.open(first)

    def test_links_in_a_tar(self, tmp_path: Path) -> None:
        """A symbolic link is skipped; a second name of the same file is a document."""
        with tarfile.open(tmp_path / "docs.tar", "w") as tar:
            for name, kind, target in [
                ("a.md", tarfile.REGTYPE, ""),
                ("b.md", tarfile.LNKTYPE, "a.md"),
                ("c.md", tarfile.SYMTYPE, "/etc/hostname"),
                ("d.md", tarfile.LNKTYPE, "nowhere.md"),
                ("e.md", tarfile.FIFOTYPE, ""),
            ]:
                member = tarfile.TarInfo(name)
                member.type, member.linkname, member.size = kind, target, 4 if kind == tarfile.REGTYPE else 0
                tar.addfile(member, io.BytesIO(b"text"))
        source = source_of("tar", {"fo": str(tmp_path / "docs.tar")})

        first, second, *others = listing(source)

        assert isinstance(first, Document)
        assert isinstance(second, Document)
        assert source.open(second).content == b"text"
        assert [skipped(item) for item in others] == [
            "is a symbolic link, which is not followed",
            "is a symbolic link, which is not followed",
            "is not a regular file",
        ]

    def test_an_archive_that_was_replaced_is_opened_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A function that stays warm from the run before has the old one open."""
        archive = ZipArchive(tmp_path, monkeypatch)
        archive.put("a.md", b"old")
        sending = archive.source()
        (document,) = listing(sending)
        assert isinstance(document, Document)
        sending.open(document)
        archive.put("a.md", b"new")
        (document,) = listing(archive.source())
        assert isinstance(document, Document)
        opened = sending.open(document)
        assert (opened.content, opened.version) == (b"new", document.version)

    def test_only_what_is_below_the_path_belongs_to_the_source(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The ids begin there."""
        archive = ZipArchive(tmp_path, monkeypatch)
        archive.put("docs/a/b.md")
        archive.put("docsb.md")
        assert [item.id for item in listing(archive.source(path="docs/"))] == ["demo/a/b.md"]
        with pytest.raises(ConfigurationError, match="cannot find nowhere"):
            listing(archive.source(path="nowhere"))

    def test_an_archive_may_lie_on_a_server(
        self, server: Sftp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Its key is checked there, too."""
        archive, folder = ZipArchive(tmp_path, monkeypatch), SftpFolder(server, str(uuid4()), monkeypatch)
        archive.put("a.md")
        archive.source()
        folder.put("docs.zip", (tmp_path / "docs.zip").read_bytes())
        options = {"fo": f"sftp://127.0.0.1/{folder.name}/docs.zip", "target_options": folder.options()}
        source = source_of("zip", options)
        (document,) = listing(source)
        assert isinstance(document, Document)
        assert source.open(document).content == b"text"
        (tmp_path / "known_hosts").write_text("")
        options["target_options"] = {**folder.options(), "known_hosts": str(tmp_path / "known_hosts")}
        with pytest.raises(ConfigurationError, match="host key is not known"):
            listing(source_of("zip", options))

    @pytest.mark.parametrize("fo", [None, "", "simplecache::sftp://host/docs.zip"])
    def test_the_archive_has_to_be_named(self, fo: str | None) -> None:
        """By itself: what stands before a ``::`` has options of its own."""
        with pytest.raises(ConfigurationError, match=r"source\.options\.fo"):
            listing(source_of("zip", {"fo": fo}))

    def test_what_no_archive_is(self, tmp_path: Path) -> None:
        """A missing one is a mistake in the settings; one that is none may still be arriving."""
        (tmp_path / "a.zip").write_bytes(b"no archive")
        for protocol in ("zip", "tar"):
            with pytest.raises(ConfigurationError, match="cannot find"):
                listing(source_of(protocol, {"fo": str(tmp_path / "nowhere.zip")}))
            with pytest.raises(SourceUnavailable, match="cannot be connected to"):
                listing(source_of(protocol, {"fo": str(tmp_path / "a.zip")}))
