"""`docferry migrate`: moves a connector to another index, while the old one goes on."""

from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Json, State, TargetOption


def command(  # one parameter an option
    connector: Annotated[str, typer.Argument(help="The connector to move away from.")],
    *,
    to: Annotated[
        str, typer.Option(help="The connector with the new index. It has the same source.", metavar="CONNECTOR")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Fill the new index. Without it, nothing is sent.")] = False,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Move a connector to another index.

    Lists what the new index will not take, with the reason for each document, before anything is sent. With --yes it
    fills the new index by a run of its connector, and says what is left to do. The old index is not touched, and goes
    on being synced. Interrupted, the same command goes on.

    Exit code 0: the list is shown, or the new index is filled. 1: it cannot be filled like this, or the fill has
    failed. 2: bad usage or configuration, such as two connectors with different sources.

    Examples:

      docferry migrate handbook --to handbook-kb

      docferry migrate handbook --to handbook-kb --yes

      docferry migrate handbook --to handbook-kb --target aws --json

    """
    from rich.console import Console

    from docferry.config.connectors import describe
    from docferry_cli import result
    from docferry_cli.migration import showing
    from docferry_cli.migration.moving import move
    from docferry_cli.migration.pair import pair
    from docferry_cli.next_steps import NextSteps
    from docferry_cli.printed import put
    from docferry_cli.targets import Where

    chosen, where = pair(describe(config), connector, to), Where(target, state, config)
    console = Console(emoji=False, highlight=False)
    steps = NextSteps(where, chosen.new.connector)
    with result.interruptible(steps):
        moved = move(where, chosen, lambda found: None if as_json else showing.show_list(console, found), fills=yes)
    if as_json:
        put(moved.migration)
    else:
        if moved.filled is not None:
            result.show(console, steps, moved.filled)
        showing.show_rest(console, moved.migration)
    raise typer.Exit(0 if moved.migration.stage in {"listed", "filled"} else 1)
