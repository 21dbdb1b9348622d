"""Sync jobs: they enclose puts and deletes, pass through states, and count documents."""

import uuid
from typing import Any, Literal

from msgspec import Struct

from docferry_emulators.engine.context import Context
from docferry_emulators.engine.lag import status_then
from docferry_emulators.engine.paging import place_of, token_of
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import Conflicting, JobRunning

Outcome = Literal["added", "modified", "deleted", "failed"]
TERMINAL = frozenset({"SUCCEEDED", "INCOMPLETE", "FAILED", "ABORTED"})


class Job(Struct):
    """One sync job, with the columns of its row."""

    execution_id: str
    index_id: str
    data_source: str
    status: str
    started: float
    ended: float | None
    code: str | None
    message: str | None
    added: int
    modified: int
    deleted: int
    failed: int
    seq: int


_COLUMNS = (
    "execution_id, index_id, data_source, status, started, ended, code, message, added, modified, deleted, failed, seq"
)


class Jobs:
    """Starts, stops and lists sync jobs, counts their documents, and moves their states on by the clock."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def start(self, data_source: Resource) -> str:
        """Open a job and return its execution id. Raises JobRunning or Conflicting."""
        if data_source.status != "ACTIVE":
            raise Conflicting(
                f"The data source is {data_source.status}; a sync job can only start when it is ACTIVE.",
                "DATA_SOURCE",
                data_source.id,
            )
        row = self._store.one(
            "SELECT status FROM jobs WHERE data_source = ? AND open = 1 ORDER BY seq DESC LIMIT 1", data_source.id
        )
        allowed = self._context.settings.start_while_indexing == "allow"
        if row is not None and not (allowed and row["status"] == "SYNCING_INDEXING"):
            raise JobRunning(
                f"There is already a sync job in status {row['status']} for this data source.",
                "DATA_SOURCE",
                data_source.id,
            )
        execution_id = str(uuid.uuid4())
        self._store.run(
            "INSERT INTO jobs (execution_id, index_id, data_source, status, started) VALUES (?, ?, ?, 'SYNCING', ?)",
            execution_id,
            data_source.parent,
            data_source.id,
            self._context.now(),
        )
        return execution_id

    def stop(self, data_source: Resource) -> bool:
        """Stop the running job, which is the normal end of a job. Returns False when no job runs."""
        now = self._context.now()
        stopped = self._store.run(
            "UPDATE jobs SET status = 'STOPPING', stopped = ? WHERE data_source = ? AND status = 'SYNCING'",
            now,
            data_source.id,
        ).rowcount
        if stopped:
            self.settle(now)
        return stopped > 0

    def running(self, data_source: str) -> str | None:
        """Return the execution id of the job that takes documents now, or None."""
        row = self._store.one("SELECT execution_id FROM jobs WHERE data_source = ? AND status = 'SYNCING'", data_source)
        return None if row is None else row["execution_id"]

    def find(self, execution_id: str) -> Job | None:
        """Return a job of any data source by its execution id, or None."""
        row = self._store.one(f"SELECT {_COLUMNS} FROM jobs WHERE execution_id = ?", execution_id)  # noqa: S608 - constant
        return None if row is None else Job(**dict(row))

    def page(
        self,
        data_source: Resource,
        *,
        status: str | None,
        since: float | None,
        until: float | None,
        token: str | None,
        limit: int,
    ) -> tuple[list[Job], str | None]:
        """Return a page of the jobs of a data source, newest first, and the token of the next page."""
        listing = f"jobs/{data_source.id}"
        started, seq = place_of(listing, token) or (float("inf"), 0)
        lags = self._context.settings.job_list_lag > 0
        rows = self._store.all(
            f"SELECT {_COLUMNS}, stopped FROM jobs WHERE data_source = ? AND (started, seq) < (?, ?)"  # noqa: S608 - constant
            " AND (? IS NULL OR status = ?) AND (? IS NULL OR started >= ?) AND (? IS NULL OR started <= ?)"
            " ORDER BY started DESC, seq DESC LIMIT ?",
            *(data_source.id, started, seq, *([None] * 2 if lags else [status] * 2), since, since, until, until),
            -1 if lags else limit + 1,
        )
        jobs = [job for row in rows if (job := self._shown(row)) is not None and status in (None, job.status)]
        more = len(jobs) > limit
        return jobs[:limit], token_of(listing, [jobs[limit - 1].started, jobs[limit - 1].seq]) if more else None

    def _shown(self, row: Any) -> Job | None:
        """Return a job as the list shows it, which may lag. None: the list does not show the job yet."""
        settings = self._context.settings
        job = Job(**{name: row[name] for name in Job.__struct_fields__})
        if settings.job_list_lag:
            status = status_then(row, self._context.now() - settings.job_list_lag, settings.stopping_seconds)
            if status is None:
                return None
            job.status = status
            if status not in TERMINAL:
                job.ended = job.code = job.message = None
        if settings.metrics_lag:
            counts = self._store.all(
                "SELECT outcome, sum(step) AS count FROM counted WHERE execution_id = ? AND at <= ? GROUP BY outcome",
                *(job.execution_id, self._context.now() - settings.metrics_lag),
            )
            job.added = job.modified = job.deleted = job.failed = 0
            for counted in counts:
                setattr(job, counted["outcome"], counted["count"])
        if settings.metrics_while_syncing == "final" and job.ended is None:
            job.added = job.modified = job.deleted = job.failed = 0
        return job

    def touch(self, execution_id: str) -> None:
        """Record that a job was given a document."""
        self._store.run("UPDATE jobs SET touched = 1 WHERE execution_id = ? AND touched = 0", execution_id)

    def tally(self, execution_id: str, document: str, *, existed: bool, outcome: Outcome | None, at: float) -> None:
        """Count the outcome of a document. It counts once per job: its last outcome replaces the one before.

        ``existed`` says whether the document was in the index before. In each job, the first call for it decides this.
        ``outcome`` None leaves the count as it is.
        """
        before = self._store.one(
            "SELECT existed, outcome FROM tallies WHERE execution_id = ? AND id = ?", execution_id, document
        )
        if before is not None:
            existed = bool(before["existed"])
        if outcome in ("added", "modified"):
            outcome = "modified" if existed else "added"
        previous = before["outcome"] if before is not None else None
        self._store.run("UPDATE jobs SET last_work = max(last_work, ?) WHERE execution_id = ?", at, execution_id)
        if before is not None and (outcome is None or outcome == previous):
            return
        self._store.run(
            "INSERT INTO tallies VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET outcome = excluded.outcome",
            execution_id,
            document,
            existed,
            outcome,
        )
        for column, step in ((previous, -1), (outcome, 1)):
            if column is not None:
                self._store.run(
                    f"UPDATE jobs SET {column} = {column} + ? WHERE execution_id = ?",  # noqa: S608 - one of four
                    step,
                    execution_id,
                )
                if self._context.settings.metrics_lag:
                    self._store.run("INSERT INTO counted VALUES (?, ?, ?, ?)", execution_id, at, column, step)

    def abort(self, data_source: str) -> None:
        """Abort the open jobs of a data source that is being deleted."""
        now = self._context.now()
        for row in self._store.all("SELECT * FROM jobs WHERE data_source = ? AND open = 1", data_source):
            self._end(row, "ABORTED", now)

    def settle(self, now: float) -> None:
        """Apply every change of state that is due. Settle the documents first."""
        for row in self._store.all("SELECT * FROM jobs WHERE open = 1 ORDER BY seq"):
            self._advance(row, now)

    def _advance(self, row: Any, now: float) -> None:
        settings = self._context.settings
        if row["status"] == "SYNCING":
            age = settings.job_age_limit
            if age is not None and now >= row["started"] + age:
                self._end(row, "ABORTED", row["started"] + age)
            return
        indexing_from = row["stopped"] + settings.stopping_seconds
        if now < indexing_from:
            return
        if not row["touched"]:
            self._end(row, None, indexing_from)
            return
        if row["status"] == "STOPPING":
            self._store.run("UPDATE jobs SET status = 'SYNCING_INDEXING' WHERE seq = ?", row["seq"])
        earliest = indexing_from + settings.indexing_seconds
        waiting = self._store.one("SELECT 1 FROM operations WHERE execution_id = ? LIMIT 1", row["execution_id"])
        if now >= earliest and waiting is None and not self._context.faults.knobs.stuck:
            self._end(row, None, max(earliest, row["last_work"]))

    def _end(self, row: Any, status: str | None, at: float) -> None:
        forced = self._context.faults.knobs.end_jobs
        code = message = None
        if status is None:
            counted = row["failed"] and not self._context.settings.metrics_lag
            status = forced or ("INCOMPLETE" if counted else "SUCCEEDED")
        if status == "FAILED":
            code, message = "InternalError", "The sync job failed on request."
        elif status == "ABORTED":
            code, message = "InvalidRequest", "The sync job was aborted before it was stopped."
        self._store.run(
            "UPDATE jobs SET status = ?, ended = ?, open = 0, code = ?, message = ? WHERE seq = ?",
            status,
            at,
            code,
            message,
            row["seq"],
        )
        # The counts of an ended job cannot change any more.
        self._store.run("DELETE FROM tallies WHERE execution_id = ?", row["execution_id"])
