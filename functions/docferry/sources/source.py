"""What every source is: the protocol, and what a crawl and a source tell each other."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct

from docferry.model import Document, Listed, Opened
from docferry.registry import Clients

Ability = Literal[
    "resumes", "cheap_version", "access_control", "carries_content", "tells_changes", "remembers", "opens_at_once"
]
"""What a source can do; docs/sources.md says what a crawl does with each.

``resumes``: a listing can go on from a checkpoint, so it may take longer than one invocation. ``cheap_version``: the
version of a document is known without reading its content. ``access_control``: it can say who may see a document.
``carries_content``: a page brings the content of its documents, which nobody reads a second time. ``tells_changes``:
the listing says what was added or modified, and nothing about the rest: no document is deleted because it is not
listed. ``remembers``: it makes notes while it lists, and is given them in the next crawl. ``opens_at_once``: ``open``
may be called in several threads at a time; otherwise it is called in one, for one document after the other.
"""


class Page(Struct, frozen=True):
    """Some of a listing, in the source's own order.

    A crawl that died goes on after ``checkpoint``; None: it cannot, and begins anew. ``contents`` are documents of
    the page with what they carry. ``notes`` are for the source's next crawl, each one line without its end.
    """

    listed: list[Listed]
    checkpoint: str | None
    contents: tuple[tuple[Document, bytes], ...] = ()
    notes: tuple[bytes, ...] = ()


class Known(Protocol):
    """What a source may ask about the time before this crawl."""

    def holds(self, document: Document) -> bool:
        """Whether the index is known to hold the document just as it is described here.

        Then its content is not needed. The answer may be a wrong "no", never a wrong "yes" twice.
        """
        ...

    def notes(self) -> Iterator[bytes]:
        """The notes of the last whole listing with the same settings, in the order in which they were made."""
        ...


class _Nothing:
    """The time before the first crawl."""

    def holds(self, document: Document) -> bool:  # noqa: ARG002  # the protocol's
        """See Known."""
        return False

    def notes(self) -> Iterator[bytes]:
        """See Known."""
        return iter(())


NOTHING: Known = _Nothing()


class Sighting(Struct, frozen=True):
    """What a listing says of one place. ``listed`` None: it lists nothing there, and ``reason`` says why.

    ``left_out``: there is something at the place, and a setting leaves it out.
    """

    listed: Listed | None
    reason: str = ""
    left_out: bool = False


@runtime_checkable
class Finder(Protocol):
    """A source that can look at one place without listing the rest. A source need not be one."""

    def find(self, locator: str) -> Sighting:
        """Look at one place as a listing does, and with the same result. Raises what ``pages`` raises."""
        ...


class Look(Struct, frozen=True):
    """What is at one place now. ``gone``: the repository says that there is nothing.

    Neither a document nor gone: the place is left as it is, because a setting leaves it out of the source.
    """

    locator: str
    listed: Listed | None = None
    gone: bool = False


@runtime_checkable
class Watched(Protocol):
    """A source whose repository tells of changes, key by key. It looks at single places. A source need not be one."""

    def concerns_all(self, key: str) -> bool:
        """Whether every document may be another one when this key changes."""
        ...

    def concerned(self, key: str) -> str | None:
        """The place of the document that a change of this key concerns; None: it concerns no document."""
        ...

    def look(self, locators: Iterable[str]) -> Iterator[Look]:
        """Look at places, each as a listing would list it, in any order, without listing anything.

        A place is gone only when the repository says so. What is there and cannot be looked at is Skipped, with its
        locator. Raises what ``pages`` raises.
        """
        ...


Open = Callable[[Document], Opened]
"""Opens a document, as ``Source.open`` does."""


@runtime_checkable
class OpensNeighbours(Protocol):
    """A source that opens documents for less when they come in the order of their places. A source need not be one."""

    def opener(self) -> Open:
        """Open documents of one stretch of time: what it learns of one it may use for the next, for some seconds.

        May be called in several threads when the source opens at once.
        """
        ...


class Source(Protocol):
    """A repository of documents. ``Settings`` is the struct its part of connectors.yaml is read into."""

    Settings: type[Struct]

    def __init__(self, *, connector: str, settings: Any, clients: Clients) -> None: ...

    @property
    def presentation(self) -> frozenset[str]:
        """The settings that say how a document is presented, and not which documents there are."""
        ...

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the source can do."""
        ...

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:
        """List every document, from the start or after a checkpoint. The end of the iterator is the end of the source.

        Raises SourceUnavailable when the listing cannot go on: a listing that ends early must never look complete.
        """
        ...

    def open(self, document: Document) -> Opened:
        """Read a listed document, or point to it on S3. Not called for one whose content the listing has carried.

        Raises DocumentVanished, DocumentUnreadable, or SourceUnavailable.
        """
        ...


def opener(source: Source) -> Open:
    """How to open many documents of a source, in the order of their places."""
    return source.opener() if isinstance(source, OpensNeighbours) else source.open
