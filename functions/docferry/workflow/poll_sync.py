"""PollSync: look whether the service has finished indexing. That takes "an hour or more" for a large change set."""

from contextlib import suppress

from docferry.errors import Conflict
from docferry.indexes import ENDED
from docferry.runtime.wiring import Wired
from docferry.state.runs import Run
from docferry.sync_job import job as sync_job
from docferry.workflow.events import Polled

GROWTH = 1.5
LONGEST_WAIT = 300
DEADLINE = 26 * 3600
"""Seconds. The longest documented wait is a day for a scheduled sync to begin; two hours more for the indexing."""
UNSEEN = 900
"""Seconds after which a job that the list of jobs does not show is gone: no list was ever seen to lag so long."""


class Request(Run, frozen=True, kw_only=True):
    """The event of PollSync: what StopSync, or the last look, gave."""

    polled: Polled


def poll_sync(wired: Wired, run: Request) -> Polled:
    """Look at the job once. ``done`` when it has ended, or when the deadline has passed.

    A job that is still SYNCING, or not listed, is stopped once more: a Stop may have been lost, or come too early.
    """
    before = run.polled
    waited = before.waited + before.wait
    job = sync_job.find(wired.index, before.execution_id) if before.execution_id else None
    if before.execution_id and (job is None or job.status == "SYNCING"):
        # The service says that no job is open: then the list lags behind it, and the next look tells.
        with suppress(Conflict):
            sync_job.stop(wired.store, wired.index, run.run)
    status = job.status if job else "NONE"
    gone = job is None and (before.execution_id is None or waited >= UNSEEN)
    return Polled(
        execution_id=before.execution_id,
        status=status,
        done=status in ENDED or gone or waited >= DEADLINE,
        wait=min(int(before.wait * GROWTH), LONGEST_WAIT),
        waited=waited,
    )
