"""Crawl hands the notes of a source on from run to run, and a crash loses none of them."""

import os
from pathlib import Path
from time import time_ns
from typing import Any, cast

import pytest
from msgspec import structs

from docferry.delivery.shards import changes
from docferry.model import Change
from docferry.runtime.wiring import Wired
from docferry.sources.folder import files
from docferry.sources.folder.files import Files, FilesSettings
from docferry.state import sorting
from docferry.state.keys import CHECKPOINT, LEASE, NOTED
from docferry.state.runs import Checkpoint, Input, shards
from docferry.state.store import Store
from docferry.workflow.crawl import Request, crawl
from tests.unit.fakes import FakeIndex, wired

PLENTY = 900_000
LATER_NS = 3600 * 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of ten files that is crawled an hour after it was written, two files a page, a page a chunk."""
    monkeypatch.setattr(files, "time_ns", lambda: time_ns() + LATER_NS)
    monkeypatch.setattr(files, "PAGE_LENGTH", 2)
    monkeypatch.setattr(sorting, "CHUNK_LINES", 2)
    for number in range(10):
        (tmp_path / f"{number}.md").write_text(f"text {number}")
    return tmp_path


@pytest.fixture
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell which files of the folder are opened."""
    names: list[str] = []
    true = os.open

    def counting(place: Any, *args: Any, **kwargs: Any) -> int:
        path = Path(os.fsdecode(place))
        names.extend([path.name] if path.parent == folder else [])
        return true(place, *args, **kwargs)

    monkeypatch.setattr(os, "open", counting)
    return names


def of(store: Store, folder: Path) -> Wired:
    """What a crawl of a folder works with."""

    def no_clients(service: str) -> Any:
        pytest.fail(f"a folder needs no {service}")

    source = Files(connector="handbook", settings=FilesSettings(path=str(folder), uri="https://x/"), clients=no_clients)
    return structs.replace(wired(store, FakeIndex()), source=source)


def crawled(store: Store, folder: Path, run: str, **inputs: Any) -> list[Change]:
    """Crawl to the end, leave the lease, and return the changes."""
    result = crawl(of(store, folder), Request(run, f"arn:{run}", Input(**inputs)), lambda: PLENTY)
    assert result.complete
    store.delete(LEASE)
    return [change for shard in shards(store, run) for change in changes(store, shard)]


def test_a_second_crawl_opens_no_file(store: Store, folder: Path, opened: list[str]) -> None:
    """And finds the same changes: nothing was sent in between."""
    first = crawled(store, folder, "run-1")
    assert len(opened) == len(first) == 10

    assert crawled(store, folder, "run-2") == first
    assert len(opened) == 10


@pytest.mark.parametrize("mode", ["full", "reconcile"])
def test_who_wants_to_make_sure_reads_everything(store: Store, folder: Path, opened: list[str], mode: str) -> None:
    """The other modes are not given the notes, but make new ones."""
    crawled(store, folder, "run-1")
    crawled(store, folder, "run-2", mode=mode)
    assert len(opened) == 20
    crawled(store, folder, "run-3")
    assert len(opened) == 20


def test_a_crawl_that_died_in_the_middle_goes_on_with_the_notes(
    store: Store, folder: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those before the checkpoint are passed over, and the run after it has those of both halves."""
    crawled(store, folder, "run-1")
    opened.clear()
    (folder / "2.md").write_text("another text")
    (folder / "7.md").write_text("another text")
    write = store.write

    def crash(key: str, value: object) -> None:
        if key.endswith(CHECKPOINT) and cast("Checkpoint", value).listed == 6:
            monkeypatch.setattr(store, "write", write)
            raise RuntimeError("killed")
        write(key, value)

    monkeypatch.setattr(store, "write", crash)
    with pytest.raises(RuntimeError):
        crawled(store, folder, "run-2")
    assert opened == ["2.md"]

    changed = crawled(store, folder, "run-2")

    assert len(changed) == 10
    assert opened == ["2.md", "7.md"]
    assert crawled(store, folder, "run-3") == changed
    assert opened == ["2.md", "7.md"]


@pytest.mark.parametrize("spoiled", [b"", b"{}", b'{"source": {"kind": "files"}, "streams": [{"key": "x"}]}'])
def test_without_its_notes_a_crawl_reads_everything(
    store: Store, folder: Path, opened: list[str], spoiled: bytes
) -> None:
    """They spare work, and nothing depends on them."""
    first = crawled(store, folder, "run-1")
    store.put_content(NOTED, spoiled)
    assert crawled(store, folder, "run-2") == first
    assert len(opened) == 20


def test_notes_that_are_damaged_are_not_believed(store: Store, folder: Path, opened: list[str]) -> None:
    """The digest of a stream is checked before its first line is used."""
    first = crawled(store, folder, "run-1")
    for key in list(store.keys("notes/run-1/")):
        store.put_content(key, b"anything")
    assert crawled(store, folder, "run-2") == first
    assert len(opened) == 20
