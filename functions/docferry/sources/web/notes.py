"""What the source remembers of each page for its next crawl."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from docferry.model import ContentType

WHOLE = b'{"whole":true}'
"""The line that says that every document which was listed has a note: no listing since then was cut off unseen."""


class Note(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A page as it was found.

    ``number`` stands for its address in the ``links`` of other notes, a JSON list of numbers. ``fetched`` is when, in
    seconds since 1970. ``target`` is where it redirects to, ``problem`` why its type cannot be indexed, and ``hidden``
    that it does not want to be. A note that is only ``mentioned`` gives its address a number.
    """

    url: str
    number: int
    mentioned: bool = False
    etag: str = ""
    modified: str = ""
    lastmod: str = ""
    fetched: float = 0.0
    content_type: ContentType | None = None
    version: str = ""
    title: str = ""
    updated_at: datetime | None = None
    canonical: str = ""
    target: str = ""
    temporary: bool = False
    hidden: bool = False
    problem: str = ""
    links: Raw = Raw(b"[]")

    def conditions(self) -> dict[str, str]:
        """The headers that ask for the page only if it has changed.

        A page that did not want to be indexed is read anew: it may say so in a header, which no ETag covers.
        """
        if self.hidden or self.target:
            return {}
        conditions = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in conditions.items() if value}


class Remembered:
    """The notes of the crawl before."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.whole = False
        self._notes: dict[str, Note] = {}
        self._urls: dict[int, str] = {}
        for line in lines:
            if line == WHOLE:
                self.whole = True
                continue
            try:
                note = msgspec.json.decode(line, type=Note)
            except msgspec.DecodeError:  # of another version; what is not known is fetched
                continue
            self._urls[note.number] = note.url
            if not note.mentioned:
                self._notes[note.url] = note

    def __iter__(self) -> Iterator[Note]:
        return iter(self._notes.values())

    def get(self, url: str) -> Note | None:
        """The note of a page."""
        return self._notes.get(url)

    def links(self, note: Note) -> list[str]:
        """Where the links of a page lead."""
        numbers = msgspec.json.decode(note.links, type=list[int])
        return [self._urls[number] for number in numbers if number in self._urls]


class Notebook:
    """The notes of this crawl."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._written: set[str] = set()

    def number(self, url: str) -> int:
        """The number of an address."""
        return self._numbers.setdefault(url, len(self._numbers))

    def links(self, urls: Iterable[str]) -> Raw:
        """Links as a note has them."""
        return Raw(msgspec.json.encode([self.number(url) for url in urls]))

    def written(self, note: Note) -> bytes:
        """The line of a note."""
        self._written.add(note.url)
        return msgspec.json.encode(note)

    def mentioned(self) -> Iterator[bytes]:
        """The lines of the addresses that have no note, but a number."""
        for url, number in self._numbers.items():
            if url not in self._written:
                yield msgspec.json.encode(Note(url=url, number=number, mentioned=True))
