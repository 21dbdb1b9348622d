"""The access guard: most indexes show a document without access control to everybody. Pure.

https://docs.aws.amazon.com/kendra/latest/dg/user-context-filter.html: a document without an access control list is
public. A sidecar that was lost, or the permission to read it, makes one of a document that was secret.
"""

from collections.abc import Container, Iterable, Iterator, Sequence

from msgspec import Struct, json

from docferry.changes.detection import UNCHANGED, Unchanged
from docferry.connector import Policy
from docferry.indexes.service import Unprotected
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
        return Skipped(
            entry.id, "has no access control, which this connector requires (access: required)", bare=entry.locator
        )
    return entry


def fitting(entry: Listed, unprotected: Unprotected) -> Listed:
    """A listed document, or why it is skipped: the index would show it to no reader, or to more than may see it.

    Of a document that not everybody may see any more, the index must not even go on showing an older version.
    """
    if isinstance(entry, Document) and unprotected == "nobody" and not entry.access_control:
        return Skipped(
            entry.id, "has no access control: in this index nobody would see it; say who may", bare=entry.locator
        )
    if isinstance(entry, Document) and unprotected == "all" and entry.access_control:
        reason = "has access control, and the index has none: everybody would see it"
        return Skipped(entry.id, reason, access_control=entry.access_control, place=entry.locator)
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


class Placed(Struct, frozen=True):
    """A document, by its place: ``id`` is the locator, ``document`` the id."""

    id: str
    document: str


class Renamed(Struct, frozen=True):
    """Documents that have lost an id of their own with their access control, each asked for in order of its id.

    ``kept`` are the ids that the index has them under, ``listed`` those that they are listed under now.
    """

    kept: Container[str] = ()
    listed: Container[str] = ()


NOT_RENAMED = Renamed()


class _Place(Struct):
    """What is read of a document to see whether its id is its own."""

    id: str
    locator: str


_PLACE = json.Decoder(_Place)
SECRET = b'"access_control"'


def secret(manifest: bytes, connector: str) -> Iterator[Placed]:
    """The documents of a block of a manifest that have access control under an id of their own: not of their place."""
    if SECRET not in manifest:
        return
    for line in manifest.split(blocks.END):
        if SECRET in line:
            place = _PLACE.decode(line)
            if place.id != f"{connector}/{place.locator}":
                yield Placed(place.locator, place.id)


def bare(manifest: Sequence[bytes], listing: Sequence[bytes], approved: Container[str]) -> Iterator[Placed]:
    """The listed documents without access control that the manifest lacks at their place, and not ``approved``.

    Those that are skipped without any are among them. Both are lines sorted by id, of the same ids.
    """
    new = set(listing).difference(manifest)
    known = dict(_place(line) for line in set(manifest).difference(listing)) if new else dict[str, str]()
    for line in listing if new else ():
        place = _bare_place(line) if line in new else None
        # An id that the manifest has of another place is no other document's: it is put in that one's stead.
        if place is not None and known.get(place.document) != place.id and place.document not in approved:
            yield place


def _place(line: bytes) -> tuple[str, str]:
    """The id of a document, and its place."""
    found = _PLACE.decode(line)
    return found.id, found.locator


def _bare_place(line: bytes) -> Placed | None:
    """The place of a listed document without access control."""
    if not is_document(line):
        skipped = lines.decode(line, Skipped)
        return Placed(skipped.bare, skipped.id) if skipped.bare is not None else None
    document = lines.decode(line, Document)
    return None if document.access_control else Placed(document.locator, document.id)


def renamed(secrets: Iterable[Placed], bares: Iterable[Placed]) -> tuple[frozenset[str], frozenset[str]]:
    """The ids of documents that were ``secret``, and the ids under which they are listed, ``bare`` at the same place.

    A lost sidecar takes both, access control and id: the document seems to be another one, which has never had any.
    """
    secrets, bares = list(secrets), list(bares)
    places = {one.id for one in secrets} & {one.id for one in bares}
    return (
        frozenset(one.document for one in secrets if one.id in places),
        frozenset(one.document for one in bares if one.id in places),
    )


def guard(
    events: Iterable[Change | Skipped | Unchanged],
    policy: Policy | None,
    *,
    approved: Container[str],
    renamed: Renamed = NOT_RENAMED,
) -> Iterator[Change | Skipped | Unchanged | Exposed]:
    """Hold back each change that would make a document public, unless a person approved it or the policy says so.

    A document that has lost its id with its access control stays under the id that it was ``renamed`` from.
    """
    for event in events:
        if policy == "public" or not isinstance(event, Change):
            yield event
        elif event.kind == "deleted":
            yield UNCHANGED if event.id in renamed.kept else event
        elif (event.exposes or event.id in renamed.listed) and event.id not in approved:
            yield Exposed(event.id, event.document)
        else:
            yield event
