"""`docferry sources`: the kinds of sources, and whether one keeps its promises."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docferry_cli.options import CONFIG, Config, Json

if TYPE_CHECKING:
    from docferry_cli.printed import SourceKind

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="""
    List the kinds of sources, with their settings and abilities.

    Kinds of your own are those that connectors.yaml names, and those that installed packages bring.

    Examples:

      docferry sources

      docferry sources --json

      docferry sources test handbook
    """,
)


@app.callback()
def list_sources(context: typer.Context, *, config: Config = CONFIG, as_json: Json = False) -> None:
    """See the help of the app."""
    if context.invoked_subcommand:
        return
    from rich.console import Console

    from docferry_cli.printed import put
    from docferry_cli.safe_text import printable

    found = [described(kind) for kind in _kinds(config)]
    if as_json:
        put(found)
        return
    console = Console(soft_wrap=True, highlight=False)
    for one in found:
        console.print(f"[bold]{printable(one.kind)}[/]  {printable(one.description)}")
        if one.missing:
            console.print(f"  [yellow]{printable(one.missing)}[/]")
            continue
        for setting in one.settings:
            required = "required" if setting.required else "optional"
            console.print(f"  {setting.name} ({required})  {printable(setting.description)}")
        console.print(f"  abilities: {', '.join(one.abilities)}")


@app.command("test")
def check_source(
    connector: Annotated[str | None, typer.Argument(help="A connector. Default: the only one.", show_default=False)] = (
        None
    ),
    *,
    config: Config = CONFIG,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Look at no more than N documents.")] = 1_000,
    as_json: Json = False,
) -> None:
    """Check that the source of a connector keeps its promises.

    Reads the real repository, and changes nothing in it, nor in an index. Exit 1: it breaks a promise.

    Examples:

      docferry sources test handbook

      docferry sources test handbook --limit 50 --json
    """
    from rich.console import Console

    from docferry.errors import DocferryError
    from docferry.runtime.wiring import source
    from docferry.sources.checks import CHECKS
    from docferry_cli import connectors
    from docferry_cli.printed import CheckedPromise, put
    from docferry_cli.safe_text import printable

    chosen = connectors.to_sync(connector, None, None, config)
    console = Console(soft_wrap=True, highlight=False)
    results: list[CheckedPromise] = []
    for check in CHECKS:
        try:
            with console.status(check.name):
                seen, kept = check.run(lambda: source(chosen.name, chosen.source), limit), True
        except DocferryError as error:
            seen, kept = str(error), False
        results.append(CheckedPromise(check.name, kept, seen))
        if not as_json:
            mark = "[green]✓[/]" if kept else "[red]✗[/]"
            console.print(f"{mark} [bold]{check.name}[/]: {printable(seen)}")
    if as_json:
        put(results)
    raise typer.Exit(0 if all(one.kept for one in results) else 1)


def described(kind: str) -> "SourceKind":
    """Return what is to be known of a kind: its settings, and its abilities."""
    import msgspec

    from docferry.errors import ConfigurationError
    from docferry.sources import source_class
    from docferry_cli.printed import SourceKind, SourceSetting

    try:
        found: Any = source_class(kind)
    except ConfigurationError as error:
        return SourceKind(kind, missing=str(error))
    schema = msgspec.json.schema(found.Settings)
    fields = schema["$defs"][found.Settings.__name__] if "$ref" in schema else schema
    settings = tuple(
        SourceSetting(name, name in fields.get("required", []), _description(one))
        for name, one in fields.get("properties", {}).items()
    )
    description = (found.__doc__ or "").strip().partition("\n")[0]
    return SourceKind(kind, description, settings, tuple(sorted(found.abilities)))


def _description(schema: dict[str, Any]) -> str:
    """Return what a setting means; what it means may be said of a value that may be left out, or of list members."""
    parts = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    return next((part["description"] for part in parts if isinstance(part, dict) and "description" in part), "")


def _kinds(config: Path) -> list[str]:
    from docferry.sources import kinds, own

    found = [*kinds()]
    if config.exists():
        from docferry.config.connectors import load_connectors

        used = {connector.source.kind for connector in load_connectors(config).values()}
        found += sorted(kind for kind in used if own.is_own(kind))
    return found
