"""What the next sync does with one document: the crawl's own comparison and guards, on the lines that concern it."""

from collections.abc import Iterator

from docferry.changes import access, detection, quarantine, scope
from docferry.changes.access import Exposed, Renamed
from docferry.changes.detection import Unchanged
from docferry.changes.quarantine import Failing
from docferry.model import Change, Document, Skipped
from docferry.sources import Source
from docferry.state import lines
from docferry_cli.targets import Opened
from docferry_cli.why.answer import Due, Next
from docferry_cli.why.looking import Seen

KINDS: dict[str, Due] = {"added": "add", "modified": "modify"}
LOST = "what is at its place now has neither its id nor its access control"


def due(
    opened: Opened,
    source: Source | None,
    id_: str,
    seen: Seen,
    *,
    held: Document | None,
    failing: Failing | None,
) -> Next:
    """What the next sync does, by a manifest that has ``held`` of the document."""
    entry = seen.listed or seen.other
    if source is None or (entry is None and not seen.whole):
        return Next(due="unknown")
    if isinstance(entry, Skipped) and entry.incomplete:
        return Next(due="keep" if held else "skip", why=(entry.skipped,))
    manifest = [lines.encode(held)] if held is not None else []
    listing = [lines.encode(entry)] if entry is not None else []
    uncertain = {entry.locator} if isinstance(entry, Skipped) and entry.locator is not None else set[str]()
    connector = opened.connector
    kept, bare = access.renamed(access.secret(b"\n".join(manifest), connector.name), access.bare(manifest, listing, ()))
    events = detection.detect(manifest, listing, uncertain)
    if "tells_changes" in source.abilities:
        events = detection.without_absences(events)
    guarded = access.guard(events, connector.access, approved=frozenset(), renamed=Renamed(kept, bare))
    happens = quarantine.quarantine(guarded, iter([failing] if failing is not None else []))
    # What is skipped may be deleted, too.
    found = next((event for event in happens if not isinstance(event, Unchanged | Skipped) and event.id == id_), None)
    if found is not None:
        return _changed(opened, source, found)
    lost = connector.access != "public" and held is not None and held.id in kept
    # Nothing is done about it: it is as the source has it, or cannot be compared, and stays as it is indexed.
    if isinstance(entry, Skipped):
        return Next(due="keep" if held is not None else "skip", why=(entry.skipped,))
    return Next(due="keep", why=(LOST,)) if lost else Next(due="nothing")


def _changed(opened: Opened, source: Source, event: Change | Exposed | Failing) -> Next:
    """What is done about a document that is not as the index is known to hold it."""
    match event:
        case Exposed():
            return Next(due="hold back", why=("it had access control, and has none now",))
        case Failing():
            return Next(due="quarantine", why=(event.reason,))
        case Change(kind="deleted"):
            return Next(due="delete", why=tuple(_withholding(opened, source, event.document)))
        case Change():
            return Next(due=KINDS[event.kind], why=event.why)


def _withholding(opened: Opened, source: Source, document: Document) -> Iterator[str]:
    """What speaks for it that the delete waits for approval. How many others are deleted only a crawl can tell."""
    changed = scope.changed(opened.store, scope.of(opened.connector.source, source.presentation))
    if changed and document.origin == "source":
        yield f"the settings of the source have changed ({', '.join(changed)}), so it may wait for approval"
