"""`docferry compare`: what two indexes find for the same queries."""

from pathlib import Path
from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Json, State, TargetOption


def command(  # noqa: PLR0913  # one parameter an option
    connector: Annotated[str, typer.Argument(help="A connector.")],
    new: Annotated[str, typer.Argument(help="The connector to compare it with. It has the same documents.")],
    *,
    queries: Annotated[
        Path, typer.Option(help="What to search for, one query a line. # begins a comment.", metavar="FILE")
    ],
    user: Annotated[str | None, typer.Option(help="Find what this user may see.", metavar="USER")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="With --user: a group of the user. May be repeated.", metavar="GROUP")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page to this file.", metavar="FILE", dir_okay=False)
    ] = None,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Compare what two indexes find.

    Searches both for each query of a file, shows the two lists side by side, and how many of the first 5 and 10 results
    they have in common. The page of --html needs no network and no other file.

    Exit code 0: both were asked, also when they find nothing alike. 1: a service cannot be reached. 2: bad usage or
    configuration, such as a file without a query.

    Examples:

      docferry compare handbook handbook-kb --queries queries.txt

      docferry compare handbook handbook-kb --queries queries.txt --user ann@example.com --html compared.html

    """
    from rich.console import Console

    from docferry.errors import ConfigurationError
    from docferry.indexes import Reader
    from docferry_cli.comparison import queries as listed
    from docferry_cli.comparison.asking import compare
    from docferry_cli.comparison.showing import show
    from docferry_cli.printed import put
    from docferry_cli.targets import Where

    if group and user is None:
        raise ConfigurationError("give --user too: a group without a user finds nothing")
    reader = Reader(user, tuple(group or ())) if user is not None else None
    found = compare(Where(target, state, config), (connector, new), listed.read(queries), reader)
    console = Console(emoji=False, highlight=False)
    if html is not None:
        from docferry_cli.comparison.page import page

        html.write_text(page(found), encoding="utf-8")
    if as_json:
        put(found)
    elif html is not None:
        console.print(f"wrote {html}", markup=False, soft_wrap=True)
    else:
        show(console, found)
