"""Follows a run to its end, wherever its connector runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from docferry.changes import plans
from docferry.changes.plans import Planned
from docferry.errors import DocferryError
from docferry.reporting import report
from docferry.reporting.progress import Phase, Progress, progress
from docferry.reporting.report import Failure, Report
from docferry_cli.safe_text import printable
from docferry_cli.targets import Opened

# A small run ends within a second, so look at it soon, and then less often.
FIRST_LOOK_SECONDS = 0.025
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


def watch(opened: Opened, run: str, again: str = "") -> Outcome:
    """Show the progress of a run until it has ended, as ``follow`` does, and give what became of it."""
    follow(opened, run, again)
    return outcome(opened, run)


def follow(opened: Opened, run: str, again: str = "") -> None:
    """Show the progress of a run until it has ended.

    On Ctrl-C, say what happens now and exit. ``again`` is the command that shows the run once more.
    """
    console = Console(stderr=True, emoji=False, highlight=False)
    with stated_interrupt(console, opened, again), bars(console) as shown:
        tasks = {phase: shown.add_task(phase, total=None) for phase in PHASES}
        waiting, pause = threading.Event(), FIRST_LOOK_SECONDS
        while opened.running(run):
            update(shown, tasks, _progress(opened, run))
            waiting.wait(pause)
            pause = min(2 * pause, opened.look_seconds)
        update(shown, tasks, _progress(opened, run))


def _progress(opened: Opened, run: str) -> Progress:
    """How far the run has come. What keeps the index from answering us is not what becomes of the run."""
    try:
        return progress(opened.store, opened.answering, run)
    except DocferryError:
        return progress(opened.store, None, run)


@contextmanager
def stated_interrupt(console: Console, opened: Opened, again: str) -> Iterator[None]:
    """On Ctrl-C, say what becomes of the run and how to go on, and exit. The bars are gone by then."""
    try:
        yield
    except KeyboardInterrupt:
        console.print(printable(opened.interrupted), soft_wrap=True)
        if again:
            console.print(f"To see how the run goes on, or has ended: {printable(again)}", soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None


def outcome(opened: Opened, run: str) -> Outcome:
    """What became of a run that has ended."""
    store, result = opened.store, report_of(opened, run)
    return Outcome(
        result,
        list(report.failures(store, run)),
        list(report.skipped(store, run)),
        list(report.withheld(store, run)),
        list(report.exposed(store, run)),
        list(plans.documents(store, run)) if result.dry_run else [],
    )


def report_of(opened: Opened, run: str) -> Report:
    """The report of a run that has ended; one that says why, where it has written none."""
    written = report.read(opened.store, run)
    return written or Report(run=run, connector=opened.connector.name, status="FAILED", error=opened.why(run))


class Rate(ProgressColumn):
    """Documents a second, of late."""

    def render(self, task: Task) -> Text:
        """Return the rate; nothing while there is none."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", justify="right")


def bars(console: Console) -> Bars:
    """Return a progress bar a phase, with its rate, the time that has passed, and the time left."""
    return Bars(
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def update(shown: Bars, tasks: dict[str, TaskID], now: Progress) -> None:
    """Move the bars to where the run is."""
    for name, task in tasks.items():
        phase: Phase = getattr(now, name)
        shown.update(task, completed=phase.done, total=phase.total)
