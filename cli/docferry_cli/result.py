"""Prints the result of a run, for a person or for a program."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from msgspec import UNSET
from rich.console import Console
from rich.table import Table

from docferry.changes.plans import Planned
from docferry.connector import Connector
from docferry.errors import ConfigurationError
from docferry.reporting.report import Failure, Report
from docferry_cli.next_steps import NextSteps
from docferry_cli.printed import RunResult, put
from docferry_cli.running import INTERRUPTED, Outcome, watch
from docferry_cli.safe_text import printable
from docferry_cli.targets import Where

SHOWN = 20
PLANNED = 100
REFUSED = ("ApprovalRefused: ", "ConfigurationError: ", "PlanRefused: ")
"""Errors of a run that its caller has caused: exit 2, as for any bad usage."""


def finish(where: Where, chosen: Connector, inputs: dict[str, object], *, as_json: bool) -> None:
    """Run one execution with these inputs, print what it did, and exit."""
    steps = NextSteps(where, chosen)
    with interruptible(steps), where.run(chosen) as opened:
        run = opened.start(**inputs).run
        outcome = watch(opened, run, steps.of_run("watch", run))
    conclude(steps, outcome, as_json=as_json)


@contextmanager
def interruptible(steps: NextSteps) -> Iterator[None]:
    """On Ctrl-C while a run starts, or once more while it ends, say how to see what came of it, and exit.

    ``watch`` itself says what happens in between.
    """
    try:
        yield
    except KeyboardInterrupt:
        told = f"interrupted. To see whether a run was started, and how it is: {printable(steps.about('status'))}"
        Console(stderr=True, highlight=False).print(told, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None


def conclude(steps: NextSteps, outcome: Outcome, *, as_json: bool) -> None:
    """Print what a run did, and exit as its outcome says."""
    result = outcome.report
    if as_json:
        put(for_programs(outcome))
    elif result.error.startswith(REFUSED):
        raise ConfigurationError(result.error.partition(": ")[2])
    else:
        show(Console(emoji=False), steps, outcome)  # in an ARN, ":secret:" is one
    if result.error.startswith(REFUSED):
        raise typer.Exit(2)
    raise typer.Exit(0 if result.status == "SUCCEEDED" else 1)


def for_programs(outcome: Outcome) -> RunResult:
    """Return what --json prints."""
    counted = {field: getattr(outcome.report, field) for field in outcome.report.__struct_fields__}
    return RunResult(
        **counted,
        failures=outcome.failed,
        withheld_documents=outcome.withheld,
        exposed_documents=outcome.exposed,
        documents=outcome.planned if outcome.report.dry_run else UNSET,
    )


def show(console: Console, steps: NextSteps, outcome: Outcome) -> None:
    """Print what a run has done. For a plan, print what a sync would do."""
    result, connector = outcome.report, steps.connector
    table = Table(title=f"{connector.name} → {connector.index.kind}", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    counts = {
        name: getattr(result, name) for name in ("added", "modified", "deleted", "unchanged", "skipped", "failed")
    }
    for name, count in (keys_looked_at(result) | counts | groups_sent(result)).items():
        table.add_row(name, f"{count:,}")
    for name in ("quarantined", "withheld", "exposed", "approved"):
        if count := getattr(result, name):
            table.add_row(name, f"{count:,}", style="yellow")
    table.add_row("execution id", result.execution_id or f"none: {why_no_job(result)}")
    table.add_row("sync job", result.job_status or "-")
    table.add_row("run", result.run)
    style = "green" if result.status == "SUCCEEDED" else "red"
    table.add_row("status", f"[{style}]{result.status}[/]")
    console.print(table)
    show_planned(console, outcome.planned)
    for title, documents in (("failed", outcome.failed), ("skipped", outcome.skipped)):
        show_documents(console, title, documents)
    if not result.dry_run:
        show_held_back(console, "withheld", outcome.withheld)
        show_held_back(console, "exposed", outcome.exposed)
    for note in result.notes:
        console.print(f"[yellow]{printable(note)}[/]", soft_wrap=True)
    if result.withheld:
        console.print(f"[yellow]Deletes withheld:[/] {printable(result.withheld_because)}", soft_wrap=True)
    if result.dry_run and result.status == "SUCCEEDED":
        apply = steps.of_run("apply", result.run)
        console.print(f"Nothing was sent. To send exactly this: {printable(apply)}", soft_wrap=True)
    if result.error:
        console.print(f"[red]{printable(result.error)}[/]", soft_wrap=True)


def keys_looked_at(result: Report) -> dict[str, int]:
    """Return how many keys a run of uploads has looked at; nothing for a crawl of the whole source."""
    return {"keys looked at": result.keys} if result.keys is not None else {}


def groups_sent(result: Report) -> dict[str, int]:
    """Return how many groups a run has sent; nothing for a connector without groups."""
    sent = result.groups
    return {"groups put": sent.put, "groups deleted": sent.deleted} if sent is not None else {}


def why_no_job(result: Report) -> str:
    """Return why a run opened no sync job."""
    if result.status == "FAILED":
        return "the run failed before it opened one"
    if result.dry_run:
        return "a plan"
    return "all changes are held back" if result.withheld or result.exposed else "nothing to change"


def show_planned(console: Console, planned: list[Planned]) -> None:
    """Print each document of a plan, with its reasons."""
    for document in planned[:PLANNED]:
        console.print(f"[bold]{printable(', '.join(document.why))}[/] {printable(document.id)}", soft_wrap=True)
    if len(planned) > PLANNED:
        console.print(f"… and {len(planned) - PLANNED:,} more; --json lists them all")


def show_held_back(console: Console, title: str, ids: list[str]) -> None:
    """Print the documents that wait for approval. The person who approves them has to see them."""
    for id_ in ids[:PLANNED]:
        console.print(f"[bold]{title}[/] {printable(id_)}", soft_wrap=True)
    if len(ids) > PLANNED:
        console.print(f"… and {len(ids) - PLANNED:,} more {title}; --json lists them all")


def show_documents(console: Console, title: str, documents: list[Failure]) -> None:
    """Print documents with their reasons: all that failed, but only the first of a long list of skipped ones."""
    shown = documents if title == "failed" else documents[:SHOWN]
    for document in shown:
        console.print(f"[bold]{title}[/] {printable(document.id)}: {printable(document.reason)}", soft_wrap=True)
    if len(documents) > len(shown):
        reasons = Counter(re.sub(r"[\d,]+ bytes", "… bytes", document.reason) for document in documents)
        console.print(f"… and {len(documents) - len(shown):,} more skipped. Most common reasons:")
        for reason, count in reasons.most_common(5):
            console.print(f"{count:>7,}  {printable(reason)}", soft_wrap=True)
