"""Janitor: clean up after a run that did not come to its commit. Idempotent, and harmless to any other run.

What the run has told the index is settled by the next run's crawl.
"""

from contextlib import suppress
from typing import Any

import msgspec

from docferry.errors import ResourceNotFound, StateInvalid
from docferry.messages.reasons import ABORTED
from docferry.reporting import ledger, report
from docferry.reporting.report import Report
from docferry.runtime import messenger
from docferry.runtime.wiring import Wired
from docferry.state.keys import CARRIED
from docferry.state.runs import Input, Run
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry.workflow.events import Caught


class Request(Run, frozen=True):
    """The event of the janitor. ``input`` is the execution's own, unread: it may be what went wrong."""

    caught: Caught | None = None
    input: Any = None


def janitor(wired: Wired, run: Request) -> Report:
    """Stop the run's sync job, write its report if it has none, free its lease, and tell of it."""
    store = wired.store
    try:
        record = sync_job.stop(store, wired.index, run.run)
    except ResourceNotFound:
        record = None  # the data source is gone, and its jobs with it
    result = report.read(store, run.run)
    if result is None:
        result = Report(
            run=run.run,
            connector=wired.settings.connector.name,
            status="FAILED",
            execution_id=record.execution_id if record else None,
            error=run.caught.text() if run.caught else ABORTED,
        )
        report.write(store, result)
    store.delete_prefix(f"{CARRIED}{run.run}/")
    messenger.note(wired, run, result)
    lease.release(store, execution=run.execution)
    # A ledger that cannot be read is told by the next run, and keeps nothing from being cleaned up.
    with suppress(StateInvalid):
        ledger.register(store, run, _asked(run.input))
        ledger.finish(store, result)
    messenger.deliver(wired)
    return result


def _asked(written: Any) -> Input:
    try:
        return msgspec.convert(written or {}, Input)
    except msgspec.ValidationError:
        return Input()
