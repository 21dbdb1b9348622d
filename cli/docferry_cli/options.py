"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

IndexKind = Literal["kendra", "qbusiness"]

State = Annotated[
    Path, typer.Option(help="Folder that keeps the emulated indexes and the sync state.", envvar="DOCFERRY_STATE")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]
Index = Annotated[IndexKind | None, typer.Option(help="The service to use.")]
KNOWN = "A connector that was synced. Default: the last one."
Connector = Annotated[str | None, typer.Option(help=KNOWN, show_default=False)]
Named = Annotated[str | None, typer.Argument(help=KNOWN, show_default=False)]
Config = Annotated[Path, typer.Option(help="The file that describes the connectors.")]
Deployed = Annotated[bool, typer.Option("--deployed", help="Use the stack that `docferry local deploy` has deployed.")]
Aws = Annotated[bool, typer.Option("--aws", help="With --deployed: use the stack in AWS.")]

STATE = Path(".docferry")
CONFIG = Path("connectors.yaml")
