"""`docferry doctor`: whether everything that a connector needs is there, and what to do where it is not."""

from typing import TYPE_CHECKING

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Json, Named, State, TargetOption

if TYPE_CHECKING:
    from rich.console import Console

    from docferry_cli.doctor.findings import Finding

EXIT = {"ok": 0, "wrong": 1, "unknown": 2}
MARKS = {
    "ok": "[green]ok[/]      ",
    "wrong": "[red]wrong[/]   ",
    "unknown": "[yellow]unknown[/] ",
    "not here": "-       ",
}
WIDTH = 16
INDENT = 26


def command(
    connector: Named = None,
    *,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Check everything that a connector needs to run.

    Prints a line for each check: ok, or what is wrong and the cure. Changes nothing. Exit 0: all is well; 1: something
    is wrong; 2: something cannot be told.

    Examples:

      docferry doctor

      docferry doctor contracts --target aws

      docferry doctor contracts --target aws --json
    """
    from rich.console import Console

    from docferry_cli.doctor.examine import examine
    from docferry_cli.printed import put
    from docferry_cli.targets import Where

    where = Where(target, state, config)
    # Without emoji: in an ARN, ":secret:" is one.
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    found = examine(where, connector, told=lambda one: None if as_json else show(console, one))
    if as_json:
        put(found)
    raise typer.Exit(EXIT[found.status])


def show(console: "Console", finding: "Finding") -> None:
    """Print a finding, with its cure in a line of its own."""
    from docferry_cli.safe_text import printable

    first, *more = map(printable, finding.said.split("\n"))
    console.print(f"{MARKS[finding.status]}[bold]{finding.check:{WIDTH}}[/]  {first}")
    for line in [*more, *([f"→ {printable(finding.cure)}"] if finding.cure else [])]:
        console.print(f"{'':{INDENT}}{line}")
