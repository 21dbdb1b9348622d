"""The change set of a crawl whose listing is whole: compared, guarded, and written in shards."""

from collections.abc import Container, Iterable, Iterator

from msgspec import Struct, structs

from docferry.changes import access, approvals, detection, drift, guard, plans, quarantine, scope
from docferry.changes.access import Exposed
from docferry.changes.attributes import Attributes
from docferry.changes.detection import Unchanged
from docferry.changes.guard import Findings
from docferry.changes.quarantine import Failing
from docferry.crawl import listing
from docferry.delivery.carried import Spans
from docferry.delivery.shards import ShardWriter
from docferry.model import Change, Skipped
from docferry.runtime.wiring import Wired
from docferry.state import lines, manifest, sorting
from docferry.state.keys import (
    BATCHES,
    CHANGES,
    DATA_SOURCES,
    DELETES,
    EXPOSED,
    MANIFEST,
    QUARANTINED,
    SKIPPED,
    WITHHELD,
    run_key,
)
from docferry.state.manifest import Pointer
from docferry.state.merge import Ascending
from docferry.state.runs import ChangeSet, Checkpoint, Counts, Input
from docferry.state.store import Store
from docferry.state.stream import Stream
from docferry.sync_job import job as sync_job
from docferry.workflow import looking
from docferry.workflow.fields import check_fields


class Task(Struct, frozen=True, kw_only=True):
    """What a run is to do.

    ``input`` is the execution's, or, when the run applies a plan, that of the plan; ``plan`` is its run. ``strangers``
    counts sync jobs that this connector did not start, ``failed`` the documents of the last run that failed after it
    had ended. ``notes`` are for the report.
    """

    input: Input
    plan: str | None = None
    strangers: int = 0
    failed: int = 0
    notes: tuple[str, ...] = ()


def write_change_set(wired: Wired, run: str, checkpoint: Checkpoint, task: Task) -> Counts:
    """Compare the listing with the manifest, and write the shards, ``batches.json`` and ``changes.json``.

    Raises ManifestInvalid, ApprovalRefused, PlanMoved, and ConfigurationError for attributes that the index does not
    take; then nothing is sent.
    """
    store, wanted = wired.store, task.input
    base = base_manifest(store, wanted)
    if task.plan is not None:
        plans.check_manifest(store, task.plan, base)
    puts = ShardWriter(store, run, "put", exact=task.plan is not None)
    gone = ShardWriter(store, run, "delete", exact=task.plan is not None)
    with (
        store.writing(run_key(run, DELETES)) as deletes,
        store.writing(run_key(run, SKIPPED)) as skipped,
        store.writing(run_key(run, EXPOSED)) as exposed,
        store.writing(run_key(run, QUARANTINED)) as quarantined,
    ):
        sorter = Sorter(puts, deletes=deletes, skipped=skipped, exposed=exposed, quarantined=quarantined)
        events = guarded(wired, run, checkpoint, base, wanted)
        spans = Spans(sorting.merge(store, checkpoint.contents))
        tally = sorter.sort(events, Ascending(approvals.exposed(store, wanted.approve)), spans)
    wrong = tuple(check_fields(wired, sorter.attributes, sends=wanted.sends))
    now = scope.of(wired.settings.connector.source, wired.source.presentation)
    found = findings(wired, checkpoint, task, sorter, base, scope.changed(store, now))
    tally, because = withhold(wired, run, found, tally, gone, rebuild=wanted.compares == "rebuild")
    shards = puts.close() + gone.close()
    if task.plan is not None:
        plans.check_changes(store, task.plan, shards)
    if wanted.approve is not None and wanted.sends:
        approvals.use(store, wanted.approve, by=run)
    store.write(run_key(run, BATCHES), shards)
    change_set = ChangeSet(
        counts=tally,
        manifest=base,
        withheld_because=because,
        rebuild=wanted.compares == "rebuild",
        sends=wanted.sends,
        input=wanted,
        scope=None if found.changed and tally.withheld else now,
        settings=scope.settings(wired.settings.connector),
        keys=checkpoint.looked.keys if checkpoint.looked else None,
        notes=(*task.notes, *wrong, *remarks(store, found, tally, base)),
    )
    store.write(run_key(run, CHANGES), change_set)
    return tally


def base_manifest(store: Store, wanted: Input) -> Pointer | None:
    """The manifest that the listing is compared with.

    A rebuild takes the newest one that can be read, so that nothing is forgotten that is known, and does without where
    none can. Raises ManifestInvalid.
    """
    record = sync_job.read(store)
    committed = record.committed if record else None
    if wanted.compares == "rebuild":
        return manifest.newest_readable(store, committed)
    current = manifest.pointer(store)
    pointer = current.value if current else None
    manifest.check_last(store, pointer, committed)
    return pointer


def guarded(
    wired: Wired, run: str, checkpoint: Checkpoint, base: Pointer | None, wanted: Input
) -> Iterator[Change | Skipped | Unchanged | Exposed | Failing]:
    """The changes to the index, without those that the access guard and the quarantine hold back."""
    store, connector = wired.store, wired.settings.connector

    def listed() -> Iterator[bytes]:
        return listing.unique(sorting.merge(store, checkpoint.chunks))

    def approved() -> Ascending:
        return Ascending(approvals.exposed(store, wanted.approve))

    renamed: frozenset[str] = frozenset()
    if connector.access != "public":
        renamed = access.renamed(lambda: known(store, checkpoint, base), listed(), connector.name, approved())
    held = manifest_for_mode(wired, run, wanted, checkpoint, base)
    events = detection.detect(held, listed(), checkpoint.uncertain | renamed)
    if "tells_changes" in wired.source.abilities:
        events = detection.without_absences(events)
    allowed = access.guard(events, connector.access, approved=approved(), renamed=renamed)
    return quarantine.quarantine(allowed, quarantine.read(store))


