"""Records: pages of bounded size, contents for what is due, and checkpoints that lose nothing."""

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.errors import DocumentUnreadable, SourceInvalid, SourceUnavailable
from docferry.model import Document, Skipped
from docferry.sources import Page, Record, Records
from docferry.sources.records import records as module
from docferry.testing import SourceSuite


class Numbers(Records):
    """A text for each number, which goes on after any of them."""

    abilities = Records.abilities | {"resumes"}

    class Settings(msgspec.Struct):
        """How many."""

        count: int

    def records(self) -> Iterable[Record]:
        """From the first."""
        return self.resume("-1")

    def resume(self, checkpoint: str) -> Iterator[Record]:
        """After a number."""
        for number in range(int(checkpoint) + 1, self.settings.count):
            yield Record(
                id=f"{number:03}", content=b"text", content_type="PLAIN_TEXT", version="1", checkpoint=str(number)
            )


def numbers(count: int) -> Numbers:
    """A source of so many numbers."""
    return Numbers(connector="demo", settings=Numbers.Settings(count), clients=lambda _: None)


class Holding:
    """An index that holds these documents."""

    def __init__(self, *ids: str) -> None:
        self._ids = ids

    def holds(self, document: Document) -> bool:
        """See Known."""
        return document.id in self._ids

    def notes(self) -> Iterator[bytes]:
        """See Known."""
        return iter((b"a note",))


class TestNumbers(SourceSuite):
    """The kit that authors of sources use, on one of them."""

    def source(self) -> Numbers:
        """Some numbers."""
        return numbers(25)


@given(count=st.integers(0, 30), length=st.integers(1, 10), broken=st.integers(0, 5))
def test_a_listing_that_is_broken_off_goes_on_where_it_was(count: int, length: int, broken: int) -> None:
    """Whatever the length of the pages, after whichever of them it stops: every record once, in order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAGE_LENGTH", length)
        before: list[Page] = []
        for page in numbers(count).pages(None):
            before.append(page)
            if len(before) > broken:
                break
        after = list(numbers(count).pages(before[-1].checkpoint)) if before[-1].checkpoint else []

    ids = [entry.id for page in (*before, *after) for entry in page.listed]
    assert ids == [f"demo/{number:03}" for number in range(count)]


def test_pages_end_when_their_contents_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """The crawl puts contents aside page by page, so that memory holds one page."""
    monkeypatch.setattr(module, "PAGE_BYTES", 8)

    pages = list(numbers(5).pages(None))

    assert [len(page.contents) for page in pages] == [2, 2, 1]


def test_what_the_index_holds_is_listed_without_its_content() -> None:
    """Content is for what is due."""
    (page,) = numbers(3).pages(None, Holding("demo/001"))

    assert [entry.id for entry in page.listed] == ["demo/000", "demo/001", "demo/002"]
    assert [document.id for document, _ in page.contents] == ["demo/000", "demo/002"]


class Parallel(Records):
    """Two records that can be opened only together."""

    open_at_once = 2

    def records(self) -> Iterator[Record]:
        """Each waits for the other."""
        both = threading.Barrier(2, timeout=10)

        def read() -> bytes:
            both.wait()
            return b"text"

        for name in "ab":
            yield Record(id=name, open=read, content_type="PLAIN_TEXT", version="1")


def test_contents_are_opened_side_by_side() -> None:
    """As many as the source allows."""
    (page,) = Parallel(connector="demo", settings=None, clients=lambda _: None).pages(None)

    assert [content for _, content in page.contents] == [b"text", b"text"]


class Troubled(Records):
    """A source with one record that cannot be opened."""

    error: Exception

    def records(self) -> Iterator[Record]:
        """One."""

        def read() -> bytes:
            raise self.error

        yield Record(id="a", open=read, content_type="PLAIN_TEXT", version="1")


def troubled(error: Exception) -> list[Page]:
    """The pages of a source whose only record raises this."""
    source = Troubled(connector="demo", settings=None, clients=lambda _: None)
    source.error = error
    return list(source.pages(None))


def test_a_content_that_cannot_be_read_is_skipped_when_the_source_says_so() -> None:
    """And anything else that it raises is trouble with the source."""
    (page,) = troubled(DocumentUnreadable("is locked"))
    assert page.listed == [Skipped("demo/a", "is locked")]

    with pytest.raises(SourceUnavailable, match="a cannot be read: TimeoutError: too slow"):
        troubled(TimeoutError("too slow"))


def test_notes_go_with_the_next_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The source is given those of its last crawl."""
    monkeypatch.setattr(module, "PAGE_LENGTH", 1)

    class Noting(Numbers):
        def records(self) -> Iterator[Record]:
            for record in super().records():
                self.note(record.id.encode())
                yield record
            self.note(b"".join(self.known.notes()))

    source = Noting(connector="demo", settings=Noting.Settings(2), clients=lambda _: None)
    assert [page.notes for page in source.pages(None, Holding())] == [(b"000",), (b"001",), (b"a note",)]


def test_nonsense_is_named() -> None:
    """With the source that yields it."""

    class Nonsense(Records):
        def records(self) -> Any:
            yield 7

    with pytest.raises(SourceInvalid, match=r"Nonsense\.records\(\) yielded 7, which is no Record"):
        list(Nonsense(connector="demo", settings=None, clients=lambda _: None).pages(None))


def test_a_subclass_may_name_its_methods_as_it_likes() -> None:
    """It takes the place of nothing."""

    class Own(Numbers):
        def _content(self) -> str:
            return "mine"

        _pages = _described = _checkpoint = _notes = _content

    source = Own(connector="demo", settings=Own.Settings(2), clients=lambda _: None)

    assert [len(page.listed) for page in source.pages(None)] == [2]
