"""`docferry watch`: follows a run."""

from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Connector, Json, State, TargetOption


def command(  # one parameter an option
    run: Annotated[
        str | None,
        typer.Argument(help="A run, or the beginning of its name. Default: the one that is going on, else the newest."),
    ] = None,
    *,
    connector: Connector = None,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Follow a run until it ends, and show what it did.

    Shows how far each phase is, how fast it gets on, and how long it may take. Ctrl-C ends the command and not the run:
    the same command follows the run again.

    On this machine a run lives in the process that has started it. While that process works, another one can watch.

    Exit code 0: the run succeeded. 1: it failed. 2: bad usage. 130: interrupted.

    Examples:

      docferry watch

      docferry watch 6b1ccd0e --connector handbook --target aws

    """
    from docferry_cli import finding, running
    from docferry_cli.next_steps import NextSteps
    from docferry_cli.result import conclude
    from docferry_cli.targets import Where

    where = Where(target, state, config)
    with where.look_beside(connector) as opened:
        entry = finding.current(opened.store) if run is None else finding.find(opened.store, run)
        steps = NextSteps(where, opened.connector)
        outcome = running.watch(opened, entry.run, steps.of_run("watch", entry.run))
    conclude(steps, outcome, as_json=as_json)
