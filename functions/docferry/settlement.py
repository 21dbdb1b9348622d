"""Settlement: bring the manifest in line with what a run has told the index."""

from collections.abc import Callable, Iterator

from msgspec import Struct, structs

from docferry import failures, manifest, outcomes, sync_job
from docferry.changes import Outcome
from docferry.errors import ChangeSetInvalid, ManifestInvalid
from docferry.indexes import ENDED, SyncJob
from docferry.runs import BATCHES, FAILED, Shard, change_set, shards
from docferry.store import MANIFEST, Store, manifest_key, run_key
from docferry.verify import verified
from docferry.wiring import Wired


class Settled(Struct, frozen=True, kw_only=True):
    """What a run has done to the index, in documents. ``missing`` are the shards that left no result."""

    added: int = 0
    modified: int = 0
    deleted: int = 0
    failed: int = 0
    missing: tuple[str, ...] = ()


def settle(wired: Wired, run: str, job: SyncJob | None, *, late: bool = False) -> Settled:
    """Commit a run's outcomes, as far as the state of its job lets them be believed. May be repeated.

    Without a job nothing was sent. A job that ended well is believed; of one that ended otherwise, or counted
    failures, each document is looked up; of one that has not ended every document is doubtful. When it is ``late``,
    as the next run's account of this one is, and the manifest was moved since, every document is doubtful, too: nobody
    knows any more which run sent it last. Raises ManifestInvalid and ChangeSetInvalid.
    """
    store = wired.store
    record = sync_job.of_run(store, run)
    if (record is None or record.execution_id is None) and (job is None or late):
        sync_job.settle(store, run)
        return Settled()
    if late and _moved_on(wired, run):
        job = None
    parts = _shards(store, run)
    tally = _Tally()
    judged = outcomes.merged(
        _believed(wired, run, job, lambda: outcomes.recorded(store, parts, "put"), put=True),
        _believed(wired, run, job, lambda: outcomes.recorded(store, parts, "delete"), put=False),
    )
    with store.writing(run_key(run, FAILED)) as failed:
        counted = tally.counting(judged, failed.add)
        _commit(wired, run, counted, late=late)
        for _ in counted:  # what a repeated settlement has committed before is still counted
            pass
    failures.update(store, run)
    sync_job.settle(store, run)
    return tally.settled(outcomes.missing(store, parts))


def _shards(store: Store, run: str) -> list[Shard]:
    """The shards of a run. Raises ChangeSetInvalid when they are not as many documents as its crawl counted."""
    parts, counts = shards(store, run), change_set(store, run).counts
    if sum(shard.documents for shard in parts) != counts.added + counts.modified + counts.deleted:
        raise ChangeSetInvalid(
            f"{run_key(run, BATCHES)} is not what the crawl has written, or gone: restore its last version, or put "
            "everything again with `docferry rebuild`"
        )
    return parts


def _moved_on(wired: Wired, run: str) -> bool:
    """Whether the manifest is neither the one that the run began with nor its own. A rebuild begins with none."""
    crawled = change_set(wired.store, run)
    if crawled.rebuild:
        return False
    current = manifest.pointer(wired.store)
    now = current.value if current else None
    return now != crawled.manifest and (now is None or now.key != manifest_key(run))


def _commit(wired: Wired, run: str, judged: Iterator[Outcome], *, late: bool) -> None:
    store = wired.store
    crawled = change_set(store, run)
    try:
        current = manifest.pointer(store)
    except ManifestInvalid:
        if not crawled.rebuild:
            raise
        current = None
    if current is not None and current.value.key == manifest_key(run):
        return
    base = crawled.manifest
    if late and not crawled.rebuild:
        base = current.value if current else None
    elif (current.value if current else None) != base and not crawled.rebuild:
        raise ManifestInvalid("the manifest was moved since the crawl of this run; nothing was committed")
    # The ETag that was compared; a rebuild takes the place of a pointer that cannot be read, too.
    etag = current.etag if current is not None else store.etag(MANIFEST) if crawled.rebuild else None
    written = manifest.write(store, run, manifest.documents(store, base), judged)
    manifest.move(store, etag, written, base=current.value if current else None)


def _believed(
    wired: Wired, run: str, job: SyncJob | None, recorded: Callable[[], Iterator[Outcome]], *, put: bool
) -> Iterator[Outcome]:
    if job is None or job.status not in ENDED:
        return map(_doubted, recorded())
    clean = job.status == "SUCCEEDED" and job.metrics.failed == 0

    def asked(outcome: Outcome) -> bool:
        # A rejected delete may be of a document that is gone already.
        if outcome.kind == "deleted" and outcome.state == "rejected":
            return True
        return outcome.state == "acknowledged" and not clean

    if not any(map(asked, recorded())):
        return recorded()
    return verified(
        wired.store, run, wired.index, execution_id=job.execution_id if put else None, outcomes=recorded, asked=asked
    )


def _doubted(outcome: Outcome) -> Outcome:
    if outcome.state != "acknowledged":
        return outcome
    return structs.replace(outcome, state="doubtful", reason="sent, but the sync job was not seen to end")


class _Tally:
    """Counts outcomes as they stream by."""

    def __init__(self) -> None:
        self._counts = {"added": 0, "modified": 0, "deleted": 0, "failed": 0}

    def counting(self, judged: Iterator[Outcome], note: Callable[[Outcome], None]) -> Iterator[Outcome]:
        for outcome in judged:
            if outcome.state == "acknowledged":
                self._counts[outcome.kind] += 1
            else:
                self._counts["failed"] += 1
                note(outcome)
            yield outcome

    def settled(self, missing: list[str]) -> Settled:
        return Settled(**self._counts, missing=tuple(missing))
