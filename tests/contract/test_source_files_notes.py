"""The source of kind ``files`` opens only what has changed since it was noted, and lists the same as if it had not."""

import os
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docferry.model import Document, Skipped
from docferry.sources.folder import files
from tests.contract.source_suite import CREW, Noted, listing, noted, sidecar
from tests.contract.test_source_files import Folder

LATER_NS = 3600 * 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Give a folder that is crawled an hour after it was written."""
    monkeypatch.setattr(files, "time_ns", lambda: time_ns() + LATER_NS)
    return Folder(tmp_path, monkeypatch)


@pytest.fixture
def opened(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell which files of the folder are opened."""
    names: list[str] = []
    true = os.open

    def counting(place: Any, *args: Any, **kwargs: Any) -> int:
        names.append(os.path.relpath(os.fsdecode(place), folder.root))
        return true(place, *args, **kwargs)

    monkeypatch.setattr(os, "open", counting)
    return names


def rewrite(path: Path, content: bytes) -> None:
    """Write a file in place, and set the time of its modification back; its time of change is a later one."""
    before = path.stat()
    path.write_bytes(content)
    while path.stat().st_ctime_ns == before.st_ctime_ns:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


class TestWhatIsNotOpened:
    """A crawl costs what has changed."""

    def test_an_unchanged_folder_is_listed_without_opening_a_file(self, folder: Folder, opened: list[str]) -> None:
        """Documents, sidecars, and what is skipped for what is in it."""
        for number in range(50):
            folder.put(f"{number}/a.md", b"text %d" % number)
            folder.put(f"{number}/a.md.metadata.json", sidecar(Title=f"Title {number}", AccessControlList=[CREW]))
        folder.put("broken.md")
        folder.put("broken.md.metadata.json", b"[]")
        folder.put("latin.txt", b"caf\xe9")
        folder.put("empty.md", b"")
        first = listing(folder.source())
        known = noted(folder.source())
        opened.clear()

        second = listing(folder.source(), known=known)

        assert second == first
        assert opened == []
        assert {item.skipped for item in second if isinstance(item, Skipped)} >= {"is empty"}

    def test_notes_are_handed_on_from_crawl_to_crawl(self, folder: Folder, opened: list[str]) -> None:
        """The third crawl knows what the first has read."""
        folder.put("a.md")
        folder.put("a.md.metadata.json", sidecar(Title="A"))
        known = noted(folder.source())
        opened.clear()

        again = noted(folder.source(), known)

        assert list(again.notes()) == list(known.notes())
        assert opened == []

    def test_a_new_file_is_the_only_one_that_is_opened(self, folder: Folder, opened: list[str]) -> None:
        """Its neighbours stay closed, before it and after it."""
        for name in ("a.md", "c.md"):
            folder.put(name)
        known = noted(folder.source())
        folder.put("b.md")
        opened.clear()

        assert len(listing(folder.source(), known=known)) == 3
        assert opened == ["b.md"]

    def test_a_changed_sidecar_is_read_without_its_document(self, folder: Folder, opened: list[str]) -> None:
        """Who loses access loses it, and a large document is not read for it."""
        folder.put("a.md")
        folder.put("a.md.metadata.json", sidecar(AccessControlList=[CREW]))
        known = noted(folder.source())
        folder.put("a.md.metadata.json", sidecar(AccessControlList=[{**CREW, "Access": "DENY"}]))
        opened.clear()

        (document,) = listing(folder.source(), known=known)

        assert isinstance(document, Document)
        assert document.access_control[0].access == "DENY"
        assert opened == ["a.md.metadata.json"]

    def test_a_crawl_that_goes_on_opens_nothing_that_was_noted(self, folder: Folder, opened: list[str]) -> None:
        """The notes before the checkpoint are passed over."""
        folder.small_pages(1)
        for name in ("a.md", "b/c.md", "b.md", "d.md"):
            folder.put(name)
        known = noted(folder.source())
        checkpoint = next(folder.source().pages(None)).checkpoint
        opened.clear()

        assert len(listing(folder.source(), checkpoint, known)) == 3
        assert opened == []

    def test_a_page_is_not_cut_short_by_what_is_not_read(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """Pages are as long as reading takes, and this takes none."""
        monkeypatch.setattr(files, "PAGE_BYTES", 10)
        for number in range(4):
            folder.put(f"{number}.md", b"sixsix")
        known = noted(folder.source())
        assert [len(page.listed) for page in folder.source().pages(None, known)] == [4]


class TestWhatIsOpened:
    """Whenever a file may be another than the one that was noted, it is read."""

    def test_every_file_is_opened_on_request(self, folder: Folder, opened: list[str]) -> None:
        """``verify: always`` believes no file system."""
        folder.put("a.md")
        folder.put("a.md.metadata.json", sidecar(Title="A"))
        known = noted(folder.source())
        opened.clear()

        listing(folder.source(verify="always"), known=known)

        assert opened == ["a.md.metadata.json", "a.md"]

    def test_a_file_written_just_before_it_was_read_is_read_again(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Written once more within one tick of the clock it has the same status, with other content."""
        monkeypatch.setattr(files, "time_ns", time_ns)
        folder.put("a.md", b"one")
        folder.put("a.md.metadata.json", sidecar(Title="One"))
        known = noted(folder.source())
        stat, lstat = os.stat, os.lstat
        ticks = {os.fsencode(place): place.stat() for place in folder.root.iterdir()}
        monkeypatch.setattr(os, "stat", lambda place, **options: ticks.get(place) or stat(place, **options))
        monkeypatch.setattr(os, "lstat", lambda place, **options: ticks.get(place) or lstat(place, **options))

        folder.put("a.md", b"two")
        folder.put("a.md.metadata.json", sidecar(Title="Two"))

        (document,) = listing(folder.source(), known=known)
        assert isinstance(document, Document)
        assert (document.title, document.version) == ("Two", f"sha256:{sha256(b'two').hexdigest()}")

    def test_the_next_crawl_notes_it_once_it_has_rested(self, folder: Folder, opened: list[str]) -> None:
        """A file is read twice at most, then no more."""
        with pytest.MonkeyPatch.context() as now:
            now.setattr(files, "time_ns", time_ns)
            folder.put("a.md")
            known = noted(folder.source())
        known = noted(folder.source(), known)
        assert opened == ["a.md", "a.md"]

        listing(folder.source(), known=known)

        assert opened == ["a.md", "a.md"]

    def test_a_file_from_the_future_is_read_in_every_crawl(self, folder: Folder, opened: list[str]) -> None:
        """Its clock and ours differ, so nothing is clearly older than anything."""
        folder.put("a.md")
        os.utime(folder.root / "a.md", (2**34, 2**34))
        known = noted(folder.source())

        listing(folder.source(), known=known)

        assert opened == ["a.md", "a.md"]

    def test_another_file_of_the_same_size_and_time_is_read(self, folder: Folder) -> None:
        """Moved over the first one, as an editor or rsync does."""
        folder.put("a.md", b"one")
        known = noted(folder.source())
        place, other = folder.root / "a.md", folder.root / "other"
        other.write_bytes(b"two")
        subprocess.run(["touch", "-r", place, other], check=True)
        other.replace(place)

        assert listing(folder.source(), known=known) == listing(folder.source())

    def test_a_file_whose_time_was_set_back_is_read(self, folder: Folder, opened: list[str]) -> None:
        """With ``touch -r``; the time of change cannot be set."""
        folder.put("a.md", b"one")
        known = noted(folder.source())
        rewrite(folder.root / "a.md", b"two")
        assert listing(folder.source(), known=known) == listing(folder.source())
        assert opened == ["a.md"] * 3

    def test_a_file_that_was_touched_keeps_its_version(self, folder: Folder) -> None:
        """It is read again, found to be the same, and not sent."""
        folder.put("a.md")
        (before,) = listing(folder.source())
        known = noted(folder.source())
        os.utime(folder.root / "a.md", (1, 1))
        (after,) = listing(folder.source(), known=known)
        assert isinstance(before, Document)
        assert isinstance(after, Document)
        assert after.version == before.version
        assert after.updated_at != before.updated_at

    def test_a_new_content_type_has_the_content_looked_at(self, folder: Folder) -> None:
        """As a PDF it may hold any bytes, as text it must be UTF-8."""
        folder.put("a.pdf", b"caf\xe9")
        known = noted(folder.source())
        folder.put("a.pdf.metadata.json", sidecar(ContentType="PLAIN_TEXT"))
        (skipped,) = listing(folder.source(), known=known)
        assert isinstance(skipped, Skipped)
        assert "is not UTF-8" in skipped.skipped

    def test_a_sidecar_that_is_gone_describes_nothing(self, folder: Folder) -> None:
        """Nor does one that is a link now."""
        folder.put("a.md")
        folder.put("a.md.metadata.json", sidecar(Title="A"))
        known = noted(folder.source())
        folder.remove("a.md.metadata.json")
        (document,) = listing(folder.source(), known=known)
        assert isinstance(document, Document)
        assert document.title == "a.md"

        folder.link("a.md.metadata.json", "a.md")
        (skipped,) = listing(folder.source(), known=known)
        assert isinstance(skipped, Skipped)
        assert "is a symbolic link" in skipped.skipped

    def test_what_could_not_be_read_is_tried_again(self, folder: Folder, opened: list[str]) -> None:
        """A sidecar that is no text, or too large, is not noted either."""
        folder.put("a.md")
        folder.put("a.md.metadata.json", b'{"Title": "\xe9"}')
        folder.put("b.md")
        folder.put("b.md.metadata.json", b'{"Title": "' + b"x" * 1_000_001 + b'"}')
        known = noted(folder.source())
        opened.clear()

        listing(folder.source(), known=known)

        assert opened == ["a.md.metadata.json", "b.md.metadata.json"]


class TestNotesThatAreNoGood:
    """Notes come from a bucket, where anything can happen to them: the worst is that a file is read."""

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda _: [],
            lambda lines: [b"", b"null", b"[]", b"{}", b"\xff", b'"' + lines[0]],
            lambda lines: [line[: len(line) // 2] for line in lines],
            lambda lines: [b"[2" + line[2:] for line in lines],
            lambda lines: [line[:-1] + b",1]" for line in lines],
            lambda lines: lines[::-1],
            lambda lines: [line for line in lines for _ in range(2)],
            lambda lines: [b'[1,"\\ud800",null,null]', b'[1,"zzz",null,null]', *lines],
            lambda lines: [b"\x00", *lines[1:]],
        ],
    )
    def test_the_listing_is_the_same(self, folder: Folder, spoil: Any) -> None:
        """Lost, cut off, of another version of Docferry, out of order, twice."""
        for name in ("a.md", "b/c.md", "b.md", "d.txt"):
            folder.put(name, name.encode())
            folder.put(f"{name}.metadata.json", sidecar(Title=name, AccessControlList=[CREW]))
        spoiled = Noted(spoil(list(noted(folder.source()).notes())))
        assert listing(folder.source(), known=spoiled) == listing(folder.source())

    def test_one_that_is_broken_costs_one_file(self, folder: Folder, opened: list[str]) -> None:
        """The others still count."""
        for name in ("a.md", "b.md", "c.md"):
            folder.put(name)
        first, second, third = noted(folder.source()).notes()
        opened.clear()

        listing(folder.source(), known=Noted([first, second[:-3], third]))

        assert opened == ["b.md"]


PATHS = st.sampled_from(["a.md", "a/b.md", "a-.md", "b.txt", "b/c/d.md", "ä.md", "e.exe"])
CONTENTS = st.sampled_from([b"one", b"two", b"", b"\xff\xff", b"longer"])
SIDECARS = st.sampled_from(
    [sidecar(Title="x"), sidecar(Title="y"), b"[]", b"\xff", sidecar(ContentType="PDF"), sidecar(DocumentId="1")]
)
WRITES = st.tuples(st.sampled_from(["in place", "anew"]), PATHS, CONTENTS)
STEPS = st.one_of(
    WRITES,
    st.tuples(st.sampled_from(["in place", "anew"]), PATHS.map(lambda path: f"{path}.metadata.json"), SIDECARS),
    st.tuples(st.just("remove"), PATHS, st.just(b"")),
    st.tuples(st.just("remove"), PATHS.map(lambda path: f"{path}.metadata.json"), st.just(b"")),
)


def take(folder: Folder, how: str, path: str, content: bytes) -> None:
    """Change one file."""
    place = folder.root / path
    if how == "remove":
        place.unlink(missing_ok=True)
    elif how == "in place" and place.exists():
        rewrite(place, content)
    else:
        new = folder.root / "new"
        new.write_bytes(content)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            os.utime(new, ns=(place.stat().st_atime_ns, place.stat().st_mtime_ns))
        new.replace(place)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(STEPS, max_size=6), min_size=2, max_size=4), st.integers(1, 5), st.sampled_from([0, LATER_NS]))
def test_a_crawl_with_notes_lists_the_same_as_one_without(
    rounds: list[list[tuple[str, str, bytes]]], length: int, later: int
) -> None:
    """Whatever happens to the files between two crawls, and from whatever page on the second one goes."""
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(files, "time_ns", lambda: time_ns() + later)
        folder = Folder(Path(root), monkeypatch)
        folder.small_pages(length)
        known = Noted()
        for steps in rounds:
            for how, path, content in steps:
                take(folder, how, path, content)
            pages = list(folder.source().pages(None))
            assert listing(folder.source(), None, known) == [item for page in pages for item in page.listed]
            for number, page in enumerate(pages):
                rest = [item for after in pages[number + 1 :] for item in after.listed]
                assert listing(folder.source(), page.checkpoint, known) == rest
            known = noted(folder.source(), known)
