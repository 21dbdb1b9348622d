"""The sync job of a connector: opened by one run, recorded before the first put, always stopped.

The service names no run, and Stop names no job: so a job is stopped only when this connector has recorded it.
https://docs.aws.amazon.com/kendra/latest/APIReference/API_StartDataSourceSyncJob.html

The list of jobs may lag behind Start and Stop by a moment, as lists of AWS services may. What it does not show yet
proves nothing: a job whose execution id is known is stopped all the same, and after a start whose reply was lost
nothing is started until the list has been looked at often enough.
"""

from datetime import datetime
from itertools import islice
from typing import Literal

from msgspec import Struct, structs

from docferry.errors import (
    Conflict,
    DocferryError,
    LeaseLost,
    RequestRefused,
    ResourceNotFound,
    ServiceUnavailable,
    SyncJobBusy,
)
from docferry.indexes import ENDED, Index, SyncJob
from docferry.state.keys import SYNC_JOB
from docferry.state.manifest import Pointer
from docferry.state.objects import Moved
from docferry.state.store import Store

LOOKS = 6
"""How often a start whose reply was lost is looked for. The state machine waits 6 minutes in between."""
RECENT = 50
"""How many of the newest jobs are looked through. One that is not among them has ended long ago."""
REMEMBERED = 20
OPEN = frozenset({"SYNCING", "STOPPING"})


class Seen(Struct, frozen=True):
    """The newest job that was accounted for, and when the service says that it began."""

    execution_id: str
    started_at: datetime


class SyncJobRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last job of the connector on a data source (``sync_job.json``), and what is known of those before it.

    ``starting``: Start is about to be called; ``previous`` was the newest job before, and ``looks`` counts how often
    the job was looked for since. ``open``: Start gave ``execution_id``. ``settled``: the manifest accounts for
    everything that was sent in it; ``failed`` is how many failures of the job it accounts for.

    ``committed`` is the manifest that was committed last. ``ours`` are the last jobs of this connector; ``seen`` is the
    newest one that a report accounts for, whoever started it, and ``foreign`` how many of all were not ours.
    """

    run: str
    state: Literal["starting", "open", "settled"]
    previous: str | None = None
    execution_id: str | None = None
    looks: int = 0
    failed: int = 0
    committed: Pointer | None = None
    ours: tuple[str, ...] = ()
    seen: Seen | None = None
    foreign: int = 0


def read(store: Store) -> SyncJobRecord | None:
    """The record of the last job."""
    record = store.read(store.held(SYNC_JOB), SyncJobRecord)
    return record.value if record else None


def of_run(store: Store, run: str) -> SyncJobRecord | None:
    """The record of this run's job, or None when the run has recorded none."""
    record = read(store)
    return record if record is not None and record.run == run else None


def start(store: Store, index: Index, run: str) -> str:
    """Open a job for a run, or find the one that the run has opened already. Returns the execution id.

    Raises SyncJobBusy while another job of the data source has not ended, or may be open without being listed, and
    LeaseLost when another run has recorded its job in between.
    """
    left = read(store)
    if left is not None and left.run == run and left.state == "open" and left.execution_id is not None:
        return left.execution_id
    newest = next(index.jobs(), None)
    if left is not None and left.state == "starting":
        left = _look_for(store, left, newest)
        if left.execution_id is not None and left.run == run:
            return left.execution_id
        if left.execution_id is not None:
            stop(store, index, left.run)
            raise SyncJobBusy(f"sync job {left.execution_id}, which run {left.run} has lost sight of, is being stopped")
    if newest is not None and newest.status not in ENDED:
        raise SyncJobBusy(f"sync job {newest.execution_id} of the data source is {newest.status}")
    record = _next(left, run=run, previous=newest.execution_id if newest else None)
    _swap(store, left, record)
    return _call(store, index, record, lost=left is not None and left.state == "starting")


def _call(store: Store, index: Index, record: SyncJobRecord, *, lost: bool) -> str:
    """Call Start, and record what came of it. ``lost``: a start before it may have opened a job that is not listed."""
    try:
        execution_id = index.start()
    except Conflict as error:
        # Start says that it opened nothing: whatever runs now is not ours, unless it is the lost one.
        if not lost:
            _swap(store, record, _ended(record))
        raise SyncJobBusy(f"the data source does not take a new sync job: {error}") from error
    except ServiceUnavailable:
        # The job may be open, its id lost with the reply.
        found = _look_for(store, record, next(index.jobs(), None))
        assert found.execution_id is not None, "or it raises"
        return found.execution_id
    except DocferryError:
        if not lost:
            _swap(store, record, _ended(record))
        raise
    ours = _opened(record, execution_id)
    try:
        _swap(store, record, ours)
    except LeaseLost:
        # As long as this job is open it is the only one, and has to be known; when it is not, another run has ended it.
        if _status(index, execution_id) != "SYNCING":
            raise
        store.write(store.held(SYNC_JOB), ours)
    return execution_id


def stop(store: Store, index: Index, run: str) -> SyncJobRecord | None:
    """Stop the job that the run has opened, unless the list of jobs shows that it has ended. May be repeated.

    Other jobs are left alone. Returns None when no job of the run is known.
    """
    record = of_run(store, run)
    if record is None or record.state == "settled":
        return record
    if record.execution_id is None:
        record = _found(store, record, next(index.jobs(), None))
        if record.execution_id is None:
            return None
    assert record.execution_id is not None
    if _may_be_open(index, record.execution_id):
        try:
            index.stop()
        except (Conflict, RequestRefused, ResourceNotFound):
            # The services differ in what they answer when no job is open; the list of jobs decides.
            if _status(index, record.execution_id) == "SYNCING":
                raise
    return record


