"""`docferry sync`, `plan` and `apply`: bring the index in step with the source, or first show what would change."""

from pathlib import Path
from typing import Annotated

import typer

from docferry_cli import options
from docferry_cli.options import CONFIG, HERE, STATE, Config, Json, State, TargetOption

Chosen = Annotated[str | None, typer.Argument(help="The name of a connector in connectors.yaml.", show_default=False)]
Folder = Annotated[Path | None, typer.Option(help="A folder to sync, without a connectors.yaml.")]
Full = Annotated[bool, typer.Option("--full", help="Send every document again, changed or not.")]


def command(  # noqa: PLR0913  # one parameter an option
    connector: Chosen = None,
    *,
    path: Folder = None,
    index: options.Index = None,
    config: Config = CONFIG,
    state: State = STATE,
    full: Full = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done, as `docferry plan` does.")
    ] = False,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Crawl a source and bring the index in step with it.

    By default the workflow runs on this machine, against emulated indexes that are kept in --state. The next sync
    moves only what has changed. With --target aws, the connector's state machine runs in AWS, with the credentials and
    the region of the environment.

    Exit code 0: the sync succeeded. 1: it failed. 2: bad usage or configuration.

    Examples:

      docferry sync --path ~/handbook

      docferry sync --path ~/handbook --index qbusiness

      docferry sync handbook --json

      docferry sync handbook --target aws

    """
    from docferry.errors import ConfigurationError
    from docferry_cli import connectors
    from docferry_cli.result import finish
    from docferry_cli.targets import Where

    if target != "here" and path is not None:
        raise ConfigurationError(f"--path is for this machine; with --target {target} name one of {config}")
    where = Where(target, state, config)
    if target == "here":
        chosen = connectors.to_sync(connector, path, index, config)
    else:
        chosen = connectors.of_kind(where.connector(connector), index, config)
    inputs: dict[str, object] = {"mode": "full"} if full else {}
    if dry_run:
        inputs["dry_run"] = True
    finish(where, chosen, inputs, as_json=as_json)


def plan(  # noqa: PLR0913  # one parameter an option
    connector: Chosen = None,
    *,
    path: Folder = None,
    index: options.Index = None,
    config: Config = CONFIG,
    state: State = STATE,
    full: Full = False,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Show what a sync would send, and send nothing.

    Crawls the source, and lists each document with the reason why it would be sent. Keeps the change set: `docferry
    apply RUN` sends exactly that.

    Examples:

      docferry plan handbook

      docferry plan --path ~/handbook --json

    """
    command(
        connector,
        path=path,
        index=index,
        config=config,
        state=state,
        full=full,
        dry_run=True,
        target=target,
        as_json=as_json,
    )


def apply(  # one parameter an option
    run: Annotated[str, typer.Argument(help="The run of the plan.")],
    *,
    connector: options.Connector = None,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Send exactly what a plan has shown.

    Crawls the source again first. Sends nothing if the source, the manifest or the index has changed since the plan.

    Examples:

      docferry apply 6b1ccd0e-4a5c-4f0e-9a53-0d5d4b8b3c7f

    """
    from docferry_cli.result import finish
    from docferry_cli.targets import Where

    where = Where(target, state, config)
    finish(where, where.connector(connector), {"apply": run}, as_json=as_json)
