"""Reads what a plan of the new connector has found: the source as it is, judged by the rules of the new index."""

from collections.abc import Iterator
from heapq import merge as merged
from operator import attrgetter
from typing import Literal

from docferry.changes import quarantine
from docferry.changes.attributes import Attributes
from docferry.config.deployment import Described
from docferry.delivery import batching, shards
from docferry.errors import RequestRefused
from docferry.indexes import Index
from docferry.model import Document
from docferry.reporting import report
from docferry.reporting.report import Failure
from docferry.state import lines, manifest, runs
from docferry.state.keys import QUARANTINED, run_key
from docferry.state.merge import align
from docferry.state.runs import Operation
from docferry.state.store import Store
from docferry.workflow.fields import compared
from docferry_cli.targets import Opened

Way = Literal["any", "inline", "none"]
NO_ROLE = "The index reads the content of a bucket with a role of its own: give the connector index.role_arn."


class Plan:
    """The change set of a plan, which has sent nothing. Every stream is sorted by id, and may be read again.

    ``way`` is how content gets to the index. ``unsendable`` counts the documents that would be refused when they are
    sent, once ``refused`` was read.
    """

    def __init__(self, opened: Opened, run: str, *, way: Way = "any") -> None:
        self._opened = opened
        self._way = way
        self._store = opened.store
        self._run = run
        self.unsendable = 0

    def coming(self) -> Iterator[Document]:
        """What the index holds already and keeps, and what a fill sends."""
        found = runs.change_set(self._store, self._run)
        held = map(_document, manifest.documents(self._store, found.manifest))
        kept = (one for one, gone in align(held, self._changes("delete"), _id, _id) if gone is None and one)
        for one, sent in align(kept, self._changes("put"), _id, _id):
            if sent is None:
                if one is not None:
                    yield one
            elif self._reason(sent) is None:
                yield sent

    def refused(self) -> Iterator[Failure]:
        """What does not get into the index, and why."""
        store, run = self._store, self._run
        poisoned = (lines.decode(line, quarantine.Failing) for line in store.lines_if_any(run_key(run, QUARANTINED)))
        yield from merged(
            report.skipped(store, run),
            (Failure(one.id, f"the index has refused it in {one.runs} runs: {one.reason}") for one in poisoned),
            (Failure(one, "had access control, and has none now") for one in report.exposed(store, run)),
            self._not_sendable(),
            key=attrgetter("id"),
        )

    def obstacles(self) -> list[str]:
        """Why a fill would send nothing, in sentences: for want of a role, or for attributes that the index refuses."""
        if self._way == "none" and any(one.origin == "source" for one in self._changes("put")):
            return [NO_ROLE]
        attributes = Attributes()
        for document in self._changes("put"):
            attributes.add(document)
        return compared(self._opened.index, attributes)[1] if attributes.used else []

    def _not_sendable(self) -> Iterator[Failure]:
        self.unsendable = 0
        for document in self._changes("put"):
            if reason := self._reason(document):
                self.unsendable += 1
                yield Failure(document.id, reason)

    def _reason(self, document: Document) -> str | None:
        """Why a document would be refused when it is sent. Its listing tells; its content is not read."""
        index = self._opened.index
        try:
            index.entries(document)
        except RequestRefused as error:
            return str(error)
        return batching.too_large(document, document.size, index.limits, inline=self._way == "inline")

    def _changes(self, operation: Operation) -> Iterator[Document]:
        for part in runs.shards(self._store, self._run):
            if part.operation == operation:
                yield from (change.document for change in shards.changes(self._store, part))


def way_of_content(described: Described, index: Index) -> Way:
    """How content gets to an index: without a role that reads S3, in the request alone.

    A stack makes one, except for an index that it has not made and that only reads with a role of its own. Of a bucket
    no content goes in a request.
    """
    made = index.service.takes_role or (described.deploy is not None and described.deploy.create)
    if index.role_arn is not None or made:
        return "any"
    return "none" if described.connector.source.kind == "s3" else "inline"


def held(store: Store) -> Iterator[Document]:
    """What the manifest of a data source says that its index holds. Raises ManifestInvalid."""
    current = manifest.pointer(store)
    yield from map(_document, manifest.documents(store, current.value if current else None))


def _document(line: bytes) -> Document:
    return lines.decode(line, Document)


def _id(document: Document) -> str:
    return document.id
