"""The account of the run before, which may have died before its commit."""

from docferry.errors import ChangeSetInvalid, ManifestInvalid
from docferry.runtime.wiring import Wired
from docferry.settlement.settle import settle
from docferry.state.keys import CHANGES, run_key
from docferry.state.runs import Run
from docferry.sync_job import job as sync_job


def settle_previous(wired: Wired, run: Run, *, rebuild: bool = False) -> None:
    """Stop the job that a run before this one left open, and account for what that run has told the index.

    A ``rebuild`` does without the account when there can be none: it puts everything again. Raises ManifestInvalid and
    ChangeSetInvalid.
    """
    left = sync_job.read(wired.store)
    if left is None or left.run == run.run or left.state == "settled":
        return
    sync_job.stop(wired.store, wired.index, left.run)
    if not wired.store.exists(run_key(left.run, CHANGES)):
        # Life-cycle rules have removed what that run wrote: nobody can say any more what it sent.
        sync_job.settle(wired.store, left.run)
        return
    execution_id = (sync_job.read(wired.store) or left).execution_id
    try:
        settle(wired, left.run, sync_job.find(wired.index, execution_id) if execution_id else None, late=True)
    except (ManifestInvalid, ChangeSetInvalid):
        if not rebuild:
            raise
