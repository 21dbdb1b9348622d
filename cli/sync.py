"""`docferry sync`: crawl a source and bring the index in step with it."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from cli import connectors, options
from cli.options import CONFIG, STATE, Config, Json, State
from cli.stack import find
from docferry import report
from docferry.connector import Connector
from docferry.errors import ConfigurationError
from docferry.indexes import Index
from docferry.progress import Phase, Progress, progress
from docferry.report import Report
from docferry.store import Store
from local.executions import Execution

SHOWN = 20
LOOK_SECONDS = 0.2
# What a shell says of a process that ended by Ctrl-C: 128 + SIGINT.
INTERRUPTED = 130
PHASES = ("crawl", "put", "delete", "indexing")
HERE = "interrupted; waiting for the requests under way. The next sync goes on from here."
IN_AWS = "interrupted; the run goes on in AWS."


def command(  # noqa: PLR0913  # one parameter an option
    connector: Annotated[str | None, typer.Argument(help="A connector of connectors.yaml.", show_default=False)] = None,
    *,
    path: Annotated[Path | None, typer.Option(help="A folder to sync, without a connectors.yaml.")] = None,
    index: options.Index = None,
    config: Config = CONFIG,
    state: State = STATE,
    approve_deletes: Annotated[int, typer.Option(min=0, help="Apply up to so many deletes that were withheld.")] = 0,
    full: Annotated[bool, typer.Option(help="Send every document again, changed or not.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would be done, and do nothing.")] = False,
    deployed: Annotated[bool, typer.Option(help="Run the stack that `docferry local deploy` has deployed.")] = False,
    aws: Annotated[bool, typer.Option(help="With --deployed: run the stack in AWS.")] = False,
    as_json: Json = False,
) -> None:
    """Crawl a source and bring the index in step with it.

    The embedded default runs the deployed workflow on this machine, against emulated indexes kept in --state. The next
    sync moves only what has changed. With --deployed --aws it starts the connector's state machine in AWS, with the
    credentials and the region of the environment. Exits 0 when the sync succeeded, 1 when it failed, 2 for bad usage.

    Examples:
      docferry sync --path ~/handbook

      docferry sync --path ~/handbook --index qbusiness

      docferry sync handbook --json

      docferry sync handbook --deployed --aws

    """
    chosen = connectors.to_sync(connector, path, index, config)
    how = runner(deployed=deployed, aws=aws, path=path)
    inputs: dict[str, object] = {"approve_deletes": approve_deletes} if approve_deletes else {}
    if full:
        inputs["mode"] = "full"
    if dry_run:
        inputs["dry_run"] = True
    finish(chosen, state, inputs, as_json=as_json, how=how)


def finish(
    chosen: Connector, state: Path, inputs: dict[str, object], *, as_json: bool, how: "Runner | None" = None
) -> None:
    """Run one execution with these inputs, print what it did, and exit."""
    result, failures, skipped = (how or run)(chosen, state, inputs)
    if as_json:
        fields = msgspec.to_builtins(result)
        print(msgspec.json.encode({**fields, "failures": failures}).decode())  # noqa: T201  # the output of --json
    else:
        show(Console(), chosen, result, failures, skipped)
    raise typer.Exit(0 if result.status == "SUCCEEDED" else 1)


Documents = list[report.Failure]
Outcome = tuple[Report, Documents, Documents]
"""The report of a run, the documents that failed, and those that were skipped."""
Runner = Callable[[Connector, Path, dict[str, object]], Outcome]
"""Runs a connector once, with a state folder and the input of an execution."""


def runner(*, deployed: bool, aws: bool, path: Path | None) -> Runner:
    """What runs a connector: this process, the deployment on this machine, or the one in AWS.

    Raises ConfigurationError for options that do not go together.
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
    # Moto's interpreter takes a second to import; --help need not wait for it.
    from local.emulator import Settings  # noqa: PLC0415
    from local.laptop import laptop  # noqa: PLC0415

    console = Console(stderr=True)
    with ExitStack() as stack:
        with console.status("starting the emulators"):
            # On a laptop nobody has declared index fields; a connector that lists its fields is taken at its word.
            fields: Literal["reject", "declare"] = "reject" if connector.index.settings.get("fields") else "declare"
            aws = stack.enter_context(laptop(state=state, settings=Settings(undeclared_fields=fields)))
            deployment = aws.deploy(connector)
        connectors.remember(state, connector, deployment.wired.settings.connector.index)
        return follow(console, connector, deployment.wired.store, deployment.wired.index, deployment.start(**inputs))


