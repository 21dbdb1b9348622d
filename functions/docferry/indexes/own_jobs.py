"""Sync jobs of a service that has none: the adapter keeps its own, as a record in the state bucket.

A job opens when a run starts it, and takes documents until it is stopped. It has ended when the service has worked on
every document that it has touched, which each look at the jobs finds out a little further. All of it moves by
compare-and-swap, so every call may be repeated, and of two that start a job one gets it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid4

from msgspec import Struct, structs

from docferry.errors import ConfigurationError, Conflict
from docferry.indexes import ENDED, JobStatus, Metrics, SyncJob
from docferry.state.keys import OWN_JOBS
from docferry.state.objects import Moved, Record
from docferry.state.store import Store

KEPT = 50
"""How many of the newest jobs the record has."""
ATTEMPTS = 5
LONGEST = timedelta(hours=25)
"""How long after its stop a job may wait for documents. PollSync gives up an hour later."""
NEVER_ENDS = "documents are still under way 25 hours after the job was stopped"


class OwnJob(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One job. ``failed`` counts documents whose failure is known so far."""

    execution_id: str
    status: JobStatus
    started_at: datetime
    ended_at: datetime | None = None
    failed: int = 0
    error: str = ""

    def told(self) -> SyncJob:
        """The job in Docferry's terms."""
        return SyncJob(
            self.execution_id, self.status, self.started_at, self.ended_at, Metrics(failed=self.failed), self.error
        )


class OwnJobs(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The jobs of a data source (``sync_jobs.json``), newest first.

    Of the newest one, when it is stopped: ``cursor`` is how far its documents were looked at, ``looked_at`` when the
    first look was. ``late`` are documents that a job before it has changed, by a call that was under way when it ended.
    """

    jobs: tuple[OwnJob, ...] = ()
    cursor: str | None = None
    looked_at: datetime | None = None
    late: tuple[str, ...] = ()


class Look(Struct, frozen=True, kw_only=True):
    """What a look at the documents of a job has found. ``at`` is the time, by the clock of the service.

    ``done``: the service has worked on all of them. Otherwise the next look goes on from ``cursor``. ``failed`` counts
    the documents before it that have failed.
    """

    at: datetime
    done: bool
    cursor: str | None
    failed: int


Inspect = Callable[[datetime, str | None, int], Look]
"""Look at the documents that have changed since a job began, from a cursor on, before which so many have failed."""


class JobKeeper:
    """Start, stop and the list of the jobs of one data source. ``inspect`` asks the service about documents."""

    def __init__(self, store: Store | None, inspect: Inspect) -> None:
        self._kept = store
        self._inspect = inspect

    def start(self, at: datetime) -> str:
        """Open a job and return its execution id. Raises Conflict while another one has not ended."""
        record = self._read()
        before = record.value if record else OwnJobs()
        if before.jobs and before.jobs[0].status not in ENDED:
            raise Conflict(f"sync job {before.jobs[0].execution_id} is {before.jobs[0].status}")
        job = OwnJob(execution_id=str(uuid4()), status="SYNCING", started_at=at)
        try:
            self._swap(record, OwnJobs(jobs=(job, *before.jobs)[:KEPT]))
        except Moved as error:
            raise Conflict("another sync job was opened at the same time") from error
        return job.execution_id

    def stop(self) -> None:
        """Let the open job take no more documents. Raises Conflict when none is open."""
        record = self._read()
        if record is None or not record.value.jobs or record.value.jobs[0].status != "SYNCING":
            raise Conflict("no sync job is open")
        try:
            self._swap(record, _changed(record.value, status="STOPPING"))
        except Moved as error:
            raise Conflict("the sync job was stopped at the same time") from error

    def jobs(self) -> Iterator[SyncJob]:
        """The jobs, newest first. When the newest one is stopped, look how far the service has come with it."""
        record = self._read()
        if record is not None and record.value.jobs and record.value.jobs[0].status in {"STOPPING", "SYNCING_INDEXING"}:
            record = self._looked(record)
        return _told(record.value) if record else iter(())

    def takes(self, execution_id: str) -> bool:
        """Whether a job takes documents: it is the newest one, and has not been stopped."""
        record = self._read()
        return record is not None and _takes(record.value, execution_id)

    def late(self) -> frozenset[str]:
        """Documents that a job has changed after its end: what the index holds of them is not known."""
        record = self._read()
        return frozenset(record.value.late if record else ())

    def note(self, execution_id: str, ids: Iterable[str]) -> None:
        """Note documents that a job has just changed, if it was over by then. Raises Conflict when that fails.

        The service knows no jobs, so it takes a call of an invocation that slept while its run was ended. They count as
        failures of the newest job, so that the next run sends them again, or deletes them.
        """
        for _ in range(ATTEMPTS):
            record = self._read()
            if record is None or _takes(record.value, execution_id):
                return
            with suppress(Moved):
                late = tuple(sorted({*record.value.late, *ids}))
                self._swap(record, structs.replace(record.value, late=late))
                return
        raise Conflict(f"documents that sync job {execution_id} has changed too late could not be noted")

    def _looked(self, record: Record[OwnJobs]) -> Record[OwnJobs] | None:
        before = record.value
        job = before.jobs[0]
        look = self._inspect(job.started_at, before.cursor, job.failed)
        failed = look.failed
        since = before.looked_at or look.at
        if look.done:
            status = "INCOMPLETE" if failed or before.late else "SUCCEEDED"
            now = _changed(before, status=status, ended_at=look.at, failed=failed)
        elif look.at - since > LONGEST:
            now = _changed(before, status="FAILED", ended_at=look.at, failed=failed, error=NEVER_ENDS)
        else:
            now = _changed(before, status="SYNCING_INDEXING", failed=failed)
            now = structs.replace(now, cursor=look.cursor, looked_at=since)
        try:
            if now != before:
                self._swap(record, now)
        except Moved:
            return self._read()  # another look has come further
        return structs.replace(record, value=now)

    def _read(self) -> Record[OwnJobs] | None:
        return self._store.read(self._store.held(OWN_JOBS), OwnJobs)

    def _swap(self, before: Record[OwnJobs] | None, after: OwnJobs) -> None:
        self._store.swap(self._store.held(OWN_JOBS), after, before.etag if before else None)

    @property
    def _store(self) -> Store:
        if self._kept is None:
            raise ConfigurationError("the sync jobs of this index are kept in a state bucket, and none was given")
        return self._kept


def _changed(record: OwnJobs, **changes: object) -> OwnJobs:
    """The record with another newest job, and nothing known of its documents."""
    jobs = (structs.replace(record.jobs[0], **changes), *record.jobs[1:])
    return structs.replace(record, jobs=jobs, cursor=None, looked_at=None)


def _takes(record: OwnJobs, execution_id: str) -> bool:
    newest = next(iter(record.jobs), None)
    return newest is not None and newest.execution_id == execution_id and newest.status == "SYNCING"


def _told(record: OwnJobs) -> Iterator[SyncJob]:
    for number, job in enumerate(record.jobs):
        yield structs.replace(job, failed=job.failed + len(record.late)).told() if number == 0 else job.told()
