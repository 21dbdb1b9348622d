"""StartSync: open the sync job that the documents of this run are tied to."""

from msgspec import Struct

from docferry.runtime.wiring import Wired
from docferry.state.runs import Run
from docferry.sync_job import job as sync_job


class Started(Struct, frozen=True):
    """The job that was opened."""

    execution_id: str


def start_sync(wired: Wired, run: Run) -> Started:
    """Open the job, or find the one that this run has opened already. Raises SyncJobBusy while another runs."""
    return Started(sync_job.start(wired.store, wired.index, run.run))
