"""The sync job of a connector: opened by one run, recorded before the first put, always stopped.

The service names no run, and Stop names no job: so a job is stopped only when this connector has recorded it.
https://docs.aws.amazon.com/kendra/latest/APIReference/API_StartDataSourceSyncJob.html
"""

from typing import Literal

from msgspec import Struct

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
from docferry.store import SYNC_JOB, Moved, Store


class SyncJobRecord(Struct, frozen=True, kw_only=True):
    """The last job of the connector (``sync_job.json``).

    ``starting``: Start is about to be called; ``previous`` was the newest job before. ``open``: Start gave
    ``execution_id``. ``settled``: the manifest accounts for everything that was sent in it.
    """

    run: str
    state: Literal["starting", "open", "settled"]
    previous: str | None = None
    execution_id: str | None = None


def read(store: Store) -> SyncJobRecord | None:
    """The record of the last job."""
    record = store.read(SYNC_JOB, SyncJobRecord)
    return record.value if record else None


def of_run(store: Store, run: str) -> SyncJobRecord | None:
    """The record of this run's job, or None when the run has recorded none."""
    record = read(store)
    return record if record is not None and record.run == run else None


def start(store: Store, index: Index, run: str) -> str:
    """Open a job for a run, or find the one that the run has opened already. Returns the execution id.

    Raises SyncJobBusy while another job of the data source has not ended, and LeaseLost when another run has recorded
    its job meanwhile.
    """
    left = read(store)
    record = left if left is not None and left.run == run else None
    if record is not None and record.state != "settled" and (opened := _opened(store, index, record)):
        return opened
    newest = next(index.jobs(), None)
    if newest is not None and newest.status not in ENDED:
        raise SyncJobBusy(f"sync job {newest.execution_id} of the data source is {newest.status}")
    record = SyncJobRecord(run=run, state="starting", previous=newest.execution_id if newest else None)
    _swap(store, left, record)
    try:
        execution_id = index.start()
    except Conflict as error:
        # Start says that it opened nothing, so whatever runs now is not to be taken for ours.
        _swap(store, record, SyncJobRecord(run=run, state="settled"))
        raise SyncJobBusy(f"the data source does not take a new sync job: {error}") from error
    except ServiceUnavailable:
        # The job may be open, its id lost with the reply.
        if (opened := _opened(store, index, record)) is None:
            raise
        return opened
    except DocferryError:
        _swap(store, record, SyncJobRecord(run=run, state="settled"))
        raise
    ours = SyncJobRecord(run=run, state="open", execution_id=execution_id)
    try:
        _swap(store, record, ours)
    except LeaseLost:
        # As long as this job is open it is the only one, and has to be known; when it is not, another run has ended it.
        if not _is_syncing(index, execution_id):
            raise
        store.write(SYNC_JOB, ours)
    return execution_id


def stop(store: Store, index: Index, run: str) -> SyncJobRecord | None:
    """Stop the job that the run has opened, if it runs; whatever else runs is left alone. May be repeated."""
    record = of_run(store, run)
    if record is None or record.state == "settled":
        return record
    execution_id = _opened(store, index, record)
    if execution_id is None:
        return None
    if _is_syncing(index, execution_id):
        try:
            index.stop()
        except (Conflict, RequestRefused, ResourceNotFound):
            # The services differ in what they answer when no job is open; the list of jobs decides.
            if _is_syncing(index, execution_id):
                raise
    return SyncJobRecord(run=run, state="open", execution_id=execution_id)


def settle(store: Store, run: str) -> None:
    """Record that the manifest accounts for the job of the run."""
    record = of_run(store, run)
    if record is not None and record.state != "settled":
        _swap(store, record, SyncJobRecord(run=run, state="settled", execution_id=record.execution_id))


def find(index: Index, execution_id: str) -> SyncJob | None:
    """The job with this execution id. It is among the newest, so few pages are read."""
    return next((job for job in index.jobs() if job.execution_id == execution_id), None)


def _opened(store: Store, index: Index, record: SyncJobRecord) -> str | None:
    if record.execution_id is not None:
        return record.execution_id
    newest = next(index.jobs(), None)
    if newest is None or newest.execution_id == record.previous or newest.status != "SYNCING":
        return None
    _swap(store, record, SyncJobRecord(run=record.run, state="open", execution_id=newest.execution_id))
    return newest.execution_id


def _swap(store: Store, before: SyncJobRecord | None, after: SyncJobRecord) -> None:
    """Write a record in the place of the one that was read: a run that has slept does not hide the job of another."""
    held = store.read(SYNC_JOB, SyncJobRecord)
    found = held.value if held else None
    if found == before:
        try:
            if held is None:
                store.create(SYNC_JOB, after)
            else:
                store.replace(SYNC_JOB, after, held.etag)
        except Moved:
            found = read(store)
        else:
            return
    # A write whose reply was lost, and that the client sent again, finds itself.
    if found != after:
        raise LeaseLost(f"run {found.run if found else 'none'} has recorded its sync job; this one must not go on")


def _is_syncing(index: Index, execution_id: str) -> bool:
    job = find(index, execution_id)
    return job is not None and job.status == "SYNCING"
