"""Settlement: bring the manifest in line with what a run has told the index.

It is made in steps, and another invocation goes on where one ended.
"""

from collections.abc import Sequence

from msgspec import Struct, structs

from docferry.changes import quarantine
from docferry.errors import ChangeSetInvalid, ManifestInvalid
from docferry.indexes import SyncJob
from docferry.runtime.wiring import Wired
from docferry.settlement import settling
from docferry.settlement.outcomes import Left, missing
from docferry.settlement.settling import Remaining, Settling, Tally
from docferry.settlement.statuses import SMALL_RUN, Statuses
from docferry.settlement.steps import Steps
from docferry.settlement.verify import Doubting, Judge, Trusting, has_ended
from docferry.state import manifest
from docferry.state.keys import BATCHES, FAILED, MANIFEST, run_key
from docferry.state.manifest import Pointer
from docferry.state.objects import Record
from docferry.state.parts import Part
from docferry.state.runs import ChangeSet, Shard, change_set, shards
from docferry.state.store import Store
from docferry.sync_job import job as sync_job


class Settled(Struct, frozen=True, kw_only=True):
    """What a run has done to the index, in documents. ``missing`` are the shards that left no result."""

    added: int = 0
    modified: int = 0
    deleted: int = 0
    failed: int = 0
    missing: tuple[str, ...] = ()


def settle(wired: Wired, run: str, job: SyncJob | None, remaining: Remaining, *, late: bool = False) -> Settled:
    """Write the run's outcomes to the manifest. May be repeated: what was decided before stays decided.

    Without a job nothing was sent. Job succeeded without failures: trust the outcomes; in a small run, look each
    document up. Job ended otherwise, or counted failures: look each document up. Job has not ended: every document is
    doubtful. ``late``: the next run settles this one. If the manifest has moved since, every document is doubtful,
    because the run that sent it last is not known. Raises ManifestInvalid and ChangeSetInvalid, and Unfinished when
    time runs short.
    """
    store = wired.store
    record = sync_job.read(store)
    ours = record is not None and record.run == run and record.execution_id is not None
    if not ours and (job is None or late):
        sync_job.settle(store, run)
        return Settled()
    crawled = change_set(store, run)
    sent = _shards(store, run, crawled)
    current = _pointer(store, rebuild=crawled.rebuild)
    moved = current is not None and manifest.is_of(store, current.value, run)
    key = settling.key(run)
    state = settling.read(store, key)
    if state is None or not (moved or crawled.rebuild or state.base == _value(current)):
        state = _begun(store, run, crawled, current, sent, job, late=late)
    if not state.done:
        state, old = with_parts(store, run, state, only_counts=moved)
        with Left(store, sent, frozenset(state.missing), state.after, state.reached) as left:
            judge = _judge(wired, run, crawled, state, remaining)
            state = Steps(store, run, run, state, old, left, judge).go_on(key, remaining)
    last = record.committed if record else None
    committed = commit(store, run, state, current, last, rebuild=crawled.rebuild)
    if state.failed:
        store.write_parts(run_key(run, FAILED), state.failed)
    quarantine.update(store, run)
    sync_job.settle(store, run, failed=state.tally.late, committed=committed)
    return _settled(state.tally, state.missing)


def with_parts(store: Store, name: str, state: Settling, *, only_counts: bool) -> tuple[Settling, Sequence[Part]]:
    """The parts of the manifest that a settlement changes to the one of this ``name``.

    A manifest that is one object is split, once. ``only_counts``: nothing is changed. Raises ManifestInvalid.
    """
    state = structs.replace(state, only_counts=only_counts)
    if only_counts or state.split is not None:
        return state, state.split or ()
    parts = manifest.parts(store, state.base)
    if parts is None and state.base is not None:
        parts = manifest.split(store, name, state.base)
        state = structs.replace(state, split=parts)
    return state, parts or ()


def commit(
    store: Store,
    name: str,
    state: Settling,
    current: Record[Pointer] | None,
    last: Pointer | None,
    *,
    rebuild: bool = False,
) -> Pointer:
    """Move the pointer to the manifest that the steps have written. May be repeated.

    Raises ManifestInvalid when another run has moved it since. ``last`` is the manifest that was committed last, as
    far as it was recorded. A ``rebuild`` replaces a pointer that cannot be read, too.
    """
    if current is not None and manifest.is_of(store, current.value, name):
        if state.base is not None and current.value.before == state.base.key:
            manifest.sweep(store, current.value, state.base)
        return current.value
    etag = current.etag if current is not None else store.etag(store.held(MANIFEST)) if rebuild else None
    written = manifest.write_list(store, name, state.parts)
    return manifest.move(store, etag, written, base=_value(current), generation=last.generation if last else 0)


def _shards(store: Store, run: str, crawled: ChangeSet) -> list[Shard]:
    """The shards of a run. Raises ChangeSetInvalid when they are not as many documents as its crawl counted."""
    parts = shards(store, run)
    if sum(shard.documents for shard in parts) != _sent(crawled):
        raise ChangeSetInvalid(
            f"{run_key(run, BATCHES)} is not what the crawl has written, or gone: restore its last version, or put "
            "everything again with `docferry rebuild`"
        )
    return parts


def _begun(
    store: Store,
    run: str,
    crawled: ChangeSet,
    current: Record[Pointer] | None,
    sent: list[Shard],
    job: SyncJob | None,
    *,
    late: bool,
) -> Settling:
    """A settlement before its first step. Raises ManifestInvalid when the manifest is another than before the run."""
    now, base = _value(current), crawled.manifest
    if not crawled.rebuild and now != base and not manifest.is_of(store, now, run):
        if not late:
            raise ManifestInvalid("the manifest was moved since the crawl of this run; nothing was committed")
        job, base = None, now
    return Settling(base=base, job=job, missing=tuple(missing(store, run, sent)))


def _judge(wired: Wired, run: str, crawled: ChangeSet, state: Settling, remaining: Remaining) -> Judge:
    job = state.job
    if job is None or not has_ended(job):
        return Doubting()
    sent = _sent(crawled)
    held = crawled.manifest.documents if crawled.manifest else 0
    statuses = Statuses(wired, run, job, remaining, state, small=sent <= SMALL_RUN)
    return Trusting(wired.index, job, statuses, sent=sent, held=held + crawled.counts.added)


def _sent(crawled: ChangeSet) -> int:
    return crawled.counts.added + crawled.counts.modified + crawled.counts.deleted


def _pointer(store: Store, *, rebuild: bool) -> Record[Pointer] | None:
    """The pointer now; None for a rebuild that finds one that nobody can read. Raises ManifestInvalid."""
    try:
        return manifest.pointer(store)
    except ManifestInvalid:
        if not rebuild:
            raise
        return None


def _value(current: Record[Pointer] | None) -> Pointer | None:
    return current.value if current is not None else None


def _settled(tally: Tally, missing: tuple[str, ...]) -> Settled:
    counts = {name: getattr(tally, name) for name in ("added", "modified", "deleted", "failed")}
    return Settled(**counts, missing=missing)
