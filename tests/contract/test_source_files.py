"""The source of kind ``files``: the promises of every source, and what a file system adds to them."""

import errno
import inspect
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docferry.errors import ConfigurationError, DocumentUnreadable, SourceUnavailable
from docferry.model import Content, Document, Listed, Skipped
from docferry.sources import Source
from docferry.sources.describing import fingerprint
from docferry.sources.folder import files
from docferry.sources.folder.files import Files
from tests.contract.source_suite import CREW, Repository, SourceSuite, listing, sidecar


class Folder:
    """A folder as the suite wants it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch

    def put(self, path: str, content: bytes = b"text") -> None:
        """See Repository.put."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def remove(self, path: str) -> None:
        """See Repository.remove."""
        (self.root / path).unlink()

    def source(self, **settings: Any) -> Source:
        """See Repository.source."""
        return source_of(self.root, **settings)

    def read(self, content: Content) -> bytes:
        """See Repository.read."""
        assert isinstance(content, bytes)
        return content

    def uri(self, quoted: str) -> str:
        """See Repository.uri."""
        return f"file://{self.root}/{quoted}"

    def small_pages(self, length: int) -> None:
        """See Repository.small_pages."""
        self._monkeypatch.setattr(files, "PAGE_LENGTH", length)

    def link(self, path: str, target: str | Path) -> None:
        """Make a symbolic link."""
        (self.root / path).symlink_to(target)


def source_of(root: Path, **settings: Any) -> Source:
    """Return a source of a folder."""

    def no_clients(service: str) -> NoReturn:
        pytest.fail(f"a folder needs no {service}")

    return Files(
        connector="demo",
        settings=msgspec.convert({"path": str(root), **settings}, files.FilesSettings),
        clients=no_clients,
    )


def one(items: list[Listed]) -> Skipped:
    """Return the one thing that is listed, as skipped."""
    (item,) = items
    assert isinstance(item, Skipped), item
    return item


def failing(function: Callable[..., Any], path: Path, number: int) -> Callable[..., Any]:
    """Return a function of ``os`` that fails for one path. Tests run as root, whom no mode bits stop."""

    def instead(place: Any, *args: Any, **kwargs: Any) -> Any:
        if os.fsdecode(place).rstrip("/") == str(path):
            raise OSError(number, os.strerror(number), place)
        return function(place, *args, **kwargs)

    return instead


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Give an empty folder that has neighbours outside of it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.md").write_bytes(b"secret")
    (tmp_path / "root").mkdir()
    return Folder(tmp_path / "root", monkeypatch)


class TestFiles(SourceSuite):
    """The promises of every source."""

    @pytest.fixture
    def repository(self, folder: Folder) -> Repository:
        """Give an empty folder."""
        return folder


