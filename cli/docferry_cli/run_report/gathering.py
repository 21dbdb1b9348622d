"""Reads everything about a run. What is damaged or gone is said to be so, and hides nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import TypeVar

import msgspec
import zstandard
from msgspec import structs

from docferry.changes import approvals, plans
from docferry.errors import DocferryError
from docferry.indexes import Index, SyncJob
from docferry.reporting import report
from docferry.reporting.ledger import Entry
from docferry.reporting.timeline import Timeline, timeline
from docferry.state.keys import CHANGES, run_key
from docferry.state.runs import ChangeSet
from docferry.state.store import Store
from docferry.state.stream import Missing
from docferry_cli.run_report.facts import RunReport
from docferry_cli.targets import Opened

T = TypeVar("T")

BROKEN = (DocferryError, msgspec.DecodeError, msgspec.ValidationError, zstandard.ZstdError, ValueError)
"""What reading a damaged object raises."""
JOBS = 200
"""How many sync jobs are looked through when a job is not found by its time."""
MARGIN = timedelta(hours=1)


def gather(opened: Opened, entry: Entry) -> RunReport:
    """Read everything about a run."""
    store, run = opened.store, entry.run
    unknown: list[str] = []

    def part(what: str, otherwise: T, read: Callable[[], T]) -> T:
        """Read a part, or say why it is not known."""
        try:
            return read()
        except BROKEN as error:
            unknown.append(f"{what} cannot be read: {error}")
        except Missing:
            unknown.append(f"{what} cannot be read: it is gone")
        return otherwise

    result = part("the report", None, lambda: report.read(store, run))
    going_on = result is None and opened.running(run)
    if result is None and not unknown:
        unknown.append(f"the run has left no report: {'it has not ended' if going_on else opened.why(run)}")
    changes = part("what the run was asked for", None, lambda: store.read(run_key(run, CHANGES), ChangeSet))
    times = part("the times", Timeline(), lambda: timeline(store, entry))
    execution_id = result.execution_id if result is not None else entry.execution_id
    index = opened.answering
    asks = index is not None and execution_id is not None and entry.data_source in {"", store.data_source}
    job = (
        part("the sync job", None, lambda: _job(index, execution_id, entry))
        if index and execution_id and asks
        else None
    )
    if execution_id is not None and job is None:
        unknown.append(_why_no_job(execution_id, entry, store, asks=asks))
    found = RunReport(
        connector=opened.connector.name,
        target=opened.target,
        index=opened.part.kind,
        entry=entry,
        going_on=going_on,
        input=changes.value.input if changes is not None else None,
        result=result,
        phases=times.phases,
        throughput=times.throughput,
        job=job,
        failures=part("the failed documents", (), lambda: tuple(report.failures(store, run))),
        skipped=part("the skipped documents", (), lambda: tuple(report.skipped(store, run))),
        withheld=part("the withheld deletes", (), lambda: tuple(report.withheld(store, run))),
        exposed=part("the exposed documents", (), lambda: tuple(report.exposed(store, run))),
        planned=part("the plan", (), lambda: tuple(plans.documents(store, run)) if entry.mode == "plan" else ()),
        approved_by=part("whether the run was approved", None, lambda: approvals.used_by(store, run)),
    )
    return structs.replace(found, unknown=tuple(unknown))


def _job(index: Index, execution_id: str, entry: Entry) -> SyncJob | None:
    """Find a sync job among those of its time; then among all, as the emulators have a clock of their own."""
    if entry.began is not None and entry.ended is not None:
        near = index.jobs(since=entry.began - MARGIN, until=entry.ended + MARGIN)
        if (found := _with_id(near, execution_id)) is not None:
            return found
    return _with_id(index.jobs(), execution_id)


def _with_id(jobs: Iterator[SyncJob], execution_id: str) -> SyncJob | None:
    return next((job for job in islice(jobs, JOBS) if job.execution_id == execution_id), None)


def _why_no_job(execution_id: str, entry: Entry, store: Store, *, asks: bool) -> str:
    if asks:
        return f"the index does not list the sync job {execution_id} any more"
    if entry.data_source not in {"", store.data_source}:
        return f"the sync job {execution_id} belongs to another data source, {entry.data_source}"
    return f"the sync job {execution_id} cannot be looked at while another process uses the state folder"
