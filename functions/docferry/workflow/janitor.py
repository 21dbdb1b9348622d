"""Janitor: clean up after a run that did not come to its commit. Idempotent, and harmless to any other run.

What the run has told the index is settled by the next run's crawl.
"""

from docferry import lease, report, sync_job
from docferry.report import Report
from docferry.runs import Run
from docferry.wiring import Wired
from docferry.workflow.commit import Caught


class Request(Run, frozen=True):
    """The event of the janitor."""

    caught: Caught | None = None


def janitor(wired: Wired, run: Request) -> Report:
    """Stop the run's sync job, write its report where there is none, and free its lease."""
    record = sync_job.stop(wired.store, wired.index, run.run)
    result = report.read(wired.store, run.run)
    if result is None:
        result = Report(
            run=run.run,
            connector=wired.settings.connector.name,
            status="FAILED",
            execution_id=record.execution_id if record else None,
            error=run.caught.text() if run.caught else "the execution was aborted or timed out",
        )
        report.write(wired.store, result)
    lease.release(wired.store, execution=run.execution)
    return result
