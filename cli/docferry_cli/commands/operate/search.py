"""`docferry search`: searches the index."""

from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Connector, Index, Json, State, TargetOption


def command(  # noqa: PLR0913  # one parameter an option
    words: Annotated[str, typer.Argument(help="What to look for.")],
    *,
    connector: Connector = None,
    index: Index = None,
    user: Annotated[str | None, typer.Option(help="Find what this user may see.", metavar="USER")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="With --user: a group of the user. May be repeated.", metavar="GROUP")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Show at most N results.", metavar="N")] = 10,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Search the index of the last sync.

    Prints title, excerpt and URI of each result. Without --user it finds every document.

    Examples:

      docferry search "life jackets"

      docferry search "expense claims" --index qbusiness --json

      docferry search "grievances" --user ann@example.com --group people

    """
    from rich.console import Console
    from rich.text import Text

    from docferry.errors import ConfigurationError
    from docferry.indexes import Reader
    from docferry_cli.printed import put
    from docferry_cli.safe_text import visible
    from docferry_cli.targets import Where

    if group and user is None:
        raise ConfigurationError("give --user too: a group without a user finds nothing")
    reader = Reader(user, tuple(group or ())) if user is not None else None
    with Where(target, state, config).look(connector, index) as opened:
        hits = opened.index.search(words, limit, reader)
    if as_json:
        put(hits)
        return
    console = Console(soft_wrap=True, highlight=False)
    if not hits:
        console.print(f"nothing found for {words!r} in {opened.part.kind}", markup=False)
    for number, hit in enumerate(hits, 1):
        console.print(Text(f"{number}. {visible(hit.title)}", style="bold"))
        console.print(Text("   " + visible(" ".join(hit.excerpt.split())[:300])))
        console.print(Text(f"   {visible(hit.uri or hit.document_id)}", style="cyan"))
