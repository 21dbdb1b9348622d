"""Commands for problems that a sync does not solve: approve, reconcile, rebuild."""

from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Connector, Json, Named, State, TargetOption


def approve(  # one parameter an option
    run: Annotated[str, typer.Argument(help="The run that held documents back.")],
    *,
    connector: Connector = None,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Send the changes that a run has held back.

    These are deletes, and documents that lost their access control. Crawls the source first. Sends only the changes in
    the run's list, and only if they are still due. Holds back again any other document that is gone. An approval works
    once.

    Examples:

      docferry approve 6b1ccd0e-4a5c-4f0e-9a53-0d5d4b8b3c7f
    """
    from docferry_cli.result import finish
    from docferry_cli.targets import Where

    where = Where(target, state, config)
    finish(where, where.connector(connector), {"approve": run}, as_json=as_json)


def reconcile(
    connector: Named = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Compare the manifest with the index, and repair what differs.

    Puts documents again that the index has lost. In Q Business, which can list its documents, also finds and deletes
    documents of this connector that should not be there.

    Examples:

      docferry reconcile --dry-run

      docferry reconcile handbook
    """
    from docferry_cli.result import finish
    from docferry_cli.targets import Where

    where = Where(target, state, config)
    inputs: dict[str, object] = {"mode": "reconcile", "dry_run": dry_run}
    finish(where, where.connector(connector), inputs, as_json=as_json)


def rebuild(
    connector: Named = None,
    *,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Replace a damaged manifest by a new one.

    Puts every document again, and deletes nothing.

    Examples:

      docferry rebuild handbook
    """
    from docferry_cli.result import finish
    from docferry_cli.targets import Where

    where = Where(target, state, config)
    finish(where, where.connector(connector), {"mode": "rebuild"}, as_json=as_json)
