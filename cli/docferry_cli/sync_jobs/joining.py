"""Joins the sync jobs of a data source with the runs that opened them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Literal

from msgspec import Struct

from docferry.indexes import JobStatus, Metrics, SyncJob
from docferry.reporting import ledger
from docferry.reporting.ledger import Entry
from docferry.state.store import Store
from docferry.sync_job import job as sync_job

LOOKED = 200
"""How many runs are looked through. Each costs a call, and many runs open no job."""

Maker = Literal["run", "connector", "foreign", "unknown"]


class Job(Struct, frozen=True, kw_only=True):
    """A sync job as ListDataSourceSyncJobs gives it, and who opened it.

    ``made_by``: ``run``, and ``run`` names it; ``connector``, a run of this connector that is not known any more;
    ``foreign``, somebody else; ``unknown``, when the runs of that time are not known any more.
    """

    execution_id: str
    status: JobStatus
    started_at: datetime
    ended_at: datetime | None
    metrics: Metrics
    error: str
    run: str | None
    made_by: Maker


def joined(store: Store, jobs: Iterable[SyncJob]) -> list[Job]:
    """Join jobs, newest first, with the runs that opened them. Raises StateInvalid."""
    found = list(jobs)
    record = sync_job.read(store)
    ours = set(record.ours) if record is not None else set()
    runs: dict[str, str] = {}
    if record is not None and record.execution_id is not None:
        runs[record.execution_id] = record.run
    wanted = {job.execution_id for job in found} - runs.keys()
    reached = _Reached()
    if wanted:
        for entry in _looked_through(store, reached):
            if entry.execution_id is not None:
                runs.setdefault(entry.execution_id, entry.run)
                wanted.discard(entry.execution_id)
            if not wanted:
                break
    return [_joined(job, runs.get(job.execution_id), ours, reached) for job in found]


class _Reached:
    """How far back the ledger was read: to its first run, or to a run that began at a time."""

    def __init__(self) -> None:
        self.first = False
        self.began: datetime | None = None

    def covers(self, job: SyncJob) -> bool:
        """Whether the run that opened this job, if there was one, was looked at."""
        return self.first or (self.began is not None and job.started_at >= self.began)


def _looked_through(store: Store, reached: _Reached) -> Iterator[Entry]:
    none = True
    for entry in islice(ledger.newest(store), LOOKED):
        none = False
        reached.first = entry.previous is None
        reached.began = entry.began or reached.began
        yield entry
    reached.first = reached.first or none


def _joined(job: SyncJob, run: str | None, ours: set[str], reached: _Reached) -> Job:
    made_by: Maker = "unknown"
    if run is not None:
        made_by = "run"
    elif job.execution_id in ours:
        made_by = "connector"
    elif reached.covers(job):
        made_by = "foreign"
    return Job(
        execution_id=job.execution_id,
        status=job.status,
        started_at=job.started_at,
        ended_at=job.ended_at,
        metrics=job.metrics,
        error=job.error,
        run=run,
        made_by=made_by,
    )
