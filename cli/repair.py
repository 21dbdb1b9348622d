"""Commands for when a sync alone does not do: approve, reconcile, rebuild."""

from typing import Annotated

import typer

from cli import connectors, sync
from cli.asking import asking
from cli.options import STATE, Connector, Json, Named, State
from docferry import report
from docferry.errors import ConfigurationError


def approve(
    run: Annotated[str, typer.Argument(help="The run that withheld deletes.")],
    *,
    connector: Connector = None,
    state: State = STATE,
    as_json: Json = False,
) -> None:
    """Apply the deletes that the last run has withheld, after a fresh crawl, and no more of them than there were.

    Examples:

      docferry approve 6b1ccd0e-4a5c-4f0e-9a53-0d5d4b8b3c7f
    """
    chosen = connectors.to_ask(state, connector)
    with asking(state, chosen) as wired:
        found, later = report.read(wired.store, run), report.later(wired.store, run)
    if found is None:
        raise ConfigurationError(f"connector {chosen.connector.name} has no run {run}; see the report of its last sync")
    if later:
        raise ConfigurationError(
            f"run {run} is not the last one, which is {later}: what is gone now may be something else; run "
            "`docferry sync`, and approve what that withholds"
        )
    if not found.withheld:
        raise ConfigurationError(f"run {run} has withheld no deletes; there is nothing to approve")
    sync.finish(chosen.connector, state, {"approve_deletes": found.withheld}, as_json=as_json)


def reconcile(
    connector: Named = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="Say what would be done, and do nothing.")] = False,
    state: State = STATE,
    as_json: Json = False,
) -> None:
    """Compare the manifest with the index itself, and repair what differs.

    Documents that the index has lost are put again. Q Business, which lists its documents, also shows those of this
    connector that should not be there: they are deleted.

    Examples:

      docferry reconcile --dry-run

      docferry reconcile handbook
    """
    inputs: dict[str, object] = {"mode": "reconcile", "dry_run": dry_run}
    sync.finish(connectors.to_ask(state, connector).connector, state, inputs, as_json=as_json)


def rebuild(connector: Named = None, *, state: State = STATE, as_json: Json = False) -> None:
    """Start the manifest anew, when it is damaged: put every document again, and delete nothing.

    Examples:

      docferry rebuild handbook
    """
    sync.finish(connectors.to_ask(state, connector).connector, state, {"mode": "rebuild"}, as_json=as_json)
