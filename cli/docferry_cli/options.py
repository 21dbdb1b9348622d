"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

IndexKind = Literal["kendra", "qbusiness", "bedrock"]

State = Annotated[
    Path, typer.Option(help="Folder that keeps the emulated indexes and the sync state.", envvar="DOCFERRY_STATE")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]
Index = Annotated[IndexKind | None, typer.Option(help="The service to use.")]
KNOWN = "A connector. Default: the one that was synced last here, or the only one of connectors.yaml."
Connector = Annotated[str | None, typer.Option(help=KNOWN, show_default=False)]
Named = Annotated[str | None, typer.Argument(help=KNOWN, show_default=False)]
Config = Annotated[Path, typer.Option(help="The file that describes the connectors.")]
Target = Literal["here", "stack", "aws"]
TargetOption = Annotated[
    Target,
    typer.Option(
        "--target",
        help="Where the connector runs: in this command (here), as the stack that `docferry local deploy` has deployed"
        " on this machine (stack), or as its stack in AWS (aws).",
        envvar="DOCFERRY_TARGET",
    ),
]

STATE = Path(".docferry")
CONFIG = Path("connectors.yaml")
HERE: Target = "here"
