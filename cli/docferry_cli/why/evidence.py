"""What one connector's source, manifest and runs have of a document. What cannot be read is noted, and left out."""

from collections.abc import Iterator

from msgspec import Struct

from docferry.changes.quarantine import Failing
from docferry.indexes import Reader
from docferry.model import Document
from docferry.runtime import wiring
from docferry.sources import Source
from docferry.state import manifest
from docferry.state.manifest import Pointer
from docferry_cli.targets import Opened
from docferry_cli.why import fates, held, looking, places
from docferry_cli.why.fates import Told
from docferry_cli.why.held import Scan
from docferry_cli.why.looking import Looker, Seen, Step
from docferry_cli.why.parts import attempt
from docferry_cli.why.places import Places


class Question(Struct, frozen=True, kw_only=True):
    """What is asked. ``source``: look at the source, too. ``limit``: how many documents are listed to find one."""

    text: str
    reader: Reader | None = None
    source: bool = True
    limit: int = 10_000


class Evidence:
    """Asks each part of an opened connector. ``manifest_problem`` and ``source_problem`` say why one cannot be read."""

    def __init__(self, opened: Opened, question: Question, step: Step = lambda _: None) -> None:
        self.opened = opened
        self.question = question
        self.places: Places = places.places(opened.connector, question.text)
        self.manifest_problem = ""
        self.source_problem = ""
        self.notes: list[str] = []
        self._base: Pointer | None = attempt(self._pointer, self._no_manifest)
        self.source: Source | None = attempt(self._made, self._no_source) if question.source else None
        self._looker = Looker(opened, self.source, limit=question.limit, step=step) if self.source is not None else None

    @property
    def direct(self) -> bool:
        """Whether the source can look at one place without listing the rest."""
        return self._looker is not None and self._looker.direct

    def scan(self) -> Scan:
        """Go through the whole manifest."""

        def failed(problem: str) -> Scan:
            self._no_manifest(problem)
            return Scan()

        return attempt(lambda: held.scan(self._manifest(), self.places), failed)

    def by_id(self) -> Document | None:
        """The document that the manifest has under one of the ids."""
        return attempt(lambda: held.by_id(self._manifest(), self.places.ids), self._no_manifest)

    def look(self, locators: tuple[str, ...]) -> Seen | None:
        """Look at places of the source directly. None: nothing is there, or the source cannot be asked so."""
        looker = self._looker
        return attempt(lambda: looker.at(locators), self._no_source) if looker is not None else None

    def listing(self, wanted: Places) -> Seen | None:
        """List the source until the document comes. None: there is no source to be read."""
        looker = self._looker
        if looker is None or self.source_problem:
            return None
        return attempt(lambda: looker.among(wanted, self._base), self._unreadable)

    def handed_in(self, id_: str) -> Seen | None:
        """What the inbox has under an id."""
        return attempt(lambda: looking.handed_in(self.opened, id_), self._noted)

    def told(self, id_: str) -> Told:
        """What the runs made of a document."""

        def failed(problem: str) -> Told:
            self._noted(f"what runs made of it cannot be told: {problem}")
            return Told()

        return attempt(lambda: fates.told(self.opened.store, id_), failed)

    def failing(self, id_: str) -> Failing | None:
        """The record of a document that keeps failing."""
        return attempt(lambda: fates.failing(self.opened.store, id_), self._noted)

    def _manifest(self) -> Iterator[bytes]:
        return manifest.documents(self.opened.store, self._base)

    def _pointer(self) -> Pointer | None:
        current = manifest.pointer(self.opened.store)
        return current.value if current else None

    def _made(self) -> Source:
        return wiring.source(self.opened.connector.name, self.opened.connector.source)

    def _no_manifest(self, problem: str) -> None:
        self.manifest_problem = problem

    def _no_source(self, problem: str) -> None:
        self.source_problem = problem

    def _unreadable(self, problem: str) -> Seen:
        self.source_problem = problem
        return looking.unreadable(problem)

    def _noted(self, problem: str) -> None:
        self.notes.append(problem)
