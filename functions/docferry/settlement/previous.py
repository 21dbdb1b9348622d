"""The account of the run before, which may have died before its commit."""

from docferry.errors import ChangeSetInvalid, ManifestInvalid
from docferry.runtime.wiring import Wired
from docferry.settlement.settle import settle
from docferry.settlement.settling import Remaining, Unfinished
from docferry.state.keys import CHANGES, run_key
from docferry.state.runs import Run
from docferry.sync_job import job as sync_job

LONG_MS = 60_000
"""Past this, what comes next is left to another invocation, which has all of its time for it."""

EXPIRED = (
    "what run {run} has sent is not known any more, because its records have expired: a full sync sends every document "
    "again, and a reconcile finds what the index holds besides, where it lists its documents"
)


def settle_previous(wired: Wired, run: Run, remaining: Remaining, *, rebuild: bool = False) -> str:
    """Stop the job that a run before this one left open, and account for what that run has told the index.

    Returns what a person should know about it, in a sentence; mostly nothing. A ``rebuild`` does without the account
    when there can be none: it puts everything again. Raises ManifestInvalid and ChangeSetInvalid, and Unfinished when
    time runs short, or when most of it is spent.
    """
    before = remaining()
    left = sync_job.read(wired.store)
    if left is None or left.run == run.run or left.state == "settled":
        return ""
    sync_job.stop(wired.store, wired.index, left.run)
    if not wired.store.exists(run_key(left.run, CHANGES)):
        # Life-cycle rules have removed what that run wrote: nobody can say any more what it sent.
        sync_job.settle(wired.store, left.run)
        return EXPIRED.format(run=left.run)
    execution_id = (sync_job.read(wired.store) or left).execution_id
    try:
        job = sync_job.find(wired.index, execution_id) if execution_id else None
        settle(wired, left.run, job, remaining, late=True)
    except (ManifestInvalid, ChangeSetInvalid):
        if not rebuild:
            raise
    if before - remaining() > LONG_MS:
        raise Unfinished
    return ""
