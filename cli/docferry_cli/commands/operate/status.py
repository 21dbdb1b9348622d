"""`docferry status`: all connectors on one screen."""

from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Json, State, TargetOption


def command(
    connector: Annotated[str | None, typer.Argument(help="A connector. Default: all.", show_default=False)] = None,
    *,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Show how each connector is doing, and what to do next.

    Shows the last run, what is running now and how long it may take, what waits for approval, what fails, the last
    success against the schedule, an open sync job, and the lease.

    Exit code 0: all are healthy. 1: one is not. 2: none is known to be unhealthy, but one could not be read.

    Examples:

      docferry status

      docferry status handbook --target aws --json

    """
    from datetime import UTC, datetime

    from rich.console import Console

    from docferry.errors import ConfigurationError
    from docferry_cli.printed import put
    from docferry_cli.status.gathering import exit_code, gather
    from docferry_cli.status.showing import show
    from docferry_cli.targets import Where

    found = gather(Where(target, state, config), connector)
    if not found and target != "here":
        raise ConfigurationError(f"none of the connectors of {config} is deployed: `docferry deploy NAME` deploys one")
    if not found:
        raise ConfigurationError(f"nothing was synced with {state} yet: run `docferry sync` first, or give --state DIR")
    if as_json:
        put(found)
    else:
        show(Console(emoji=False, highlight=False), found, datetime.now(UTC))
    raise typer.Exit(exit_code(found))
