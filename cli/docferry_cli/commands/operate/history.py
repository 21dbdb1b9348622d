"""`docferry history`: the sync jobs of a data source, and the runs that made them."""

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from docferry.indexes import JobStatus
from docferry_cli.options import CONFIG, HERE, STATE, Config, Index, Json, Named, State, TargetOption

if TYPE_CHECKING:
    from rich.console import Console

    from docferry_cli.sync_jobs.joining import Job

WIDTH = 190
METRICS = ("added", "modified", "deleted", "failed")
TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
STYLES = {"SUCCEEDED": "green", "FAILED": "red", "ABORTED": "red", "INCOMPLETE": "yellow"}


def command(  # noqa: PLR0913  # one parameter an option
    connector: Named = None,
    *,
    index: Index = None,
    status: Annotated[JobStatus | None, typer.Option(help="Only jobs with this status.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only jobs that started at or after this time, UTC.", formats=TIMES)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Only jobs that started before this time, UTC.", formats=TIMES)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most N jobs.", metavar="N")] = 20,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """List the sync jobs of a data source, newest first.

    Shows the jobs as ListDataSourceSyncJobs returns them, with their metrics, and the run that opened each. A job that
    this connector did not open is foreign.

    Examples:

      docferry history

      docferry history handbook --status SUCCEEDED --since 2026-01-01 --json

    """
    from rich.console import Console

    from docferry_cli.printed import put
    from docferry_cli.sync_jobs.joining import joined
    from docferry_cli.targets import Where

    with Where(target, state, config).look(connector, index) as opened:
        found = opened.index.jobs(status=status, since=_utc(since), until=_utc(until))
        jobs = joined(opened.store, islice(found, limit))
    if as_json:
        put(jobs)
    else:
        # An execution id that is cut off is useless, so let the terminal wrap it.
        title, counts = f"{opened.connector.name} → {opened.part.kind}", opened.index.service.counts
        show(Console(width=max(WIDTH, Console().width)), title, jobs, counts)


def show(console: "Console", title: str, jobs: list["Job"], counts: Collection[str]) -> None:
    """Print the jobs as a table. ``counts`` are the metrics that the service tells."""
    from rich import box
    from rich.table import Table

    from docferry_cli.times import utc

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("execution id", "status", "started (UTC)", "ended (UTC)"):
        table.add_column(column, no_wrap=True)
    for column in METRICS:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("run", no_wrap=True)
    for job in jobs:
        metrics = job.metrics
        table.add_row(
            job.execution_id,
            f"[{STYLES.get(job.status, 'default')}]{job.status}[/]",
            utc(job.started_at),
            utc(job.ended_at),
            *(f"{getattr(metrics, name):,}" if name in counts else "-" for name in METRICS),
            job.run or job.made_by,
        )
    console.print(table if jobs else f"{title}: no sync jobs")


def _utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
