"""Looks at a connector, by a number of calls that does not grow with its runs or its documents."""

from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from msgspec import Struct, structs

from docferry.changes import approvals
from docferry.config.deployment import Schedule
from docferry.config.due import overdue
from docferry.errors import DocferryError, StateInvalid
from docferry.indexes import ENDED, Index
from docferry.reporting import ledger, report
from docferry.reporting.ledger import Entry
from docferry.reporting.pace import pace
from docferry.state.keys import LEASE
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.sync_job.lease import Lease
from docferry_cli.next_steps import NextSteps
from docferry_cli.status.facts import HeldLease, OpenJob, Problem, Running, Success, Waiting

LOOKED = 20
"""How many of the newest runs are looked at for the last success. Each costs a call."""
REFUSED = ("AlreadyRunning", "ApprovalRefused", "PlanRefused")
"""Errors of runs that changed nothing and say nothing of the connector's health."""


class Place(Protocol):
    """Where a connector runs."""

    @property
    def store(self) -> Store:
        """The state bucket."""
        ...

    @property
    def answering(self) -> Index | None:
        """The index, or None when it cannot be asked now."""
        ...

    def running(self, run: str) -> bool:
        """Whether the execution of a run has not ended."""
        ...


class Seen(Struct, frozen=True, kw_only=True):
    """What was found out about a connector. ``told`` are problems that showed while it was looked at.

    ``sync`` is the newest sync that has ended and was not refused. ``compared`` is the newest that came far enough to
    say what waits. ``died`` is a run that is over and could not say so.
    """

    runs: int = 0
    running: Running | None = None
    last: Entry | None = None
    sync: Entry | None = None
    compared: Entry | None = None
    died: str | None = None
    success: Success | None = None
    waiting: Waiting | None = None
    job: OpenJob | None = None
    lease: HeldLease | None = None
    told: tuple[Problem, ...] = ()


def look(place: Place, schedule: Schedule | None, steps: NextSteps, now: datetime | None = None) -> Seen:
    """Look at a connector. Raises StateInvalid."""
    now = now or datetime.now(UTC)
    told: list[Problem] = []
    seen = _runs(place, schedule, now)
    waiting = None
    if seen.compared is not None:
        waiting = _waiting(place.store, seen.compared, steps, told)
    job = None
    if place.answering is not None:
        job = _open_job(place.store, place.answering, steps, told)
    return structs.replace(seen, waiting=waiting, job=job, lease=_lease(place), told=tuple(told))


def _runs(place: Place, schedule: Schedule | None, now: datetime) -> Seen:
    running: Running | None = None
    last = sync = compared = success = None
    died: str | None = None
    runs = 0
    for entry in islice(ledger.newest(place.store), LOOKED):
        runs += 1
        if entry.status == "RUNNING":
            # Only one run works at a time: what is older than a sync that has ended, has ended too.
            if sync is None and running is None and place.running(entry.run):
                running = _running(place, entry, now)
            elif sync is None and running is None:
                died = died or entry.run
            continue
        last = last or entry
        if entry.mode == "plan" or entry.error.startswith(REFUSED):
            continue
        sync = sync or entry
        if entry.status == "SUCCEEDED" or entry.withheld + entry.exposed:
            compared = compared or entry
        if entry.status == "SUCCEEDED":
            success = entry
            break
    return Seen(
        runs=runs,
        running=running,
        last=last,
        sync=sync,
        compared=compared,
        died=died,
        success=_success(success, schedule, now) if success else None,
    )


def _running(place: Place, entry: Entry, now: datetime) -> Running:
    return Running(
        run=entry.run,
        mode=entry.mode,
        trigger=entry.trigger,
        began=entry.began,
        pace=pace(place.store, place.answering, entry, now),
    )


def _success(entry: Entry, schedule: Schedule | None, now: datetime) -> Success:
    return Success(
        run=entry.run,
        ended=entry.ended,
        schedule=schedule.expression if schedule else None,
        timezone=schedule.timezone if schedule else None,
        overdue=overdue(schedule, entry.ended, now) if schedule and entry.ended else None,
    )


def _waiting(store: Store, entry: Entry, steps: NextSteps, told: list[Problem]) -> Waiting | None:
    if entry.data_source != store.data_source:
        return None
    try:
        found = report.read(store, entry.run)
    except StateInvalid as error:
        told.append(Problem(str(error), steps.of_run("report", entry.run)))
        found = None
    groups = found.groups.withheld if found and found.groups else 0
    if not entry.withheld + entry.exposed + groups or approvals.used_by(store, entry.run) is not None:
        return None
    return Waiting(
        run=entry.run,
        withheld=entry.withheld,
        exposed=entry.exposed,
        groups=groups,
        approve=steps.of_run("approve", entry.run),
    )


def _open_job(store: Store, index: Index, steps: NextSteps, told: list[Problem]) -> OpenJob | None:
    """Look at the newest job: a data source has one open job at most."""
    try:
        newest = next(index.jobs(), None)
    except DocferryError as error:
        told.append(Problem(f"the sync jobs cannot be listed: {error}", steps.about("history")))
        return None
    if newest is None or newest.status in ENDED:
        return None
    record = sync_job.read(store)
    ours = record is not None and (record.state == "starting" or newest.execution_id in record.ours)
    return OpenJob(
        execution_id=newest.execution_id, status=newest.status, started_at=newest.started_at, foreign=not ours
    )


def _lease(place: Place) -> HeldLease | None:
    held = place.store.read(LEASE, Lease)
    if held is None:
        return None
    age = held.age.total_seconds()
    stale = not place.running(held.value.run)
    return HeldLease(run=held.value.run, execution=held.value.execution, age_seconds=age, stale=stale)
