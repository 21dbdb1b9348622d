"""StopSync: end the sync job, also after a failure. Stop is the normal end of a job, not a cancel."""

from docferry.runtime.wiring import Wired
from docferry.state.runs import Run
from docferry.sync_job import job as sync_job
from docferry.workflow.events import FIRST_WAIT, Polled


def stop_sync(wired: Wired, run: Run) -> Polled:
    """Stop the job that this run opened, and say how long to wait before the first look at it."""
    record = sync_job.stop(wired.store, wired.index, run.run)
    execution_id = record.execution_id if record else None
    return Polled(execution_id=execution_id, done=execution_id is None, wait=FIRST_WAIT)
