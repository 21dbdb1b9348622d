"""Settlement: bring the manifest in line with what a run has told the index."""

from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct, structs

from docferry.changes import quarantine
from docferry.errors import ChangeSetInvalid, ManifestInvalid
from docferry.indexes import ENDED, SyncJob
from docferry.model import Outcome
from docferry.runtime.wiring import Wired
from docferry.settlement import outcomes
from docferry.settlement.verify import asks_for_all, verified
from docferry.state import manifest
from docferry.state.keys import BATCHES, CHANGES, FAILED, MANIFEST, run_key
from docferry.state.manifest import Pointer
from docferry.state.merge import align
from docferry.state.runs import Operation, Shard, change_set, shards
from docferry.state.store import Store
from docferry.sync_job import job as sync_job


class Settled(Struct, frozen=True, kw_only=True):
    """What a run has done to the index, in documents. ``missing`` are the shards that left no result."""

    added: int = 0
    modified: int = 0
    deleted: int = 0
    failed: int = 0
    missing: tuple[str, ...] = ()


def settle(wired: Wired, run: str, job: SyncJob | None, *, late: bool = False) -> Settled:
    """Write the run's outcomes to the manifest. May be repeated.

    Without a job nothing was sent. Job succeeded without failures: trust the outcomes; in a small run, look each
    document up. Job ended otherwise, or counted failures: look each document up. Job has not ended: every document is
    doubtful. ``late``: the next run settles this one. If the manifest has moved since, every document is doubtful,
    because the run that sent it last is not known. Raises ManifestInvalid and ChangeSetInvalid.
    """
    store = wired.store
    record = sync_job.of_run(store, run)
    if (record is None or record.execution_id is None) and (job is None or late):
        sync_job.settle(store, run)
        return Settled()
    if late and _manifest_changed_since(wired, run):
        job = None
    parts = _shards(store, run)
    tally = _Tally()
    judged = outcomes.merged(
        _judge(wired, run, job, lambda: outcomes.recorded(store, parts, "put"), deletes=False),
        _judge(wired, run, job, lambda: outcomes.recorded(store, parts, "delete"), deletes=True),
    )
    with store.writing(run_key(run, FAILED)) as failed:
        committed = _commit(wired, run, tally.counting(judged, failed.add), late=late)
    quarantine.update(store, run)
    sync_job.settle(store, run, failed=tally.late, committed=committed)
    return tally.settled(outcomes.missing(store, parts))


def look_again(wired: Wired) -> int:
    """Take back what the last job turns out to have failed after its run was committed. Returns how many documents.

    The metrics of a job may grow after it has SUCCEEDED. Where they count other failures than those that the manifest
    accounts for, each document of the run is looked up; those that failed become doubtful. May be repeated. Raises
    ManifestInvalid and ChangeSetInvalid.
    """
    store = wired.store
    record = sync_job.read(store)
    if record is None or record.state != "settled" or record.execution_id is None:
        return 0
    job = sync_job.find(wired.index, record.execution_id)
    if job is None or job.status not in ENDED or job.metrics.failed == record.failed:
        return 0
    run, failing = record.run, 0
    committed = None
    if store.exists(run_key(run, CHANGES)):
        found = list(_failed_since(wired, run, job))
        failing = len(found)
        if found:
            committed = _take_back(store, run, job, found, record.committed)
    sync_job.note(store, run, failed=job.metrics.failed, committed=committed)
    return failing


def _failed_since(wired: Wired, run: str, job: SyncJob) -> Iterator[Outcome]:
    """The documents of a committed run that the index acknowledged and turns out not to hold, sorted by id."""
    store = wired.store
    parts = shards(store, run)
    known = {outcome.id for outcome in quarantine.of_run(store, run)}

    def acknowledged(outcome: Outcome) -> bool:
        return outcome.state == "acknowledged" and outcome.id not in known

    def looked_up(operation: Operation) -> Iterator[Outcome]:
        return verified(
            store,
            run,
            wired.index,
            job,
            deletes=operation == "delete",
            outcomes=lambda: outcomes.recorded(store, parts, operation),
            asked=acknowledged,
        )

    for outcome in outcomes.merged(looked_up("put"), looked_up("delete")):
        if outcome.state != "acknowledged" and outcome.id not in known:
            yield structs.replace(outcome, state="doubtful")


def _take_back(store: Store, run: str, job: SyncJob, found: list[Outcome], last: Pointer | None) -> Pointer:
    """Commit a manifest in which these documents are doubtful, and count them as failures of the run.

    The manifest comes first: once the run knows of the failures, nobody looks for them again. May be repeated.
    """
    current = manifest.pointer(store)
    moved = current.value if current else None
    name = f"{run}-{job.metrics.failed}-failed"
    if moved is None or not manifest.is_of(store, moved, name):
        written = manifest.write(store, name, manifest.documents(store, moved), found)
        generation = last.generation if last else 0
        moved = manifest.move(store, current.etag if current else None, written, base=moved, generation=generation)
    before = list(quarantine.of_run(store, run))
    with store.writing(run_key(run, FAILED)) as failed:
        for known, new in align(before, found, lambda one: one.id, lambda one: one.id):
            failed.add(new or known)
    quarantine.update(store, run, unseen=frozenset(outcome.id for outcome in found))
    return moved


