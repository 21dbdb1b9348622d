"""Commit: bring the manifest in line with the index, write the report, free the lease, tell what came of it.

What is too much for one invocation goes on in the next.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, structs

from docferry.changes import scope
from docferry.changes.scope import Scope
from docferry.groups import snapshot
from docferry.reporting import ledger, report
from docferry.reporting.report import Report
from docferry.runtime import messenger
from docferry.runtime.wiring import Wired
from docferry.settlement import adoption
from docferry.settlement.settle import Settled, settle
from docferry.settlement.settling import Remaining, Unfinished
from docferry.state.keys import CARRIED, LISTING, run_key, staging_key
from docferry.state.runs import ChangeSet, Run, change_set
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry.sync_job.job import Strangers
from docferry.workflow.events import Caught, Polled

# A job that ended INCOMPLETE has settled every document, some as failed: those are in the report.
GOOD = frozenset({"SUCCEEDED", "INCOMPLETE"})
NAMED = 20
"""Sync jobs of others, and shards without a result, that a report names."""
CLEARING_MS = 60_000
"""The time that is kept while objects are deleted: a thousand of them take a second, what comes after them a few."""


class Request(Run, frozen=True):
    """The event of Commit. ``polled`` is None when there was nothing to change, and so no sync job."""

    polled: Polled | None = None
    caught: Caught | None = None


class Unsettled(Struct, frozen=True):
    """What the state machine sees in place of a report while the run is not settled to its end: it comes again."""

    status: Literal["UNSETTLED"] = "UNSETTLED"


def commit(wired: Wired, run: Request, remaining: Remaining) -> Report | Unsettled:
    """End a run whose crawl was whole, or go on with it while time is left.

    Raises LeaseLost, ManifestInvalid, ChangeSetInvalid.
    """
    store = wired.store
    if (written := report.read(store, run.run)) is not None:
        ledger.finish(store, written)
        messenger.note(wired, run, written)
        lease.release(store, execution=run.execution)
        messenger.deliver(wired)
        return written
    lease.check(store, execution=run.execution)
    polled = run.polled
    crawled = change_set(store, run.run)
    job = sync_job.find(wired.index, polled.execution_id) if polled and polled.execution_id else None
    try:
        settled = settle(wired, run.run, job, remaining) if polled else Settled()
        _clear(store, run.run, remaining)
    except Unfinished:
        return Unsettled()
    strangers = sync_job.strangers(store, wired.index)
    problem = _problem(polled, settled, run.caught)
    result = describe(
        wired, run, crawled, settled, job_status=job.status if job else None, problem=problem, strangers=strangers
    )
    if crawled.sends:
        adoption.forget(store)
        if crawled.scope is not None:
            scope.remember(store, Scope(crawled.scope, crawled.settings))
    report.write(store, result)
    if crawled.sends:
        sync_job.see(store, run.run, strangers)
    ledger.finish(store, result)
    messenger.note(wired, run, result)
    lease.release(store, execution=run.execution)
    messenger.deliver(wired)
    return result


def _clear(store: Store, run: str, remaining: Remaining) -> None:
    """Delete what a run needs only while it is going. Raises Unfinished when time runs short."""
    for prefix in (run_key(run, LISTING), staging_key(run, ""), f"{CARRIED}{run}/"):
        if not store.delete_prefix(prefix, in_time=lambda: remaining() >= CLEARING_MS):
            raise Unfinished


def describe(  # each is one thing that a report is made of
    wired: Wired,
    run: Run,
    crawled: ChangeSet,
    settled: Settled,
    *,
    job_status: str | None,
    problem: str | None,
    strangers: Strangers,
) -> Report:
    """The report of a run that wrote a change set."""
    record = sync_job.of_run(wired.store, run.run)
    foreign = [job.execution_id for job in strangers.jobs]
    done = {name: getattr(settled, name) for name in ("added", "modified", "deleted", "failed")}
    counts = structs.replace(crawled.counts, **done) if crawled.sends else crawled.counts
    groups = snapshot.report(wired.store, run.run)
    return Report(
        run=run.run,
        connector=wired.settings.connector.name,
        status="FAILED" if problem else "SUCCEEDED",
        **structs.asdict(counts),
        dry_run=not crawled.sends,
        keys=crawled.keys,
        withheld_because=crawled.withheld_because,
        held_back=counts.withheld + counts.exposed + (groups.withheld if groups else 0),
        groups=groups,
        foreign_jobs=len(foreign),
        foreign_job_ids=tuple(foreign[:NAMED]),
        notes=(
            *crawled.notes,
            *_warnings(run.run, wired.settings.connector.name, crawled, foreign),
            *(groups.notes() if groups else ()),
        ),
        execution_id=record.execution_id if record else None,
        job_status=job_status,
        error=problem or "",
    )


def _warnings(run: str, connector: str, crawled: ChangeSet, foreign: list[str]) -> Iterator[str]:
    if crawled.counts.exposed:
        yield (
            f"{crawled.counts.exposed:,} documents had access control and have none now; they stay as they are "
            f"indexed. Restore it, or, if everybody may see them: docferry approve {run} --connector {connector}"
        )
    if foreign:
        yield (
            f"{len(foreign)} sync jobs of the data source were not started by this connector ({', '.join(foreign[:3])}"
            f"{', ...' if len(foreign) > 3 else ''}): somebody else writes to it, too. Give each its own data "  # noqa: PLR2004  # as many as are named
            f"source; then docferry sync {connector} --full puts everything again"
        )


def _problem(polled: Polled | None, settled: Settled, caught: Caught | None) -> str | None:
    if caught is not None:
        return caught.text()
    if settled.missing:
        named = ", ".join(settled.missing[:NAMED])
        more = f" and {len(settled.missing) - NAMED:,} more" if len(settled.missing) > NAMED else ""
        return f"shards without a result: {named}{more}; sent in part, the next run sends them again"
    if polled is not None and polled.status not in GOOD:
        return f"sync job {polled.execution_id} ended {polled.status}"
    return None