def known(store: Store, checkpoint: Checkpoint, base: Pointer | None) -> Iterator[bytes]:
    """The manifest; in a run that has looked at some keys only, what of it they concern. Raises ManifestInvalid."""
    return looking.held(store, checkpoint.looked) if checkpoint.looked else manifest.documents(store, base)


def manifest_for_mode(
    wired: Wired, run: str, wanted: Input, checkpoint: Checkpoint, base: Pointer | None
) -> Iterator[bytes]:
    """What the index is taken to hold: the manifest, seen through the mode of the run."""
    store = wired.store
    match wanted.compares:
        case "full" | "rebuild":
            return drift.mark_doubtful(manifest.documents(store, base))
        case "reconcile":
            return drift.reconcile(
                store,
                run,
                wired.index,
                wired.settings.connector.name,
                manifest=manifest.documents(store, base),
                ids=map(lines.line_id, manifest.documents(store, base)),
            )
        case _:
            return known(store, checkpoint, base)


class Sorter:
    """Writes each change where it belongs, and counts them all.

    ``of_source`` counts the deletes of documents that came from the source, ``strays`` those of documents that nobody
    knew in the index. ``attributes`` are those of the documents to be put.
    """

    def __init__(
        self, puts: ShardWriter, *, deletes: Stream, skipped: Stream, exposed: Stream, quarantined: Stream
    ) -> None:
        self._puts = puts
        self.deletes = deletes
        self._skipped = skipped
        self._exposed = exposed
        self._quarantined = quarantined
        self.of_source = 0
        self.strays = 0
        self.attributes = Attributes()

    def sort(
        self, events: Iterable[Change | Skipped | Unchanged | Exposed | Failing], approved: Container[str], spans: Spans
    ) -> Counts:
        """Write and count.

        ``approved`` are the documents whose exposure a person approved, and ``spans`` say where the content is that
        the listing has carried; both are asked for in order.
        """
        counts = {"added": 0, "modified": 0, "unchanged": 0, "approved": 0}
        for event in events:
            match event:
                case Unchanged():
                    counts["unchanged"] += 1
                case Skipped():
                    self._skipped.add(event)
                case Exposed():
                    self._exposed.add(event)
                case Failing():
                    self._quarantined.add(event)
                case Change(kind="deleted"):
                    self.deletes.add(event)
                    self.of_source += event.document.origin == "source"
                    self.strays += not event.document.locator
                case Change():
                    counts[event.kind] += 1
                    self.attributes.add(event.document)
                    counts["approved"] += event.id in approved
                    self._puts.add(event, spans.of(event.document))
        return Counts(
            **counts,
            deleted=self.deletes.count,
            skipped=self._skipped.count,
            exposed=self._exposed.count,
            quarantined=self._quarantined.count,
        )


def findings(
    wired: Wired, checkpoint: Checkpoint, task: Task, sorter: Sorter, base: Pointer | None, changed: tuple[str, ...]
) -> Findings:
    """What speaks for or against the deletes of the crawl."""
    record = sync_job.read(wired.store)
    others = task.strangers + (record.foreign if record else 0)
    return Findings(
        deletes=sorter.deletes.count,
        of_source=sorter.of_source,
        manifest=base.documents if base else 0,
        incomplete=checkpoint.incomplete,
        empty=not checkpoint.documents and checkpoint.looked is None,
        changed=changed,
        approval=task.input.approve,
        strangers=sorter.strays if others else 0,
    )


def withhold(
    wired: Wired, run: str, found: Findings, tally: Counts, gone: ShardWriter, *, rebuild: bool
) -> tuple[Counts, str]:
    """Divide the deletes into those that are sent and those that are withheld; give the counts, and why.

    A rebuild leaves them all to the next sync.
    """
    store, connector = wired.store, wired.settings.connector
    verdict = guard.judge(
        connector.deletes,
        found,
        approved=Ascending(approvals.deletes(store, found.approval)),
        command=f"docferry approve {run} --connector {connector.name}",
    )
    sent = 0
    with store.writing(run_key(run, WITHHELD)) as withheld:
        for line in store.lines(run_key(run, DELETES)) if not rebuild else ():
            if verdict is not None and verdict.withholds(lines.decode(line, Change)):
                withheld.add_line(line)
            else:
                gone.add_line(line)
                sent += 1
    left = tally.deleted if rebuild else 0
    tally = structs.replace(
        tally,
        deleted=sent,
        withheld=withheld.count,
        unchanged=tally.unchanged + left,
        approved=tally.approved + (sent if found.approval is not None else 0),
    )
    return tally, verdict.because if verdict is not None and withheld.count else ""


def remarks(store: Store, found: Findings, tally: Counts, base: Pointer | None) -> Iterator[str]:
    """What a person should know beside the counts."""
    if found.changed:
        yield f"the settings of the source have changed: {', '.join(found.changed)}"
    if base is None and is_new_index(store):
        yield f"new index: {tally.added + tally.modified:,} documents to put"


def is_new_index(store: Store) -> bool:
    """Whether the connector was used with another data source before."""
    others = (key for key in store.keys(DATA_SOURCES) if not key.startswith(store.held("")))
    return next(others, None) is not None or store.exists(MANIFEST)
