"""`docferry runs`: the ledger of runs."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Json, Named, State, TargetOption

if TYPE_CHECKING:
    from rich.console import Console

    from docferry.reporting.ledger import Entry

WIDTH = 220
STYLES = {"SUCCEEDED": "green", "FAILED": "red", "ABORTED": "red"}


def command(  # one parameter an option
    connector: Named = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="Show at most N runs.", metavar="N")] = 20,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """List the runs of a connector, newest first.

    Shows what started each run, its mode, times, counts and status.

    Examples:

      docferry runs

      docferry runs handbook --limit 5 --json

    """
    from rich.console import Console

    from docferry.reporting import ledger
    from docferry_cli.printed import put
    from docferry_cli.targets import Where

    with Where(target, state, config).look(connector) as opened:
        found = list(islice(ledger.newest(opened.store), limit))
    if as_json:
        put(found)
    else:
        # A run's name that is cut off is useless, so let the terminal wrap it.
        show(Console(width=max(WIDTH, Console().width)), found)


def show(console: "Console", runs: list["Entry"]) -> None:
    """Print the runs as a table."""
    from rich import box
    from rich.table import Table

    from docferry_cli.times import utc

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in ("run", "started by", "mode", "status", "began (UTC)", "ended (UTC)"):
        table.add_column(column, no_wrap=True)
    for column in ("added", "modified", "deleted", "failed", "held back"):
        table.add_column(column, justify="right", no_wrap=True)
    for run in runs:
        table.add_row(
            run.run,
            run.trigger if run.keys is None else f"{run.trigger}: {run.keys:,} keys",
            run.mode,
            f"[{STYLES.get(run.status, 'default')}]{run.status}[/]",
            utc(run.began),
            utc(run.ended),
            *(f"{count:,}" for count in (run.added, run.modified, run.deleted, run.failed, run.withheld + run.exposed)),
        )
    console.print(table if runs else "no runs")
