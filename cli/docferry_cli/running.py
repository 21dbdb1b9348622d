"""Runs a connector: on the embedded default, with the stack deployed on this machine, or with the stack in AWS."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import typer
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from docferry.changes import plans
from docferry.changes.plans import Planned
from docferry.connector import Connector
from docferry.errors import ConfigurationError
from docferry.indexes import Index
from docferry.reporting import report
from docferry.reporting.progress import Phase, Progress, progress
from docferry.reporting.report import Failure, Report
from docferry.state.store import Store
from docferry_cli import connectors
from docferry_cli.stack import Stack, find
from docferry_laptop.executions import Execution

# A small run ends within a second, so look at it soon, and then less and less often.
FIRST_LOOK_SECONDS = 0.025
LOOK_SECONDS = 0.2
# The exit code that a shell reports for a process that ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130
PHASES = ("crawl", "put", "delete", "indexing")
HERE = "interrupted; waiting for requests that have begun. The next sync continues from here."
IN_AWS = "interrupted; the run continues in AWS."


class Outcome(Struct, frozen=True):
    """The report of a run, and the documents that it counts. ``planned`` is empty unless the run was a plan."""

    report: Report
    failed: list[Failure]
    skipped: list[Failure]
    withheld: list[str]
    exposed: list[str]
    planned: list[Planned]


Runner = Callable[[Connector, Path, dict[str, object]], Outcome]
"""Runs a connector once, with a state folder and the input of an execution."""


def runner(*, deployed: bool, aws: bool, path: Path | None = None) -> Runner:
    """Return what runs a connector: this process, the deployment on this machine, or the deployment in AWS.

    Raises ConfigurationError for options that cannot be combined.
    """
    if aws and not deployed:
        raise ConfigurationError("--aws is for a connector that is deployed: give --deployed too")
    if deployed and path is not None:
        raise ConfigurationError("give --deployed or --path, not both: a deployed connector is one of connectors.yaml")
    if not deployed:
        return run
    return run_in_aws if aws else run_deployed


def run(connector: Connector, state: Path, inputs: dict[str, object]) -> Outcome:
    """Sync on the embedded default."""
    from docferry_emulators import Settings
    from docferry_laptop.laptop import laptop

    console = Console(stderr=True)
    with ExitStack() as stack:
        with console.status("starting the emulators"):
            # On a laptop no one has declared index fields, so puts declare them, unless the connector lists its fields.
            fields: Literal["reject", "declare"] = "reject" if connector.index.settings.get("fields") else "declare"
            aws = stack.enter_context(laptop(state=state, settings=Settings(undeclared_fields=fields)))
            deployment = aws.deploy(connector)
        connectors.remember(state, connector, deployment.wired.settings.connector.index)
        return follow(console, connector, deployment.wired.store, deployment.wired.index, deployment.start(**inputs))


def run_deployed(connector: Connector, state: Path, inputs: dict[str, object]) -> Outcome:
    """Sync with the stack that is deployed on this machine."""
    with deployment(connector, state, aws=False) as stack:
        return follow_stack(connector, stack, inputs, HERE)


def run_in_aws(connector: Connector, state: Path, inputs: dict[str, object]) -> Outcome:
    """Sync with the stack in AWS, in the account and region of the environment."""
    with deployment(connector, state, aws=True) as stack:
        return follow_stack(connector, stack, inputs, IN_AWS)


@contextmanager
def deployment(connector: Connector, state: Path, *, aws: bool) -> Iterator[Stack]:
    """Yield the stack of a connector: the one in AWS, or the one on this machine, which runs until the block ends.

    Raises ConfigurationError when there is none.
    """
    if aws:
        try:
            yield find(connector)
        except (BotoCoreError, ClientError) as error:
            raise ConfigurationError(f"{error}: check the credentials and the region of the environment") from error
        return
    from docferry_laptop.deployed import cloud
    from docferry_laptop.laptop import clear_lease
    from docferry_laptop.moto.event_delivery import delivering

    with ExitStack() as running:
        with Console(stderr=True).status("starting the deployment"):
            here = running.enter_context(cloud(state=state))
            here.create(connector.name)
        running.enter_context(delivering(here.events))
        found = find(connector)
        clear_lease(found.store())
        yield found


def follow_stack(connector: Connector, stack: Stack, inputs: dict[str, object], interrupted: str) -> Outcome:
    """Start an execution of a deployed state machine, and follow it."""
    store, index, execution = stack.store(), stack.data_source(), stack.start(**inputs)
    return follow(Console(stderr=True), connector, store, index, execution, interrupted=interrupted)


def follow(
    console: Console,
    connector: Connector,
    store: Store,
    index: Index,
    execution: Execution,
    *,
    interrupted: str = HERE,
) -> Outcome:
    """Show the progress of an execution until it has ended. On Ctrl-C, say what happens now, and exit."""
    with bars(console) as shown:
        tasks = {phase: shown.add_task(phase, total=None) for phase in PHASES}
        waiting, pause = threading.Event(), FIRST_LOOK_SECONDS
        try:
            while execution.status() == "RUNNING":
                update(shown, tasks, progress(store, index, execution.run))
                waiting.wait(pause)
                pause = min(2 * pause, LOOK_SECONDS)
        except KeyboardInterrupt:
            console.print(interrupted)
            raise typer.Exit(INTERRUPTED) from None
        update(shown, tasks, progress(store, index, execution.run))
    name = execution.run
    result = report.read(store, name)
    if result is None:
        result = Report(run=name, connector=connector.name, status="FAILED", error=execution.error())
    return Outcome(
        result,
        list(report.failures(store, name)),
        list(report.skipped(store, name)),
        list(report.withheld(store, name)),
        list(report.exposed(store, name)),
        list(plans.documents(store, name)) if result.dry_run else [],
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
