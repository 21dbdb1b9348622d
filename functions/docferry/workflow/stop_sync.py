"""StopSync: end the sync job, also after a failure. Stop is the normal end of a job, not a cancel."""

from docferry import sync_job
from docferry.runs import Run
from docferry.wiring import Wired
from docferry.workflow.poll_sync import FIRST_WAIT, Polled


def stop_sync(wired: Wired, run: Run) -> Polled:
    """Stop the job that this run opened, and say how long to wait before the first look at it."""
    record = sync_job.stop(wired.store, wired.index, run.run)
    execution_id = record.execution_id if record else None
    return Polled(execution_id=execution_id, done=execution_id is None, wait=FIRST_WAIT)