def settle(store: Store, run: str, *, failed: int = 0, committed: Pointer | None = None) -> None:
    """Record that the manifest accounts for the run's job, and for how many of its failures.

    ``committed`` is that manifest. A job that is still looked for cannot be accounted for.
    """
    record = of_run(store, run)
    if record is not None and record.state == "open":
        settled = structs.replace(_ended(record), failed=failed, committed=committed or record.committed)
        _swap(store, record, settled)


def note(store: Store, run: str, *, failed: int, committed: Pointer | None) -> None:
    """Record that more failures of a job that is settled are accounted for now."""
    record = of_run(store, run)
    if record is not None and record.state == "settled":
        _swap(store, record, structs.replace(record, failed=failed, committed=committed or record.committed))


class Strangers(Struct, frozen=True):
    """Jobs of the data source that this connector did not start, newest first, and the newest job of all."""

    jobs: tuple[SyncJob, ...]
    newest: SyncJob | None


def strangers(store: Store, index: Index) -> Strangers:
    """The recent jobs that this connector did not start, and that no report has named yet.

    Somebody else writes to the data source: another program, or another connector.
    """
    record = read(store)
    recent = list(islice(index.jobs(), RECENT))
    found = []
    for job in recent:
        if record is not None and record.seen is not None and _is_seen(job, record.seen):
            break
        if record is None or job.execution_id not in record.ours:
            found.append(job)
    if record is not None and record.state == "starting" and found and found[0].status in OPEN:
        del found[0]  # perhaps the one whose start was lost
    return Strangers(tuple(found), recent[0] if recent else None)


def see(store: Store, run: str, named: Strangers) -> None:
    """Record that a report has named these strangers, and accounts for every job up to the newest."""
    record = read(store)
    if named.newest is None or (record is not None and record.seen is not None and _is_seen(named.newest, record.seen)):
        return
    before = record or SyncJobRecord(run=run, state="settled")
    seen = Seen(named.newest.execution_id, named.newest.started_at)
    _swap(store, record, structs.replace(before, seen=seen, foreign=before.foreign + len(named.jobs)))


def _is_seen(job: SyncJob, seen: Seen) -> bool:
    return job.execution_id == seen.execution_id or job.started_at < seen.started_at


def find(index: Index, execution_id: str) -> SyncJob | None:
    """The job with this execution id. It is among the newest, so few pages are read."""
    return next((job for job in index.jobs() if job.execution_id == execution_id), None)


def _look_for(store: Store, record: SyncJobRecord, newest: SyncJob | None) -> SyncJobRecord:
    """Look whether the newest job is the one whose start has lost its reply.

    Gives the record with the id of the job, or, after enough looks, without. Raises SyncJobBusy while the list of jobs
    may not show it yet.
    """
    found = _found(store, record, newest)
    if found.execution_id is not None or found.looks >= LOOKS:
        return found
    _swap(store, found, structs.replace(found, looks=found.looks + 1))
    raise SyncJobBusy(
        f"the reply to a start of run {record.run} was lost, and the list of sync jobs shows no new one yet; nothing "
        "else is started before it is certain that there is none"
    )


def _found(store: Store, record: SyncJobRecord, newest: SyncJob | None) -> SyncJobRecord:
    """The record of a start, with the id of the job that it has opened, if that is the newest one."""
    if newest is None or newest.execution_id in {record.previous, *record.ours} or newest.status != "SYNCING":
        return record
    found = _opened(record, newest.execution_id)
    _swap(store, record, found)
    return found


def _may_be_open(index: Index, execution_id: str) -> bool:
    """Whether the list of jobs does not show that the job has ended, itself or because another one is open."""
    seen = 0
    for job in islice(index.jobs(), RECENT):
        if job.execution_id == execution_id:
            return job.status == "SYNCING"
        if job.status in OPEN:
            return False
        seen += 1
    return seen < RECENT


def _status(index: Index, execution_id: str) -> str | None:
    job = find(index, execution_id)
    return job.status if job is not None else None


def _next(left: SyncJobRecord | None, *, run: str, previous: str | None) -> SyncJobRecord:
    """The record of a start that comes after what was left."""
    before = left or SyncJobRecord(run=run, state="settled")
    return structs.replace(before, run=run, state="starting", previous=previous, execution_id=None, looks=0, failed=0)


def _opened(record: SyncJobRecord, execution_id: str) -> SyncJobRecord:
    ours = (execution_id, *record.ours)[:REMEMBERED]
    return structs.replace(record, state="open", previous=None, execution_id=execution_id, looks=0, ours=ours)


def _ended(record: SyncJobRecord) -> SyncJobRecord:
    return structs.replace(record, state="settled", previous=None, looks=0)


def _swap(store: Store, before: SyncJobRecord | None, after: SyncJobRecord) -> None:
    """Replace the record that was read. If another run has written since, raise LeaseLost.

    A run that slept must not hide another run's job.
    """
    held = store.read(store.held(SYNC_JOB), SyncJobRecord)
    found = held.value if held else None
    try:
        if found == before:
            store.swap(store.held(SYNC_JOB), after, held.etag if held else None)
            return
    except Moved:
        found = read(store)
    # An earlier call of this function may have written, and died before it could say so.
    if found != after:
        raise LeaseLost(f"run {found.run if found else 'none'} has recorded its sync job; this one must not go on")
