"""`docferry report`: everything about one run."""

from pathlib import Path
from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Connector, Json, State, TargetOption


def command(  # one parameter an option
    run: Annotated[str, typer.Argument(help="A run, or the beginning of its name.")],
    *,
    connector: Connector = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with charts to this file.", metavar="FILE", dir_okay=False)
    ] = None,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Show everything about one run.

    Shows who started it and what it was asked for, its counts, the time of each phase, its sync job, and each document
    that failed, was skipped or held back, with the reason. The page of --html needs no network and no other file.

    Exit code 0: the report is shown, also the one of a run that has failed. 2: there is no such run.

    Examples:

      docferry report 6b1ccd0e

      docferry report 6b1ccd0e --connector handbook --html run.html

      docferry report 6b1ccd0e --json

    """
    from rich.console import Console

    from docferry_cli import finding
    from docferry_cli.printed import put
    from docferry_cli.run_report.gathering import gather
    from docferry_cli.run_report.showing import show
    from docferry_cli.targets import Where

    with Where(target, state, config).look_beside(connector) as opened:
        found = gather(opened, finding.find(opened.store, run))
    if html is not None:
        from docferry_cli.run_report.page import page

        html.write_text(page(found), encoding="utf-8")
    if as_json:
        put(found)
    elif html is not None:
        Console(emoji=False).print(f"wrote {html}", markup=False, highlight=False, soft_wrap=True)
    else:
        show(Console(emoji=False, highlight=False), found)