def _shards(store: Store, run: str) -> list[Shard]:
    """The shards of a run. Raises ChangeSetInvalid when they are not as many documents as its crawl counted."""
    parts, counts = shards(store, run), change_set(store, run).counts
    if sum(shard.documents for shard in parts) != counts.added + counts.modified + counts.deleted:
        raise ChangeSetInvalid(
            f"{run_key(run, BATCHES)} is not what the crawl has written, or gone: restore its last version, or put "
            "everything again with `docferry rebuild`"
        )
    return parts


def _manifest_changed_since(wired: Wired, run: str) -> bool:
    """Whether the manifest is neither the one that the run began with nor its own. A rebuild begins with none."""
    store = wired.store
    crawled = change_set(store, run)
    if crawled.rebuild:
        return False
    current = manifest.pointer(store)
    now = current.value if current else None
    return now != crawled.manifest and not manifest.is_of(store, now, run)


def _commit(wired: Wired, run: str, judged: Iterator[Outcome], *, late: bool) -> Pointer:
    store = wired.store
    crawled = change_set(store, run)
    try:
        current = manifest.pointer(store)
    except ManifestInvalid:
        if not crawled.rebuild:
            raise
        current = None
    if current is not None and manifest.is_of(store, current.value, run):
        # Settled before, by an invocation that died after it: the outcomes are in the manifest, and only counted.
        deque(judged, maxlen=0)
        return current.value
    base = crawled.manifest
    if late and not crawled.rebuild:
        base = current.value if current else None
    elif (current.value if current else None) != base and not crawled.rebuild:
        raise ManifestInvalid("the manifest was moved since the crawl of this run; nothing was committed")
    # The ETag that was compared; a rebuild replaces a pointer that cannot be read, too.
    etag = current.etag if current is not None else store.etag(store.held(MANIFEST)) if crawled.rebuild else None
    written = manifest.write(store, run, manifest.documents(store, base), judged)
    record = sync_job.read(store)
    generation = record.committed.generation if record and record.committed else 0
    return manifest.move(store, etag, written, base=current.value if current else None, generation=generation)


def _judge(
    wired: Wired, run: str, job: SyncJob | None, recorded: Callable[[], Iterator[Outcome]], *, deletes: bool
) -> Iterator[Outcome]:
    if job is None or job.status not in ENDED:
        return map(_doubted, recorded())
    crawled = change_set(wired.store, run)
    held = crawled.manifest.documents if crawled.manifest else 0
    sent = crawled.counts.added + crawled.counts.modified + crawled.counts.deleted
    clean = job.status == "SUCCEEDED" and job.metrics.failed == 0
    # A delete that a clean job has taken is asked for only where nothing is believed unseen: it may take an hour. A job
    # of the adapter's own has waited for it, and has nobody else's word.
    every_put = not clean or asks_for_all(wired.index, sent=sent, held=held + crawled.counts.added)
    every_delete = not clean or wired.index.verify == "all" or (every_put and not wired.index.service.has_jobs)

    def asked(outcome: Outcome) -> bool:
        if outcome.kind != "deleted":
            return outcome.state == "acknowledged" and every_put
        # A rejected delete may be of a document that is gone already.
        return outcome.state == "rejected" or (outcome.state == "acknowledged" and every_delete)

    if not any(map(asked, recorded())):
        return recorded()
    return verified(wired.store, run, wired.index, job, deletes=deletes, outcomes=recorded, asked=asked)


def _doubted(outcome: Outcome) -> Outcome:
    if outcome.state != "acknowledged":
        return outcome
    return structs.replace(outcome, state="doubtful", reason="sent, but the sync job was not seen to end")


class _Tally:
    """Counts outcomes as they stream by. ``late`` are those that the index says failed, after it had accepted them."""

    def __init__(self) -> None:
        self._counts = {"added": 0, "modified": 0, "deleted": 0, "failed": 0}
        self.late = 0

    def counting(self, judged: Iterator[Outcome], note: Callable[[Outcome], None]) -> Iterator[Outcome]:
        for outcome in judged:
            self.late += outcome.late
            if outcome.state == "acknowledged":
                self._counts[outcome.kind] += 1
            else:
                self._counts["failed"] += 1
                note(outcome)
            yield outcome

    def settled(self, missing: list[str]) -> Settled:
        return Settled(**self._counts, missing=tuple(missing))
