"""Starts a run wherever its connector runs, and follows it to its end."""

import threading

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from docferry.changes import plans
from docferry.changes.plans import Planned
from docferry.reporting import report
from docferry.reporting.progress import Phase, Progress, progress
from docferry.reporting.report import Failure, Report
from docferry_cli.targets import Startable
from docferry_laptop.executions import Execution

# A small run ends within a second, so look at it soon, and then less and less often.
FIRST_LOOK_SECONDS = 0.025
LOOK_SECONDS = 0.2
# The exit code that a shell reports for a process that ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130
PHASES = ("crawl", "put", "delete", "indexing")


class Outcome(Struct, frozen=True):
    """The report of a run, and the documents that it counts. ``planned`` is empty unless the run was a plan."""

    report: Report
    failed: list[Failure]
    skipped: list[Failure]
    withheld: list[str]
    exposed: list[str]
    planned: list[Planned]


def follow(opened: Startable, execution: Execution) -> Outcome:
    """Show the progress of an execution until it has ended. On Ctrl-C, say what happens now, and exit."""
    console = Console(stderr=True)
    with bars(console) as shown:
        tasks = {phase: shown.add_task(phase, total=None) for phase in PHASES}
        waiting, pause = threading.Event(), FIRST_LOOK_SECONDS
        try:
            while execution.status() == "RUNNING":
                update(shown, tasks, progress(opened.store, opened.index, execution.run))
                waiting.wait(pause)
                pause = min(2 * pause, LOOK_SECONDS)
        except KeyboardInterrupt:
            console.print(opened.interrupted)
            raise typer.Exit(INTERRUPTED) from None
        update(shown, tasks, progress(opened.store, opened.index, execution.run))
    return outcome(opened, execution)


def outcome(opened: Startable, execution: Execution) -> Outcome:
    """What became of an execution that has ended."""
    store, run = opened.store, execution.run
    result = report.read(store, run)
    if result is None:
        result = Report(run=run, connector=opened.connector.name, status="FAILED", error=execution.error())
    return Outcome(
        result,
        list(report.failures(store, run)),
        list(report.skipped(store, run)),
        list(report.withheld(store, run)),
        list(report.exposed(store, run)),
        list(plans.documents(store, run)) if result.dry_run else [],
    )


def bars(console: Console) -> Bars:
    """Return a progress bar per phase, on standard error."""
    return Bars(
        TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def update(shown: Bars, tasks: dict[str, TaskID], now: Progress) -> None:
    """Move the bars to where the run is."""
    for name, task in tasks.items():
        phase: Phase = getattr(now, name)
        shown.update(task, completed=phase.done, total=phase.total)