class TestWhereTheFolderIs:
    """The setting ``path``, and a folder that goes away."""

    def test_a_folder_that_does_not_exist_is_a_mistake_in_the_settings(self, tmp_path: Path) -> None:
        """The text names the setting, the path, and what to do."""
        with pytest.raises(ConfigurationError, match=r"source\.path: .*/nowhere cannot be found .*name an existing"):
            listing(source_of(tmp_path / "nowhere"))

    def test_a_file_in_place_of_the_folder_is_a_mistake_in_the_settings(self, folder: Folder) -> None:
        """A source is a folder, not a document."""
        folder.put("a.md")
        with pytest.raises(ConfigurationError, match=r"source\.path: .*a\.md is not a folder"):
            listing(source_of(folder.root / "a.md"))

    def test_a_relative_path_begins_in_the_current_folder(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connectors.yaml of a project works in its root."""
        folder.put("a.md")
        monkeypatch.chdir(folder.root.parent)
        assert [item.id for item in listing(source_of(Path("root")))] == ["demo/a.md"]

    def test_a_folder_that_is_gone_when_the_crawl_goes_on_is_an_outage(self, folder: Folder) -> None:
        """It was there when the crawl began, so the setting is right and a later attempt may succeed."""
        shutil.rmtree(folder.root)
        with pytest.raises(SourceUnavailable):
            listing(folder.source(), checkpoint="a.md")

    def test_a_folder_that_goes_away_during_the_walk_does_not_end_the_listing(self, folder: Folder) -> None:
        """Files that all vanish at once are an outage, not a mass deletion."""
        folder.small_pages(1)
        for name in ("a.md", "b.md", "c.md"):
            folder.put(name)
        pages = folder.source().pages(None)
        next(pages)

        shutil.rmtree(folder.root)

        with pytest.raises(SourceUnavailable, match="went away"):
            list(pages)

    def test_a_share_that_is_unmounted_during_the_walk_does_not_end_the_listing(self, folder: Folder) -> None:
        """The empty mount point has the same name, but it is another folder."""
        folder.small_pages(1)
        for name in ("a.md", "b.md", "c.md"):
            folder.put(name)
        pages = folder.source().pages(None)
        next(pages)

        folder.root.rename(folder.root.with_name("elsewhere"))
        folder.root.mkdir()

        with pytest.raises(SourceUnavailable, match="replaced by another folder"):
            list(pages)

    def test_a_folder_that_cannot_be_listed_is_an_outage(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing can be said about what it holds."""
        monkeypatch.setattr(os, "scandir", failing(os.scandir, folder.root, errno.EACCES))
        with pytest.raises(SourceUnavailable, match="Permission denied"):
            listing(folder.source())

    def test_a_document_of_a_folder_that_went_away_is_not_called_vanished(self, folder: Folder) -> None:
        """An outage between the listing and the opening is an outage for every document."""
        folder.put("a.md")
        (document,) = listing(folder.source())
        shutil.rmtree(folder.root)
        assert isinstance(document, Document)
        with pytest.raises(SourceUnavailable):
            folder.source().open(document)


class TestWhatCannotBeRead:
    """Permission, broken disks, things that are no files, names that are no text."""

    def test_an_unreadable_file_is_skipped(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is reported with the reason of the operating system, and its neighbours are listed."""
        folder.put("a.md")
        folder.put("b.md")
        monkeypatch.setattr(os, "open", failing(os.open, folder.root / "a.md", errno.EACCES))

        first, second = listing(folder.source())

        assert first == Skipped("demo/a.md", "cannot be read: Permission denied", bare="a.md")
        assert isinstance(second, Document)

    def test_an_unreadable_file_cannot_be_opened(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """One document that cannot be read does not end the run."""
        folder.put("a.md")
        (document,) = listing(folder.source())
        monkeypatch.setattr(os, "open", failing(os.open, folder.root / "a.md", errno.EIO))
        assert isinstance(document, Document)
        with pytest.raises(DocumentUnreadable, match=r"a\.md cannot be read: Input/output error"):
            folder.source().open(document)

    @pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
    def test_an_unreadable_folder_makes_the_listing_incomplete(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        """The documents in it are unknown, so nothing may be deleted."""
        folder.put("sub/a.md")
        folder.put("z.md")
        monkeypatch.setattr(os, "scandir", failing(os.scandir, folder.root / "sub", number))

        hidden, seen = listing(folder.source())

        assert isinstance(hidden, Skipped)
        assert hidden.id == "demo/sub/"
        assert hidden.incomplete
        assert seen.id == "demo/z.md"

    def test_what_cannot_even_be_looked_at_makes_the_listing_incomplete(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may be a folder full of documents."""
        folder.put("a.md")
        monkeypatch.setattr(os, "lstat", failing(os.lstat, folder.root / "a.md", errno.EACCES))
        assert one(listing(folder.source())).incomplete

    def test_an_unreadable_sidecar_keeps_its_document_back(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who may see the document is written where nobody can read it."""
        folder.put("a.md")
        folder.put("a.md.metadata.json", sidecar(Title="x"))
        monkeypatch.setattr(os, "open", failing(os.open, folder.root / "a.md.metadata.json", errno.EACCES))
        assert one(listing(folder.source())) == Skipped(
            "demo/a.md", "sidecar a.md.metadata.json: cannot be read: Permission denied", locator="a.md"
        )

    def test_an_unreadable_file_with_a_sidecar_has_an_uncertain_id(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sidecar may give it another id, so the locator goes along."""
        folder.put("a.md")
        folder.put("a.md.metadata.json", sidecar(DocumentId="x"))
        monkeypatch.setattr(os, "lstat", failing(os.lstat, folder.root / "a.md", errno.EIO))
        assert one(listing(folder.source())).locator == "a.md"

    def test_a_pipe_is_never_opened(self, folder: Folder) -> None:
        """Opening it would wait for a writer that never comes."""
        os.mkfifo(folder.root / "a.md")
        assert one(listing(folder.source())).skipped == "is not a regular file"

    def test_a_pipe_in_place_of_a_sidecar_keeps_the_document_back(self, folder: Folder) -> None:
        """It is opened without waiting, and found to be no file."""
        folder.put("a.md")
        os.mkfifo(folder.root / "a.md.metadata.json")
        assert "a.md.metadata.json: cannot be read: is not a regular file" in one(listing(folder.source())).skipped

    def test_a_document_that_became_a_pipe_cannot_be_read(self, folder: Folder) -> None:
        """What was listed as a file is opened with the same care."""
        folder.put("a.md")
        (document,) = listing(folder.source())
        folder.remove("a.md")
        os.mkfifo(folder.root / "a.md")
        assert isinstance(document, Document)
        with pytest.raises(DocumentUnreadable, match="is not a regular file"):
            folder.source().open(document)

    def test_a_socket_is_skipped(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """A socket in a folder of documents is somebody's mistake, not the crawl's end."""
        monkeypatch.chdir(folder.root)  # the name of a socket has at most 107 bytes
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("a.md")
            assert one(listing(folder.source())).skipped == "is not a regular file"

    def test_a_file_name_that_is_not_utf8_is_shown_with_escapes(self, folder: Folder) -> None:
        """An id must be text; the person who renames the file sees which bytes it has."""
        Path(os.fsdecode(os.fsencode(folder.root) + b"/caf\xe9.md")).write_bytes(b"text")
        assert one(listing(folder.source())) == Skipped("demo/caf\\xe9.md", "its name is not UTF-8; rename the file")

    def test_a_folder_name_that_is_not_utf8_is_reported_once(self, folder: Folder) -> None:
        """No document below it can have an id; one line says so for all of them."""
        below = Path(os.fsdecode(os.fsencode(folder.root) + b"/\xff"))
        below.mkdir()
        for name in ("a.md", "b.md"):
            (below / name).write_bytes(b"text")
        assert one(listing(folder.source())) == Skipped("demo/\\xff/", "its name is not UTF-8; rename the folder")

    def test_the_walk_goes_on_after_a_name_that_is_not_utf8(self, folder: Folder) -> None:
        """A checkpoint can hold any name."""
        for name in (b"/\xfe.md", b"/\xff.md"):
            Path(os.fsdecode(os.fsencode(folder.root) + name)).write_bytes(b"text")
        folder.small_pages(1)
        first, second = folder.source().pages(None)
        assert listing(folder.source(), first.checkpoint) == second.listed

    def test_a_file_of_51_megabytes_is_skipped_unread(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its size alone decides."""
        folder.put("a.md")
        os.truncate(folder.root / "a.md", 51_000_000)
        monkeypatch.setattr(os, "open", failing(os.open, folder.root / "a.md", errno.EIO))
        assert one(listing(folder.source())).skipped == "is larger than 50 MB, the most a service takes"

    def test_a_document_that_has_grown_over_the_limit_cannot_be_read(self, folder: Folder) -> None:
        """It is never held in memory as a whole."""
        folder.put("a.md")
        (document,) = listing(folder.source())
        os.truncate(folder.root / "a.md", 60_000_000)
        assert isinstance(document, Document)
        with pytest.raises(DocumentUnreadable, match="is larger than 50 MB"):
            folder.source().open(document)

    @pytest.mark.parametrize("text", [b"caf\xe9", "text".encode("utf-16"), "caf\u00e9".encode()[:-1]])
    def test_text_that_is_not_utf8_is_skipped(self, folder: Folder, text: bytes) -> None:
        """A service would take it first and fail it later; a character cut off at the end counts too."""
        folder.put("a.txt", text)
        assert one(listing(folder.source())) == Skipped(
            "demo/a.txt", "is not UTF-8 text, which is what the services index; convert it", bare="a.txt"
        )

    def test_a_character_between_two_blocks_is_utf8(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file is read in blocks, whose borders fall anywhere."""
        monkeypatch.setattr(fingerprint, "BLOCK", 1)
        folder.put("a.txt", "\u65e5\u672c\u8a9e".encode())
        (document,) = listing(folder.source())
        assert isinstance(document, Document)

    def test_what_is_no_text_may_hold_any_bytes(self, folder: Folder) -> None:
        """Only the types that are text are looked at."""
        folder.put("a.pdf", b"%PDF-1.7 \xff\xfe")
        (document,) = listing(folder.source())
        assert isinstance(document, Document)

    def test_a_time_beyond_the_calendar_is_left_out(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some file systems keep times that no date can hold."""
        folder.put("a.md")
        true = os.fstat

        def far(descriptor: int) -> os.stat_result:
            status = true(descriptor)
            times = {"st_mtime_ns": 10**21, "st_ctime_ns": status.st_ctime_ns}
            return os.stat_result((*status[:8], 10**12, *status[9:]), times)

        monkeypatch.setattr(os, "fstat", far)
        (document,) = listing(folder.source())
        assert isinstance(document, Document)
        assert document.updated_at is None


class TestWhatGoesAwayDuringTheWalk:
    """Other people go on working while their files are listed."""

    def test_a_file_deleted_before_it_is_read_is_not_listed(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is gone, and so is no part of the source."""
        folder.put("a.md")
        folder.put("b.md")
        monkeypatch.setattr(os, "open", failing(os.open, folder.root / "a.md", errno.ENOENT))
        assert [item.id for item in listing(folder.source())] == ["demo/b.md"]

    def test_a_file_deleted_before_it_is_looked_at_is_not_listed(self, folder: Folder) -> None:
        """The same, one system call earlier."""
        folder.small_pages(1)
        folder.put("a.md")
        folder.put("b.md")
        pages = folder.source().pages(None)
        next(pages)
        folder.remove("b.md")
        assert list(pages) == []

    def test_a_folder_deleted_before_it_is_opened_is_not_listed(self, folder: Folder) -> None:
        """The same for a folder; the listing stays complete."""
        folder.small_pages(1)
        folder.put("a.md")
        folder.put("b/c.md")
        pages = folder.source().pages(None)
        next(pages)
        shutil.rmtree(folder.root / "b")
        assert list(pages) == []

    def test_a_sidecar_deleted_before_it_is_read_keeps_its_document_back(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It held an access control a moment ago; the next run sees clearly."""
        folder.put("a.md")
        folder.put("a.md.metadata.json", sidecar(AccessControlList=[CREW]))
        monkeypatch.setattr(os, "open", failing(os.open, folder.root / "a.md.metadata.json", errno.ENOENT))
        assert one(listing(folder.source())).locator == "a.md"


class TestSymbolicLinks:
    """Not followed unless the settings say so, and never out of the folder."""

    def test_links_are_skipped_with_their_target(self, folder: Folder) -> None:
        """The reason names the target, and the setting."""
        folder.put("a/real.md")
        folder.link("file.md", "a/real.md")
        folder.link("folder", "a")

        _, file, below = listing(folder.source())

        assert file == Skipped("demo/file.md", "is a symbolic link to a/real.md; see follow_symlinks")
        assert below == Skipped("demo/folder", "is a symbolic link to a; see follow_symlinks")

    def test_links_are_followed_on_request(self, folder: Folder) -> None:
        """What they point to is listed under the path of the link too."""
        folder.put("a/real.md")
        folder.link("file.md", "a/real.md")
        folder.link("folder", "a")
        found = listing(folder.source(follow_symlinks=True))
        assert [item.id for item in found] == ["demo/a/real.md", "demo/file.md", "demo/folder/real.md"]
        assert all(isinstance(item, Document) for item in found)

    @pytest.mark.parametrize("target", ["..", "../sub", ".", "../sub/up"])
    def test_a_link_into_a_circle_is_skipped(self, folder: Folder, target: str) -> None:
        """A walk ends, whatever the links do."""
        folder.put("sub/a.md")
        folder.link("sub/up", target)
        document, circle = listing(folder.source(follow_symlinks=True))
        assert isinstance(document, Document)
        assert isinstance(circle, Skipped)
        assert "circle" in circle.skipped or "a folder that it is in itself" in circle.skipped

    def test_a_link_out_of_the_folder_is_skipped(self, folder: Folder) -> None:
        """Nobody publishes a home folder by a link in a shared one."""
        folder.link("folder", folder.root.parent / "outside")
        folder.link("secret.md", "../outside/secret.md")

        below, file = listing(folder.source(follow_symlinks=True))

        assert below == Skipped("demo/folder/", "is a symbolic link to a folder outside of the source")
        assert file == Skipped("demo/secret.md", "is a symbolic link to a file outside of the source")

    def test_a_link_to_nothing_is_skipped(self, folder: Folder) -> None:
        """It is there, and so it is reported."""
        folder.link("a.md", "gone.md")
        assert one(listing(folder.source(follow_symlinks=True))).skipped == "is a symbolic link to nothing"

    def test_a_sidecar_that_is_a_link_keeps_its_document_back(self, folder: Folder) -> None:
        """It is not followed, so who may see the document stays unknown."""
        folder.put("a.md")
        folder.put("shared.json", sidecar(AccessControlList=[CREW]))
        folder.link("a.md.metadata.json", "shared.json")
        skipped, _ = listing(folder.source())
        assert isinstance(skipped, Skipped)
        assert "a.md.metadata.json: cannot be read: is a symbolic link; see follow_symlinks" in skipped.skipped

    def test_a_sidecar_that_is_a_link_is_followed_on_request(self, folder: Folder) -> None:
        """Many documents can share one access control."""
        folder.put("a.md")
        folder.put("acl/shared.json", sidecar(AccessControlList=[CREW]))
        folder.link("a.md.metadata.json", "acl/shared.json")
        document, _ = listing(folder.source(follow_symlinks=True))
        assert isinstance(document, Document)
        assert document.access_control[0].name == "crew"

    def test_a_sidecar_that_leads_out_keeps_its_document_back(self, folder: Folder) -> None:
        """The rule for documents holds for sidecars too."""
        (folder.root.parent / "outside" / "acl.json").write_bytes(b"{}")
        folder.put("a.md")
        folder.link("a.md.metadata.json", "../outside/acl.json")
        assert "outside of the source" in one(listing(folder.source(follow_symlinks=True))).skipped

    def test_the_folder_itself_may_be_a_link(self, folder: Folder) -> None:
        """Releases are often switched that way; ids and addresses stay those of the link."""
        folder.put("a.md")
        current = folder.root.parent / "current"
        current.symlink_to(folder.root)
        (document,) = listing(source_of(current))
        assert isinstance(document, Document)
        assert document.attributes["_source_uri"] == f"file://{current}/a.md"

    @pytest.mark.parametrize("locator", ["../outside/secret.md", "link/secret.md", "/etc/hostname"])
    def test_no_locator_opens_a_file_outside(self, folder: Folder, locator: str) -> None:
        """A manifest or an inbox that was tampered with publishes nothing."""
        folder.link("link", folder.root.parent / "outside")
        folder.put("a.md")
        (document, _) = listing(folder.source())
        assert isinstance(document, Document)
        with pytest.raises(DocumentUnreadable, match="leads out of the source"):
            folder.source().open(msgspec.structs.replace(document, locator=locator))


class TestSettings:
    """``uri``, and what ``exclude`` and a checkpoint save."""

    def test_the_address_begins_with_the_setting(self, folder: Folder) -> None:
        """A result leads to where people read the document."""
        folder.put("how to/é.md")
        (document,) = listing(folder.source(uri="https://wiki.example.com/docs/"))
        assert isinstance(document, Document)
        assert document.attributes["_source_uri"] == "https://wiki.example.com/docs/how%20to/%C3%A9.md"

    @pytest.mark.parametrize(
        "wrong", [{"uri": "wiki"}, {"path": ""}, {"follow_symlinks": "yes"}, {"include": [""]}, {"pth": "x"}]
    )
    def test_a_wrong_setting_is_refused(self, wrong: dict[str, Any]) -> None:
        """Types, forms and names are checked before anything is read."""
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"path": "x", **wrong}, files.FilesSettings)

    def test_an_excluded_folder_is_never_opened(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """What nobody wants indexed costs nothing, and cannot make a listing incomplete."""
        folder.put("a.md")
        folder.put("x/.git/objects/b.md")
        monkeypatch.setattr(os, "scandir", failing(os.scandir, folder.root / "x" / ".git", errno.EACCES))
        assert [item.id for item in listing(folder.source(exclude=["**/.git/**"]))] == ["demo/a.md"]

    def test_folders_before_the_checkpoint_are_not_opened_again(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Going on costs what is left, not what was done."""
        for path in ("a/1.md", "b/1.md", "b/2.md", "c/1.md"):
            folder.put(path)
        folder.small_pages(2)
        checkpoint = next(folder.source().pages(None)).checkpoint
        monkeypatch.setattr(os, "scandir", failing(os.scandir, folder.root / "a", errno.EIO))
        assert [item.id for item in listing(folder.source(), checkpoint)] == ["demo/b/2.md", "demo/c/1.md"]

    def test_a_page_ends_after_so_many_bytes(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """A crawl with a time limit looks at its clock between pages."""
        monkeypatch.setattr(files, "PAGE_BYTES", 10)
        for number in range(4):
            folder.put(f"{number}.md", b"sixsix")
        assert [len(page.listed) for page in folder.source().pages(None)] == [2, 2]

    def test_the_depth_of_the_folders_is_no_problem(self, folder: Folder) -> None:
        """The walk keeps its own stack: Python's is far shorter than a path may be."""
        folder.put("d/" * 300 + "a.md")
        source = folder.source()
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(len(inspect.stack(0)) + 150)
        try:
            (document,) = listing(source)
        finally:
            sys.setrecursionlimit(limit)
        assert document.id == "demo/" + "d/" * 300 + "a.md"


def test_the_example_handbook_is_listed_without_a_fault() -> None:
    """What people try first has every kind of document, attribute and access control, and nothing is skipped."""
    found = listing(source_of(Path(__file__).parents[2] / "examples" / "handbook"))

    listed = [item for item in found if isinstance(item, Document)]
    assert len(listed) == len(found) >= 36
    assert {"MD", "HTML", "PLAIN_TEXT", "CSV", "JSON", "PDF", "MS_WORD"} == {item.content_type for item in listed}
    assert {entry.access for item in listed for entry in item.access_control} == {"ALLOW", "DENY"}
    assert len({item.id for item in listed}) == len(listed)


NAMES = st.sampled_from(["a", "b", "a.md", "a-", "a0", "ä", "B.md", "a!", "z"])


@settings(max_examples=40)
@given(st.sets(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=12), st.integers(1, 4))
def test_any_tree_is_walked_in_byte_order_from_any_checkpoint(paths: set[str], length: int) -> None:
    """The order is that of the whole paths, not folder by folder, and every checkpoint splits it in two."""
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as monkeypatch:
        folder = Folder(Path(root), monkeypatch)
        kept = {path for path in paths if not any(other.startswith(path + "/") for other in paths)}
        for path in kept:
            folder.put(path)
        folder.small_pages(length)

        pages = list(folder.source().pages(None))

        ids = [item.id for page in pages for item in page.listed]
        assert ids == sorted((f"demo/{path}" for path in kept), key=str.encode)
        for number, page in enumerate(pages):
            rest = [item.id for later in pages[number + 1 :] for item in later.listed]
            assert [item.id for item in listing(folder.source(), page.checkpoint)] == rest
