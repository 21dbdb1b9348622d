"""`docferry local`: deploys connectors on this machine, as CloudFormation would deploy them."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docferry_cli.commands.setup import serve_local
from docferry_cli.options import CONFIG, STATE, Config, State

if TYPE_CHECKING:
    from rich.console import Console

    from docferry.connector import Connector

app = typer.Typer(no_args_is_help=True)
app.command()(serve_local.serve)


@app.callback()
def group() -> None:
    """Deploy connectors on this machine.

    Moto's CloudFormation makes the stack from its template. The functions run in processes.

    Examples:

      docferry local deploy handbook-s3

      docferry local serve
    """


@app.command()
def deploy(
    connector: Annotated[
        str | None, typer.Argument(help="The name of a connector. Default: all that can be deployed.")
    ] = None,
    *,
    config: Config = CONFIG,
    state: State = STATE,
) -> None:
    """Deploy the stacks of connectors on this machine.

    Builds the bundle for this machine and synthesizes the stacks first. Keeps each stack in the folder --state, with
    its buckets and its emulated index. `docferry sync --target stack` runs a stack. Needs:
    pip install 'docferry[deploy]'.

    Examples:

      docferry local deploy

      docferry local deploy handbook-s3 && docferry sync handbook-s3 --target stack
    """
    from rich.console import Console

    from docferry.config.connectors import load_connectors
    from docferry.connector import pick
    from docferry_laptop.assembly import synthesize
    from docferry_laptop.deployed import cloud

    console = Console(stderr=True, soft_wrap=True)
    connectors = load_connectors(config)
    chosen = [pick(connectors, connector)] if connector else list(connectors.values())
    with tempfile.TemporaryDirectory() as folder:
        with console.status("synthesizing, and building the bundle"):
            assembly = synthesize(config, Path(folder) / "out", "here")
        if connector is None:
            chosen = [one for one in chosen if one.name in assembly.connectors()]
        with console.status("deploying") as status, cloud(state=state) as running:
            for one in chosen:
                running.publish(assembly, one)
                running.create(one.name)
                status.stop()
                tell(console, state, one)


def tell(console: "Console", state: Path, connector: "Connector") -> None:
    """Print what was deployed, and what to do next."""
    from docferry_cli.targets.deployed import find
    from docferry_cli.targets.here import INTERRUPTED

    made = find(connector, "stack", INTERRUPTED)
    console.print(f"[bold]docferry-{connector.name}[/] is deployed on this machine")
    console.print(f"  state machine  {made.state_machine}", highlight=False)
    console.print(f"  state bucket   {made.bucket}", highlight=False)
    if connector.source.kind == "s3":
        folder = state / "buckets" / connector.source.settings["bucket"]
        folder.mkdir(parents=True, exist_ok=True)
        console.print(f"  source bucket  {folder}: files put there are its objects", highlight=False)
    console.print(f"Run it: docferry sync {connector.name} --target stack")
    console.print("Serve it to any AWS client: docferry local serve")
