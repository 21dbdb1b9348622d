"""Fault kinds of the surroundings: the source, the sync job, the manifest. They strike when a function is invoked."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from msgspec import structs

from docferry.errors import SourceUnavailable
from docferry.model import Document, Listed, Skipped
from docferry.sources import NOTHING, Known, Page, Records
from docferry.sources.folder.files import Files
from docferry.state.keys import MANIFEST
from tests.faults.kinds import Fault
from tests.faults.points import Call, Proceed


class Listing(Fault):
    """The source lists other than it should, in every attempt of the crawl."""

    always = True

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Proceed with another listing."""
        with self._listing(Files), self._listing(Records):
            return proceed()

    def _listing(self, kind: Any) -> Any:
        real = kind.pages

        def pages(source: Any, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:
            return self.pages(real(source, checkpoint, known))

        return patch.object(kind, "pages", pages)

    def pages(self, real: Iterator[Page]) -> Iterator[Page]:
        """What the source lists."""
        raise NotImplementedError


class SourceFails(Listing):
    """The source cannot be listed any more after some pages, in the first attempt."""

    always = False
    after = 0
    error: Exception = SourceUnavailable("on request")

    def pages(self, real: Iterator[Page]) -> Iterator[Page]:
        """Some pages, then an error."""
        for number, page in enumerate(real):
            if number == self.after:
                raise self.error
            yield page


class ListingEmpty(Listing):
    """An empty listing, as of a share that is not mounted."""

    kind = "listing empty"

    def pages(self, real: Iterator[Page]) -> Iterator[Page]:
        """Nothing."""
        yield from list(real)[:0]


class ListingNarrowed(Listing):
    """A listing without most documents, as after a permission was lost."""

    kind = "listing narrowed"

    def pages(self, real: Iterator[Page]) -> Iterator[Page]:
        """The first page."""
        yield next(real)


class ListingIncomplete(Listing):
    """A listing that says itself that something cannot be seen: not even one delete is believed."""

    kind = "listing incomplete"

    def pages(self, real: Iterator[Page]) -> Iterator[Page]:
        """All but one document, which hides behind a folder that cannot be read."""
        for page in real:
            listed = [entry if not entry.id.endswith("/a.txt") else hidden(entry) for entry in page.listed]
            yield structs.replace(page, listed=listed)


class Job(Fault):
    """The service does something to the job, or to documents in it, once it is open."""

    knobs: dict[str, Any]

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Turn the knobs."""
        for name, value in self.knobs.items():
            setattr(self.stage.knobs, name, value)
        return proceed()


class Corrupt(Fault):
    """The manifest is damaged before a function begins."""

    rebuild = True
    pointer: bytes | None = None

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Overwrite the pointer, or what it points to."""
        objects = self.stage.bucket.objects
        if self.pointer is not None:
            for key in {self.stage.store.held(MANIFEST), MANIFEST} & objects.keys():
                objects[key] = self.pointer
        for key in self.stage.manifests():
            if self.pointer is None:
                objects[key] = b"damaged"
        return proceed()


class ManifestLost(Corrupt):
    """The stream that the pointer names is gone."""

    kind = "corrupt manifest: stream lost"

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Delete it."""
        for key in self.stage.manifests():
            del self.stage.bucket.objects[key]
        return proceed()


def hidden(entry: Listed) -> Listed:
    """A document that cannot be read, and may hide others."""
    assert isinstance(entry, Document)
    return Skipped(f"{entry.id}-folder", "permission denied", incomplete=True)


def _variants() -> Iterator[tuple[type[Fault], str]]:
    for after in range(3):
        for always in (False, True):
            for error in (SourceUnavailable("on request"), OSError("input/output error")):
                name = f"source fails on page {after + 1}{', always' if always else ''}: {type(error).__name__}"
                members = {"kind": name, "after": after, "always": always, "error": error}
                yield type("SourceFails", (SourceFails,), members), "crawl"
    for listing in (ListingEmpty, ListingNarrowed, ListingIncomplete):
        yield listing, "crawl"
    documents = {"team/b.txt": "cannot be read", "team/e.txt": "cannot be read"}
    for kind, knobs in {
        "job stuck": {"stuck": True},
        "job ends FAILED": {"end_jobs": "FAILED"},
        "job ends ABORTED": {"end_jobs": "ABORTED"},
        "job ends INCOMPLETE": {"end_jobs": "INCOMPLETE"},
        "documents fail late": {"fail_documents": documents},
        "documents fail late, job FAILED": {"fail_documents": documents, "end_jobs": "FAILED"},
        "deletes fail late": {"fail_documents": {"team/c.txt": "cannot be deleted"}},
    }.items():
        yield type("Job", (Job,), {"kind": kind, "knobs": knobs}), "start_sync"
    damage = {
        "pointer is no JSON": b"not json",
        "pointer is foreign": b"{}",
        "newer format": b'{"format":99,"key":"x","documents":1,"sha256":"y"}',
        "stream damaged": None,
    }
    for function in ("crawl", "commit"):
        for text, pointer in damage.items():
            kind = f"corrupt manifest: {text}"
            yield type("Corrupt", (Corrupt,), {"kind": kind, "pointer": pointer}), function
        yield ManifestLost, function


CONDITIONS = tuple(_variants())
"""Each with the function at whose first invocation it strikes."""
