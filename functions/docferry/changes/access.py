"""The access guard: most indexes show a document without access control to everybody. Pure.

https://docs.aws.amazon.com/kendra/latest/dg/user-context-filter.html: a document without an access control list is
public. A sidecar that was lost, or the permission to read it, makes one of a document that was secret.
"""

from collections.abc import Callable, Container, Iterable, Iterator
from itertools import repeat

from msgspec import Struct

from docferry.changes.detection import Unchanged
from docferry.connector import Policy
from docferry.indexes.service import Unprotected
from docferry.model import Change, Document, Listed, Skipped
from docferry.state import lines
from docferry.state.lines import is_document
from docferry.state.merge import align


class Exposed(Struct, frozen=True):
    """A document that had access control and has none now. It stays as it is indexed. ``document``: as it is listed."""

    id: str
    document: Document


def required(entry: Listed, policy: Policy | None) -> Listed:
    """A listed document, or why it is skipped where every document needs access control."""
    if policy == "required" and isinstance(entry, Document) and not entry.access_control:
        return Skipped(entry.id, "has no access control, which this connector requires (access: required)")
    return entry


def fitting(entry: Listed, unprotected: Unprotected) -> Listed:
    """A listed document, or why it is skipped: the index would show it to no reader, or to more than may see it."""
    if isinstance(entry, Document) and unprotected == "nobody" and not entry.access_control:
        return Skipped(entry.id, "has no access control: in this index nobody would see it")
    if isinstance(entry, Document) and unprotected == "all" and entry.access_control:
        return Skipped(entry.id, "has access control, and the index has none: everybody would see it")
    return entry


def contradiction(policy: Policy | None, unprotected: Unprotected) -> str | None:
    """Why an index cannot have a connector with this policy, and what to do; None when it can."""
    match policy, unprotected:
        case "public", "nobody":
            return "the index shows a document without access control to nobody: say who may see each, and leave it out"
        case "required", "all":
            return "the index has no access control, so that no document could be sent: leave it out"
        case _:
            return None


def renamed(
    manifest: Callable[[], Iterable[bytes]], listing: Iterable[bytes], connector: str, approved: Container[str]
) -> frozenset[str]:
    """The places whose documents had access control under an id of their own, and are listed with neither now.

    A lost sidecar takes both: the document seems to be another one, which has never had any. ``manifest``, which is
    read twice, and ``listing`` are canonical lines sorted by id; so is what is ``approved``.
    """
    secret = {hash(place) for place in map(_secret_place, manifest(), repeat(connector)) if place is not None}
    if not secret:
        return frozenset()
    both = align(manifest(), filter(is_document, listing), lines.line_id, lines.line_id)
    new = (lines.decode(line, Document) for known, line in both if line is not None and known is None)
    return frozenset(
        document.locator
        for document in new
        if not document.access_control and hash(document.locator) in secret and document.id not in approved
    )


def _secret_place(line: bytes, connector: str) -> str | None:
    if b'"access_control"' not in line:
        return None
    document = lines.decode(line, Document)
    return document.locator if document.id != f"{connector}/{document.locator}" else None


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
