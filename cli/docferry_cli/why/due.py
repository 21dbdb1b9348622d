"""What the next sync does with one document: the crawl's own comparison and guards, on streams of one line."""

from collections.abc import Iterable

from docferry.changes import access, detection, quarantine, scope
from docferry.changes.access import Exposed
from docferry.changes.detection import Unchanged
from docferry.changes.quarantine import Failing
from docferry.model import Change, Document, Skipped
from docferry.sources import Source
from docferry.state import lines
from docferry_cli.targets import Opened
from docferry_cli.why.answer import Due, Next
from docferry_cli.why.looking import Seen


def due(
    opened: Opened,
    source: Source | None,
    id_: str,
    seen: Seen,
    *,
    held: Document | None,
    placed: Iterable[bytes],
    failing: Failing | None,
) -> Next:
    """What the next sync does. ``placed`` are lines of the manifest whose documents are at the same place."""
    entry = seen.listed
    if source is None or (entry is None and not seen.whole):
        return Next(due="unknown")
    if isinstance(entry, Skipped) and entry.incomplete:
        return Next(due="keep" if held else "skip", why=(entry.skipped,))
    connector = opened.connector
    listing = [lines.encode(entry)] if entry is not None and entry.id == id_ else []
    manifest = [lines.encode(held)] if held is not None else []
    uncertain = {entry.locator} if isinstance(entry, Skipped) and entry.locator is not None else set[str]()
    renamed: frozenset[str] = frozenset()
    if connector.access != "public" and held is None:
        known = list(placed)
        renamed = access.renamed(lambda: known, listing, connector.name, frozenset())
    events = detection.detect(manifest, listing, uncertain)
    if "tells_changes" in source.abilities:
        events = detection.without_absences(events)
    guarded = access.guard(events, connector.access, approved=frozenset(), renamed=renamed)
    happens = list(quarantine.quarantine(guarded, iter([failing] if failing is not None else [])))
    return _next(opened, source, happens, entry if isinstance(entry, Skipped) else None)


def _next(
    opened: Opened,
    source: Source,
    happens: list[Change | Skipped | Unchanged | Exposed | Failing],
    skipped: Skipped | None,
) -> Next:
    kinds: dict[str, Due] = {"added": "add", "modified": "modify"}
    for event in happens:
        match event:
            case Change(kind="deleted"):
                return Next(due="delete", why=tuple(_withholding(opened, source, event.document)))
            case Change():
                return Next(due=kinds[event.kind], why=event.why)
            case Exposed():
                return Next(due="hold back", why=("it had access control, and has none now",))
            case Failing():
                return Next(due="quarantine", why=(event.reason,))
            case _:
                pass
    if skipped is not None:
        kept = any(isinstance(event, Unchanged) for event in happens)
        return Next(due="keep" if kept else "skip", why=(skipped.skipped,))
    return Next(due="nothing")


def _withholding(opened: Opened, source: Source, document: Document) -> Iterable[str]:
    """What speaks for it that the delete waits for approval. How many others are deleted only a crawl can tell."""
    changed = scope.changed(opened.store, scope.of(opened.connector.source, source.presentation))
    if changed and document.origin == "source":
        yield f"the settings of the source have changed ({', '.join(changed)}), so it may wait for approval"
