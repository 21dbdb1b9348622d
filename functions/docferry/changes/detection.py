"""Changes, and their detection: a merge of what the index is known to hold with what the source lists.

Pure. Equal lines are never parsed, and mostly not even split from each other. Memory does not grow with either stream.
"""

from collections.abc import Container, Iterable, Iterator

from msgspec import Struct, structs

from docferry.model import Change, Document, Principal, Skipped
from docferry.state import lines
from docferry.state.blocks import Cursor, pass_equal


class Unchanged(Struct, frozen=True):
    """The index holds this number of documents, one after the other, as the source lists them."""

    documents: int = 1


UNCHANGED = Unchanged()

DOUBTFUL = "doubtful"
"""What is said of the content where the version that the index holds is not known."""
WITHDRAWN = ("deleted", "access")
"""Why a document is deleted that the source lists: the index may not show it as it does."""


def detect(
    manifest: Iterable[bytes], listing: Iterable[bytes], uncertain: Container[str] = frozenset()
) -> Iterator[Change | Skipped | Unchanged]:
    """What has to be done to the index, in order of id.

    ``manifest`` and ``listing`` are canonical lines sorted by id, in blocks or one by one. A document that the source
    could not describe is kept as it is indexed: by its id, or, when even that is not certain, by its locator in
    ``uncertain``. One that is skipped, and that fewer people may see than the index shows it to, is deleted.
    """
    known, listed = Cursor(manifest), Cursor(listing)
    while True:
        if unchanged := pass_equal(known, listed):
            yield Unchanged(unchanged)
        old, new = known.line, listed.line
        if old is None and new is None:
            return
        old_id = lines.line_id(old) if old is not None else None
        probe = lines.probe(new) if new is not None else None
        if old is not None and (probe is None or (old_id is not None and old_id < probe.id)):
            document = lines.decode(old, Document)
            yield UNCHANGED if document.locator in uncertain else Change(document.id, "deleted", document)
            known.advance()
        elif new is not None and probe is not None and probe.skipped is not None:
            skipped = lines.decode(new, Skipped)
            yield skipped
            if old is not None and old_id == probe.id:
                yield skipped_now(lines.decode(old, Document), skipped, uncertain)
                known.advance()
            listed.advance()
        elif new is not None:
            document = lines.decode(new, Document)
            if old_id != document.id:
                yield Change(document.id, "added", document)
            else:
                assert old is not None
                yield compared(lines.decode(old, Document), document)
                known.advance()
            listed.advance()


def skipped_now(held: Document, skipped: Skipped, uncertain: Container[str]) -> Change | Unchanged:
    """What becomes of a document that is skipped now: it stays, or is deleted where fewer people may see it.

    What is skipped at another place may be this document, moved, or another one with the same id. So that is a delete
    like any other, which the guard may withhold; and a document whose own place could not be read stays.
    """
    withdrawn = narrows(held, skipped.access_control) and skipped.origin == held.origin
    if not withdrawn or held.locator in uncertain:
        return UNCHANGED
    # A document of the inbox is at a new place with each content.
    same = held.origin == "inbox" or skipped.place == held.locator
    return Change(held.id, "deleted", held, WITHDRAWN if same else ())


def narrows(held: Document, access_control: tuple[Principal, ...]) -> bool:
    """Whether somebody may see a document as the index holds it, and perhaps not by the access control it has now.

    None now: it was lost, or is no matter.
    """
    if not access_control:
        return False
    before, now = set(held.access_control), set(access_control)
    lost = {one for one in before - now if one.access == "ALLOW"}
    denied = {one for one in now - before if one.access == "DENY"}
    return not before or bool(lost or denied)


def without_absences(events: Iterable[Change | Skipped | Unchanged]) -> Iterator[Change | Skipped | Unchanged]:
    """Keep every document of a source that tells only what has changed: what it does not list is as it was."""
    for event in events:
        yield UNCHANGED if isinstance(event, Change) and _is_absent(event) else event


def _is_absent(change: Change) -> bool:
    return change.kind == "deleted" and change.why != WITHDRAWN and change.document.origin == "source"


def compared(old: Document, new: Document) -> Change | Unchanged:
    """What has to be done about a document that the index holds as ``old`` and the source lists as ``new``."""
    if same_but_for_time(old, new):
        return UNCHANGED
    exposes = bool(old.access_control) and not new.access_control
    return Change(new.id, "modified", new, differences(old, new), exposes)


def differences(old: Document, new: Document) -> tuple[str, ...]:
    """What differs between two descriptions of a document.

    Any of ``content``, ``title``, ``attribute NAME``, ``access``, ``content type``, ``place``. ``doubtful``
    stands for the content when the version that the index holds is not known.
    """
    names = sorted(old.attributes.keys() | new.attributes.keys())
    content = (old.version, old.size) != (new.version, new.size)
    found = {
        DOUBTFUL: not old.version,
        "content": bool(old.version) and content,
        "content type": old.content_type != new.content_type,
        "title": old.title != new.title,
        **{f"attribute {name}": old.attributes.get(name) != new.attributes.get(name) for name in names},
        "access": (old.access_control, old.members) != (new.access_control, new.members),
        "place": (old.locator, old.origin) != (new.locator, new.origin),
    }
    return tuple(what for what, differs in found.items() if differs)


def same_but_for_time(one: Document, other: Document) -> bool:
    """Whether two descriptions of a document differ in nothing but its time of change."""
    return structs.replace(one, updated_at=None) == structs.replace(other, updated_at=None)
