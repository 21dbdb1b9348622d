"""The change set of a crawl whose listing is whole: compared, guarded, and written in shards."""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct, structs

from docferry import changes, drift, failures, lines, listing, manifest, sorting
from docferry.changes import Change, Unchanged
from docferry.failures import Failing
from docferry.guard import reason_to_withhold
from docferry.manifest import Pointer
from docferry.model import Skipped
from docferry.runs import BATCHES, CHANGES, DELETES, QUARANTINED, SKIPPED, ChangeSet, Checkpoint, Counts
from docferry.shards import ShardWriter
from docferry.store import Stream, run_key
from docferry.wiring import Wired


class Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The input of an execution, all of it optional.

    ``sync`` sends what has changed; ``full`` everything; ``reconcile`` also what the index turns out not to hold, and
    deletes what it should not; ``rebuild`` starts a manifest anew, and deletes nothing; ``plan`` is ``sync`` with
    ``dry_run``. ``dry_run`` stops before the sync job. ``approve_deletes`` is how many deletes the guard lets pass.
    """

    mode: Literal["sync", "full", "reconcile", "rebuild", "plan"] = "sync"
    dry_run: bool = False
    approve_deletes: int = 0

    @property
    def sends(self) -> bool:
        """Whether the index is to be changed at all."""
        return not self.dry_run and self.mode != "plan"


def write_change_set(wired: Wired, run: str, checkpoint: Checkpoint, asked: Input) -> Counts:
    """Compare the listing with the manifest, and write the shards, ``batches.json`` and ``changes.json``."""
    store = wired.store
    current = manifest.pointer(store) if asked.mode != "rebuild" else None
    pointer = current.value if current else None
    events = failures.quarantine(
        changes.detect(
            known(wired, run, asked, pointer),
            listing.unique(sorting.merge(store, checkpoint.chunks)),
            checkpoint.uncertain,
        ),
        failures.read(store),
    )
    puts = ShardWriter(store, run, "put")
    with (
        store.writing(run_key(run, DELETES)) as deletes,
        store.writing(run_key(run, SKIPPED)) as skipped,
        store.writing(run_key(run, QUARANTINED)) as quarantined,
    ):
        tally = sort_out(events, puts, deletes=deletes, skipped=skipped, quarantined=quarantined)
    withheld_because = reason_to_withhold(
        wired.settings.connector.deletes,
        deletes=tally.deleted,
        manifest=pointer.documents if pointer else 0,
        approved=asked.approve_deletes,
        incomplete=checkpoint.incomplete,
    )
    shards = puts.close()
    if withheld_because:
        tally = structs.replace(tally, deleted=0, withheld=tally.deleted)
    else:
        gone = ShardWriter(store, run, "delete")
        for line in store.lines(run_key(run, DELETES)):
            gone.add_line(line)
        shards += gone.close()
    store.write(run_key(run, BATCHES), shards)
    change_set = ChangeSet(
        counts=tally,
        manifest=pointer,
        withheld_because=withheld_because,
        rebuild=asked.mode == "rebuild",
        sends=asked.sends,
    )
    store.write(run_key(run, CHANGES), change_set)
    return tally


def known(wired: Wired, run: str, asked: Input, pointer: Pointer | None) -> Iterator[bytes]:
    """What the index is taken to hold: the manifest, seen through the mode of the run."""
    match asked.mode:
        case "full":
            return drift.doubted(manifest.documents(wired.store, pointer))
        case "reconcile":
            return drift.corrected(
                wired.store,
                run,
                wired.index,
                wired.settings.connector.name,
                manifest=manifest.documents(wired.store, pointer),
                ids=map(lines.line_id, manifest.documents(wired.store, pointer)),
            )
        case _:
            return manifest.documents(wired.store, pointer)


def sort_out(
    events: Iterable[Change | Skipped | Unchanged | Failing],
    puts: ShardWriter,
    *,
    deletes: Stream,
    skipped: Stream,
    quarantined: Stream,
) -> Counts:
    """Write each change where it belongs, and count them all."""
    added = modified = unchanged = 0
    for event in events:
        match event:
            case Unchanged():
                unchanged += 1
            case Skipped():
                skipped.add(event)
            case Failing():
                quarantined.add(event)
            case Change(kind="deleted"):
                deletes.add(event)
            case Change():
                added += event.kind == "added"
                modified += event.kind == "modified"
                puts.add(event)
    return Counts(
        added=added,
        modified=modified,
        deleted=deletes.count,
        unchanged=unchanged,
        skipped=skipped.count,
        quarantined=quarantined.count,
    )
