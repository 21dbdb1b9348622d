"""`docferry emulator`: serves Kendra, Q Business, Bedrock and moto's services on a loopback port, for any program."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from docferry.errors import ConfigurationError

PORT = 4577


def command(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The loopback port. 0 takes any free port.")] = PORT,
    state: Annotated[
        Path | None, typer.Option(help="Folder that keeps indexes and buckets after a restart. Default: none.")
    ] = None,
    faults: Annotated[Path | None, typer.Option(help="YAML file with the faults to inject.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the emulators. Repeat it for more settings."),
    ] = None,
) -> None:
    """Serve Kendra, Q Business, Bedrock Knowledge Bases and moto's other services locally.

    Listens on 127.0.0.1 until Ctrl-C. Prints `ready http://127.0.0.1:PORT` as soon as it answers. Set AWS_ENDPOINT_URL
    to this address for any AWS client. Any credentials work. docs/emulator.md has examples for boto3, the AWS CLI and
    JavaScript.

    Examples:

      docferry emulator

      docferry emulator --port 0 --state ~/.docferry-emulator

      docferry emulator --set kendra_stop_idle=invalid --set indexing_seconds=60

      AWS_ENDPOINT_URL=http://127.0.0.1:4577 aws kendra list-indices
    """
    import msgspec

    from docferry_emulators import Settings
    from docferry_emulators.server.application import serve, serving
    from docferry_laptop.moto.buckets import kept_in, shared
    from docferry_laptop.storage import locked

    if faults is not None and not faults.is_file():
        raise ConfigurationError(f"--faults: {faults} does not exist; give a YAML file")
    try:
        behaviour = Settings.parse(settings or ())
    except ValueError as error:
        raise ConfigurationError(f"--set: {error}") from error
    with ExitStack() as stack:
        stack.enter_context(shared())
        if state is not None:
            stack.enter_context(locked(state))
            stack.enter_context(kept_in(state / "buckets"))
        try:
            database = state / "indexes.sqlite3" if state else None
            serve(serving(port=port, database=database, faults_file=faults, settings=behaviour))
        except msgspec.MsgspecError as error:
            raise ConfigurationError(f"--faults: {faults}: {error}") from error
