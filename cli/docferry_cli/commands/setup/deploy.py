"""`docferry synth` and `docferry deploy`: write and deploy the CloudFormation stacks of connectors."""

from pathlib import Path
from typing import Annotated

import typer

from docferry_cli.options import CONFIG, Config, Json

OUT = Path("cdk.out")
Out = Annotated[Path, typer.Option(help="The folder for the templates and the bundles.")]


def synth(*, config: Config = CONFIG, out: Out = OUT, as_json: Json = False) -> None:
    """Write the CloudFormation templates of the connectors.

    Writes a template for each connector that can be deployed. Builds the Lambda bundle first, and downloads its
    libraries once. Needs no AWS account and no Docker. Needs: pip install 'docferry[deploy]'.

    Examples:

      docferry synth

      docferry synth --config connectors.yaml --out cdk.out --json
    """
    from rich.console import Console

    from docferry_cli.printed import put
    from docferry_laptop.assembly import synthesize

    with Console(stderr=True).status("synthesizing, and building the bundle"):
        assembly = synthesize(config, out)
    written = {name: str(assembly.file(name)) for name in assembly.connectors()}
    if as_json:
        put(written)
        return
    for name, file in written.items():
        typer.echo(f"{name}: {file}")


def deploy(
    connector: Annotated[str, typer.Argument(help="The name of a connector in connectors.yaml.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments for `cdk deploy`, after --.")] = None,
    *,
    config: Config = CONFIG,
    out: Out = OUT,
) -> None:
    """Deploy the stack of one connector in AWS, with the CDK CLI.

    Synthesizes the stack first. The CDK CLI asks before it widens permissions. It is downloaded the first time.

    Uses the credentials and the region of the environment. Prepare the account and the region once with
    `npx aws-cdk bootstrap`. Needs: pip install 'docferry[deploy]'.

    Examples:

      docferry deploy handbook-s3

      docferry deploy handbook-s3 -- --profile production --require-approval never
    """
    from rich.console import Console

    from docferry_laptop.assembly import synthesize
    from docferry_laptop.cdk import cdk_deploy

    with Console(stderr=True).status("synthesizing, and building the bundle"):
        assembly = synthesize(config, out)
    assembly.file(connector)  # raises for a connector that was not synthesized
    raise typer.Exit(cdk_deploy(assembly, connector, arguments or []))