def run_deployed(connector: Connector, state: Path, inputs: dict[str, object]) -> Outcome:
    """Sync with the stack that is deployed on this machine."""
    from local.deployed import cloud  # noqa: PLC0415  # as above
    from local.events import delivering  # noqa: PLC0415

    console = Console(stderr=True)
    with ExitStack() as stack:
        with console.status("starting the deployment"):
            running = stack.enter_context(cloud(state=state))
            running.create(connector.name)
        stack.enter_context(delivering(running.events))
        return _follow_stack(console, connector, inputs, HERE)


def run_in_aws(connector: Connector, _: Path, inputs: dict[str, object]) -> Outcome:
    """Sync with the stack in AWS, in the account and region of the environment."""
    try:
        return _follow_stack(Console(stderr=True), connector, inputs, IN_AWS)
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(f"{error}: look at the credentials and the region of the environment") from error


def _follow_stack(console: Console, connector: Connector, inputs: dict[str, object], interrupted: str) -> Outcome:
    stack = find(connector)
    store, index, execution = stack.store(), stack.data_source(), stack.start(**inputs)
    return follow(console, connector, store, index, execution, interrupted=interrupted)


def follow(
    console: Console,
    connector: Connector,
    store: Store,
    index: Index,
    execution: Execution,
    *,
    interrupted: str = HERE,
) -> Outcome:
    """Show how far an execution is until it has ended, or Ctrl-C, which is answered with a word on what happens now."""
    with bars(console) as shown:
        tasks = {phase: shown.add_task(phase, total=None) for phase in PHASES}
        waiting = threading.Event()
        try:
            while execution.status() == "RUNNING":
                update(shown, tasks, progress(store, index, execution.run))
                waiting.wait(LOOK_SECONDS)
        except KeyboardInterrupt:
            console.print(interrupted)
            raise typer.Exit(INTERRUPTED) from None
        update(shown, tasks, progress(store, index, execution.run))
    result = report.read(store, execution.run)
    if result is None:
        result = Report(run=execution.run, connector=connector.name, status="FAILED", error=execution.error())
    return result, list(report.failures(store, execution.run)), list(report.skipped(store, execution.run))


def bars(console: Console) -> Bars:
    """A progress bar per phase, on standard error."""
    return Bars(
        TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def update(shown: Bars, tasks: dict[str, TaskID], now: Progress) -> None:
    """Move the bars to where the run is."""
    for name, task in tasks.items():
        phase: Phase = getattr(now, name)
        shown.update(task, completed=phase.done, total=phase.total)


def show(console: Console, connector: Connector, result: Report, failures: Documents, skipped: Documents) -> None:
    """Print what a sync has done."""
    table = Table(title=f"{connector.name} → {connector.index.kind}", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name in ("added", "modified", "deleted", "unchanged", "skipped", "failed"):
        table.add_row(name, f"{getattr(result, name):,}")
    if result.quarantined:
        table.add_row("quarantined", f"{result.quarantined:,}", style="yellow")
    if result.withheld:
        table.add_row("withheld", f"{result.withheld:,}", style="yellow")
    table.add_row("execution id", result.execution_id or f"none: {why_no_job(result)}")
    table.add_row("sync job", result.job_status or "-")
    table.add_row("run", result.run)
    style = "green" if result.status == "SUCCEEDED" else "red"
    table.add_row("status", f"[{style}]{result.status}[/]")
    console.print(table)
    for title, documents in (("failed", failures), ("skipped", skipped)):
        show_documents(console, title, documents)
    if result.withheld:
        console.print(f"[yellow]Deletes withheld:[/] {escape(result.withheld_because)}", soft_wrap=True)
        console.print("If they are meant:")
        console.print(f"docferry approve {result.run} --connector {connector.name}", soft_wrap=True)
    if result.error:
        console.print(f"[red]{escape(result.error)}[/]", soft_wrap=True)


def why_no_job(result: Report) -> str:
    """Why a run opened no sync job."""
    if result.status == "FAILED":
        return "the run failed before"
    if result.dry_run:
        return "a dry run"
    return "all changes are withheld" if result.withheld else "nothing to change"


def show_documents(console: Console, title: str, documents: Documents) -> None:
    """Print documents with their reasons: each one that failed, and of a long list of skipped ones the first."""
    shown = documents if title == "failed" else documents[:SHOWN]
    for document in shown:
        console.print(f"[bold]{title}[/] {escape(document.id)}: {escape(document.reason)}", soft_wrap=True)
    if len(documents) > len(shown):
        reasons = Counter(re.sub(r"[\d,]+ bytes", "… bytes", document.reason) for document in documents)
        console.print(f"… and {len(documents) - len(shown):,} more skipped. Most common reasons:")
        for reason, count in reasons.most_common(5):
            console.print(f"{count:>7,}  {escape(reason)}", soft_wrap=True)
