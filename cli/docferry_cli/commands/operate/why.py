"""`docferry why`: why a document is found, or is not."""

from typing import Annotated

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, Json, State, TargetOption


def command(  # noqa: PLR0913  # one parameter an option
    document: Annotated[str, typer.Argument(help="Its id, its path or key in the source, or its address.")],
    *,
    connector: Annotated[
        str | None, typer.Option(help="Ask this connector only. Default: all of them.", show_default=False)
    ] = None,
    user: Annotated[str | None, typer.Option(help="Say whether this user may see it.", metavar="USER")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="With --user: a group of the user. May be repeated.", metavar="GROUP")
    ] = None,
    source: Annotated[bool, typer.Option("--source/--no-source", help="Look at the source, too.")] = True,
    limit: Annotated[
        int, typer.Option(min=1, help="Where one document cannot be asked for, list at most N.", metavar="N")
    ] = 10_000,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Say why a document is found, or is not, and who may see it.

    Looks at the source, the manifest, the last runs and the index, and says what to do. Changes nothing. Exit 0: the
    document is explained; 1: no connector knows it; 2: several fit, or it cannot be told.

    Examples:

      docferry why handbook/safety/plan.pdf

      docferry why safety/plan.pdf --user ann@example.com

      docferry why https://wiki.example.com/docs/plan.pdf --target aws --json

    """
    from rich.console import Console

    from docferry.errors import ConfigurationError
    from docferry.indexes import Reader
    from docferry_cli.printed import put
    from docferry_cli.targets import Where
    from docferry_cli.why import screen
    from docferry_cli.why.everywhere import ask
    from docferry_cli.why.evidence import Question

    if group and user is None:
        raise ConfigurationError("give --user too: a group without a user sees nothing")
    if not document:
        raise ConfigurationError("say which document: its id, its path or key in the source, or its address")
    question = Question(
        text=document,
        reader=Reader(user, tuple(group or ())) if user is not None else None,
        source=source,
        limit=limit,
    )
    found = ask(Where(target, state, config), connector, question)
    if as_json:
        put(found)
    else:
        screen.show(Console(soft_wrap=True, highlight=False, emoji=False), found)
    raise typer.Exit(screen.exit_code(found))
