"""`docferry failures` and `docferry retry`: documents that keep failing."""

from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Connector, Json, Named, State, TargetOption


def list_failures(
    connector: Named = None,
    *,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """List the documents that the index refuses, and why.

    Says in how many runs each document has failed, and which documents are quarantined: those are not sent any more.

    Examples:

      docferry failures

      docferry failures handbook --json
    """
    from rich.console import Console

    from docferry.changes import quarantine
    from docferry_cli.printed import FailingDocument, put
    from docferry_cli.safe_text import printable
    from docferry_cli.targets import Where

    with Where(target, state, config).look(connector) as opened:
        found = list(quarantine.read(opened.store))
    if as_json:
        put([FailingDocument(one.id, one.reason, one.runs, one.quarantined) for one in found])
        return
    console = Console(soft_wrap=True)
    if not found:
        console.print("no document fails")
    for one in found:
        mark = "[yellow]quarantined[/]" if one.quarantined else f"failed in {one.runs} of {quarantine.RUNS} runs"
        console.print(f"{mark} {printable(one.id)}: {printable(one.reason)}")


def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="Documents to release. Default: all.")] = None,
    *,
    connector: Connector = None,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Release documents from quarantine.

    The next sync sends them again.

    Examples:

      docferry retry

      docferry retry handbook/safety/plan.pdf
    """
    from rich.console import Console

    from docferry.changes import quarantine
    from docferry_cli.printed import Released, put
    from docferry_cli.targets import Where

    with Where(target, state, config).look(connector) as opened:
        released = quarantine.release(opened.store, frozenset(ids) if ids else None)
    if as_json:
        put(Released(released))
    else:
        Console().print(f"{released} released; the next sync sends them again")
