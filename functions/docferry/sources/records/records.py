"""Records: the base of every source that yields records."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, cast

from msgspec import Struct

from docferry.errors import DocferryError, DocumentError, DocumentUnreadable, SourceUnavailable
from docferry.model import Document, Listed, Opened, Skipped
from docferry.registry import Clients
from docferry.sources import secrets
from docferry.sources.records.record import Described, Record, Skip, check_content, described
from docferry.sources.source import NOTHING, Ability, Known, Page
from docferry.state.chunks import chunks

PAGE_LENGTH = 1_000
PAGE_BYTES = 32_000_000
PAGE_SECONDS = 20.0


class Records:
    """A source of records. Subclass it, give it ``Settings``, and yield records.

    ``self.settings`` are the settings from connectors.yaml, ``self.secret`` gives what a setting keeps secret. Its own
    names begin with two underscores, so that no method of a subclass takes the place of one.
    """

    Settings: type[Struct] = Struct
    presentation: frozenset[str] = frozenset()
    abilities: frozenset[Ability] = frozenset({"access_control", "carries_content"})
    open_at_once = 1
    """How many ``open`` of records may run at the same time, in threads."""

    def __init__(self, *, connector: str, settings: Any, clients: Clients) -> None:
        self.connector = connector
        self.settings = settings
        self.known = NOTHING
        self.__clients = clients
        self.__notes: list[bytes] = []
        self.__checkpoint: str | None = None

    def records(self) -> Iterable[Record | Skip]:
        """Every record of the source. The end of the iterator is the end of the source.

        Raise SourceUnavailable, or anything else, when the source cannot be read to its end.
        """
        raise NotImplementedError

    def resume(self, checkpoint: str) -> Iterable[Record | Skip]:
        """Every record after the one with this checkpoint, for sources with the ability ``resumes``."""
        raise NotImplementedError

    def secret(self, reference: str) -> str:
        """What a setting refers to: an ARN of Secrets Manager, or on a laptop ``env:NAME``. See docs/sources.md."""
        return secrets.resolve(reference, self.__clients)

    def note(self, note: bytes) -> None:
        """Keep a note for the next crawl, which ``self.known.notes()`` gives; one line, without a line end."""
        self.__notes.append(note)

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:
        """See Source.pages."""
        self.known = known
        self.__notes = []
        self.__checkpoint = checkpoint
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self.open_at_once)) if self.open_at_once > 1 else None
            yield from self.__pages(self.__described(checkpoint), known, pool)

    def open(self, document: Document) -> Opened:
        """The listing has kept the content of what is due. What it has not kept is due in the next run."""
        raise DocumentUnreadable(f"the content of {document.locator} was not kept; the next run sends it")

    def __pages(
        self, items: Iterator[Described | Skipped], known: Known, pool: ThreadPoolExecutor | None
    ) -> Iterator[Page]:
        page = _Draft()
        for window in chunks(items, self.open_at_once):
            due = [item for item in window if isinstance(item, Described) and not known.holds(item.document)]
            contents = pool.map(self.__content, due) if pool else map(self.__content, due)
            read = {id(item): content for item, content in zip(due, contents, strict=True)}
            for item in window:
                page.add(item, read.get(id(item)))
            if page.is_full():
                yield page.finished(self.__checkpoint, self.__taken_notes())
                page = _Draft()
        yield page.finished(self.__checkpoint, self.__taken_notes())

    def __described(self, checkpoint: str | None) -> Iterator[Described | Skipped]:
        """The documents of the records. What a source raises that is not Docferry's own is its unavailability."""
        name = f"{type(self).__module__}:{type(self).__qualname__}"
        try:
            for record in self.records() if checkpoint is None else self.resume(checkpoint):
                if isinstance(record, Record):  # a record without one is no place to go on from
                    self.__checkpoint = record.checkpoint
                yield described(self.connector, record, f"{name}.records()")
        except DocferryError:
            raise
        except Exception as error:  # the source may be anybody's code
            raise SourceUnavailable(f"{name} cannot be listed: {type(error).__name__}: {error}") from error

    def __content(self, item: Described) -> bytes | Skipped:
        """The content of a document that the index does not hold yet."""
        try:
            content = item.content if item.content is not None else item.open()
            check_content(content, item.document.content_type)
        except DocumentError as error:
            return Skipped(item.document.id, str(error))
        except DocferryError:
            raise
        except Exception as error:  # the source may be anybody's code
            name = item.document.locator
            raise SourceUnavailable(f"{name} cannot be read: {type(error).__name__}: {error}") from error
        return bytes(content)

    def __taken_notes(self) -> tuple[bytes, ...]:
        notes, self.__notes = tuple(self.__notes), []
        return notes


class _Draft:
    """A page in the making."""

    def __init__(self) -> None:
        self._listed: list[Listed] = []
        self._contents: list[tuple[Document, bytes]] = []
        self._bytes = 0
        self._until = time.monotonic() + PAGE_SECONDS

    def add(self, item: Described | Skipped, content: bytes | Skipped | None) -> None:
        """Add a document with its content, if that is needed, or why there is none."""
        if isinstance(item, Skipped) or isinstance(content, Skipped):
            self._listed.append(content if isinstance(content, Skipped) else cast("Skipped", item))
            return
        self._listed.append(item.document)
        if isinstance(content, bytes):
            self._contents.append((item.document, content))
            self._bytes += len(content)

    def is_full(self) -> bool:
        """Whether it is time for the crawl to look at its clock, or to put contents aside."""
        return len(self._listed) >= PAGE_LENGTH or self._bytes >= PAGE_BYTES or time.monotonic() > self._until

    def finished(self, checkpoint: str | None, notes: tuple[bytes, ...]) -> Page:
        """The page."""
        return Page(self._listed, checkpoint, tuple(self._contents), notes)
