"""The access guard: both services show a document without access control to everybody. Pure.

https://docs.aws.amazon.com/kendra/latest/dg/user-context-filter.html: a document without an access control list is
public. A sidecar that was lost, or the permission to read it, makes one of a document that was secret.
"""

from collections.abc import Callable, Container, Iterable, Iterator

from msgspec import Struct, json

from docferry.changes.detection import Unchanged
from docferry.connector import Policy
from docferry.model import Change, Document, Listed, Skipped
from docferry.state import blocks, lines
from docferry.state.lines import is_document


class Exposed(Struct, frozen=True):
    """A document that had access control and has none now. It stays as it is indexed. ``document``: as it is listed."""

    id: str
    document: Document


def required(entry: Listed, policy: Policy | None) -> Listed:
    """A listed document, or why it is skipped where every document needs access control."""
    if policy == "required" and isinstance(entry, Document) and not entry.access_control:
        return Skipped(entry.id, "has no access control, which this connector requires (access: required)")
    return entry


def renamed(
    manifest: Callable[[], Iterable[bytes]], listing: Iterable[bytes], connector: str, approved: Container[str]
) -> frozenset[str]:
    """The places whose documents had access control under an id of their own, and are listed with neither now.

    A lost sidecar takes both: the document seems to be another one, which has never had any. ``manifest``, which is
    read twice, and ``listing`` are canonical lines sorted by id, in blocks or one by one; so is what is ``approved``.
    """
    secret = {hash(place) for block in manifest() for place in _secret_places(block, connector)}
    if not secret:
        return frozenset()
    # Of an id that is listed twice the document comes first: its second line, which is none, is all that has no pair.
    both = blocks.align(manifest(), listing)
    new = (lines.decode(line, Document) for known, line in both if line and known is None and is_document(line))
    return frozenset(
        document.locator
        for document in new
        if not document.access_control and hash(document.locator) in secret and document.id not in approved
    )


class _Place(Struct):
    """What is read of a document to see whether its id is its own."""

    id: str
    locator: str


_PLACE = json.Decoder(_Place)
SECRET = b'"access_control"'


def _secret_places(block: bytes, connector: str) -> Iterator[str]:
    if SECRET not in block:
        return
    for line in block.split(blocks.END):
        if SECRET in line:
            place = _PLACE.decode(line)
            if place.id != f"{connector}/{place.locator}":
                yield place.locator


def guard(
    events: Iterable[Change | Skipped | Unchanged],
    policy: Policy | None,
    *,
    approved: Container[str],
    renamed: Container[str] = frozenset(),
) -> Iterator[Change | Skipped | Unchanged | Exposed]:
    """Hold back each change that would make a document public, unless a person approved it or the policy says so.

    ``renamed`` are the places of documents that have lost their id with their access control.
    """
    for event in events:
        if policy != "public" and isinstance(event, Change) and _exposes(event, renamed) and event.id not in approved:
            yield Exposed(event.id, event.document)
        else:
            yield event


def _exposes(change: Change, renamed: Container[str]) -> bool:
    lost = change.kind == "added" and not change.document.access_control and change.document.locator in renamed
    return change.exposes or lost
