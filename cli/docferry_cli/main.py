"""The `docferry` command: its subcommands, and what an error looks like."""

import gc
import os
import sys
from typing import Annotated

import typer

from docferry.errors import AccessDenied, ConfigurationError, DocferryError
from docferry_cli.commands.operate import compare, cost, doctor, history, report, runs, search, status, watch, why
from docferry_cli.commands.setup import deploy, deploy_local, emulator, init, sources
from docferry_cli.commands.sync import failures, migrate, repair, sync


def _show_version(asked: bool) -> None:  # noqa: FBT001  # typer's signature of a callback
    if asked:
        from importlib import metadata

        typer.echo(f"docferry {metadata.version('docferry')}")
        raise typer.Exit


app = typer.Typer(
    name="docferry",
    no_args_is_help=True,
    # Help in plain text: the library that draws boxes around it takes longer to import than everything else.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Only `docferry deploy`, --target aws and `docferry sources` use AWS. All else runs on this machine, with "
    "emulators of the three services.",
)
app.command("init")(init.command)
app.command("sync")(sync.command)
app.command("plan")(sync.plan)
app.command("apply")(sync.apply)
app.command("status")(status.command)
app.command("watch")(watch.command)
app.command("runs")(runs.command)
app.command("report")(report.command)
app.command("history")(history.command)
app.command("doctor")(doctor.command)
app.command("search")(search.command)
app.command("why")(why.command)
app.command("approve")(repair.approve)
app.command("failures")(failures.list_failures)
app.command("retry")(failures.retry)
app.command("reconcile")(repair.reconcile)
app.command("rebuild")(repair.rebuild)
app.command("migrate")(migrate.command)
app.command("compare")(compare.command)
app.command("cost")(cost.command)
app.command("emulator")(emulator.command)
app.command("synth")(deploy.synth)
app.command("deploy")(deploy.deploy)
app.add_typer(deploy_local.app, name="local")
app.add_typer(sources.app, name="sources")


@app.callback()
def docferry(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Keeps an Amazon Kendra, Q Business or Bedrock index in step with a document repository."""
    del version  # its callback has answered
    # The AWS CLI and the other SDKs read AWS_REGION, boto3 does not: https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    if region := os.environ.get("AWS_REGION"):
        os.environ["AWS_DEFAULT_REGION"] = region


FAILED = 1
USAGE = 2


def entry() -> None:
    """Run the command as a whole process, and keep the garbage collector away from the objects of imports."""
    # Imports make some 300,000 objects. Nearly all of them live as long as the process.
    gc.set_threshold(50_000, 20, 100)
    try:
        main()
    finally:
        # The process ends, so there is nothing to collect.
        gc.freeze()


def main() -> None:
    """Run the command. Exit 0: it worked; 1: the sync failed; 2: bad usage or configuration."""
    try:
        app()
    except ConfigurationError as error:
        fail(str(error), USAGE)
    except AccessDenied as error:
        from docferry_cli.aws_errors import explained

        fail(explained(error), USAGE)
    except DocferryError as error:
        fail(f"{type(error).__name__}: {error}", FAILED)
    except OSError as error:
        # A path that the person has given, or something below it, cannot be made, read or written.
        if error.filename is None:
            raise
        fail(f"{error.filename}: {error.strerror}", USAGE)
    except Exception as error:
        from docferry_cli.aws_errors import explain, of_aws

        if not of_aws(error):
            raise
        fail(explain(error), USAGE)


def fail(message: str, code: int) -> None:
    """Say what is wrong on standard error, and exit."""
    from rich.console import Console

    # Without emoji: in an ARN, ":secret:" is one.
    Console(stderr=True, soft_wrap=True, emoji=False).print(message, style="red", markup=False, highlight=False)
    sys.exit(code)
