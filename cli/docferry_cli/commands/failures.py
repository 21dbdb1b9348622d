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
    import msgspec
    from rich.console import Console

    from docferry.changes import quarantine
    from docferry_cli.safe_text import printable
    from docferry_cli.targets import Where

    with Where(target, state, config).look(connector) as opened:
        found = list(quarantine.read(opened.store))
    if as_json:
        shown = [
            {"id": one.id, "reason": one.reason, "runs": one.runs, "quarantined": one.quarantined} for one in found
        ]
        print(msgspec.json.encode(shown).decode())  # noqa: T201  # the output of --json
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
    import msgspec
    from rich.console import Console

    from docferry.changes import quarantine
    from docferry_cli.targets import Where

    with Where(target, state, config).look(connector) as opened:
        released = quarantine.release(opened.store, frozenset(ids) if ids else None)
    if as_json:
        print(msgspec.json.encode({"released": released}).decode())  # noqa: T201  # the output of --json
    else:
        Console().print(f"{released} released; the next sync sends them again")
