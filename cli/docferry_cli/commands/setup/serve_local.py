"""`docferry local serve`: serves the stacks that are deployed on this machine to any AWS client."""

import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from docferry.errors import ConfigurationError
from docferry_cli.options import STATE, Json, State

if TYPE_CHECKING:
    from rich.console import Console

    from docferry_laptop.deployed import Cloud

PORT = 4578
LOOK_SECONDS = 0.5

Clock = Annotated[
    Literal["wall", "virtual"],
    typer.Option(
        help="wall: the waits of the workflow and of the indexes take their time. virtual: they pass at once."
    ),
]


def serve(
    connectors: Annotated[
        list[str] | None, typer.Argument(help="The names of connectors. Default: all that are deployed.")
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The loopback port. 0 takes any free port.")] = PORT,
    state: State = STATE,
    clock: Clock = "wall",
    as_json: Json = False,
) -> None:
    """Serve the deployed stacks on this machine, for any AWS client.

    Listens on 127.0.0.1 until Ctrl-C: the state machine, the functions, the buckets, both index services. Uploads to
    the source bucket and the schedule start runs. Prints the environment variables that lead a client here as soon as
    it answers. With --json, the first line of the output is one JSON object. What a function calls is checked
    against the policies of its role; your own calls are not restricted. Ctrl-C stops the executions that run. The
    next run continues where they were.

    Examples:

      docferry local serve

      docferry local serve handbook-s3 --port 0 --json

      AWS_ENDPOINT_URL=http://127.0.0.1:4578 aws stepfunctions list-state-machines
    """
    from rich.console import Console

    from docferry_emulators.clock import VirtualClock, WallClock
    from docferry_laptop.deployed import cloud
    from docferry_laptop.moto.event_delivery import delivering

    # Not an Event: a handler that runs while the lock of the Event is held would wait for itself.
    caught: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: caught.append(received))
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with ExitStack() as stack:
        with console.status("starting the deployment"):
            running = stack.enter_context(
                cloud(state=state, clock=WallClock() if clock == "wall" else VirtualClock(), port=port)
            )
            served = begin(running, connectors or [], state)
        stack.enter_context(delivering(running.events))
        stack.enter_context(running.schedules.firing())
        tell(running, served, as_json=as_json)
        # A signal may reach another thread than this one, which then has to look for itself.
        while not caught:
            time.sleep(LOOK_SECONDS)
        say_goodbye(console, running, state)


def begin(running: "Cloud", connectors: list[str], state: Path) -> list[str]:
    """Make the stacks of connectors. Free the lease of a run that ended with its process. Return the connectors."""
    from docferry.runtime.wiring import client
    from docferry.state.store import Store
    from docferry_laptop.laptop import clear_lease

    served = connectors or running.deployed()
    if not served:
        raise ConfigurationError(f"nothing is deployed in {state}: run `docferry local deploy`")
    for connector in served:
        running.create(connector)
        clear_lease(Store(running.outputs(connector)["StateBucket"], client("s3")))
    running.hear_uploads()
    return served


def tell(running: "Cloud", served: list[str], *, as_json: bool) -> None:
    """Print how a client gets here, and what it finds."""
    from docferry_cli.printed import Served, put

    environment = {
        "AWS_ENDPOINT_URL": running.url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    stacks = {connector: running.outputs(connector) for connector in served}
    if as_json:
        put(Served(environment, stacks))
        return
    lines = [f"export {name}={value}" for name, value in environment.items()]
    for connector, outputs in stacks.items():
        lines.append(f"# {connector}: {outputs['StateMachineArn']}")
    print("\n".join([*lines, f"ready {running.url}"]), flush=True)  # noqa: T201  # the program that started this one reads it


def say_goodbye(console: "Console", running: "Cloud", state: Path) -> None:
    """Say what becomes of the executions that run, and how to go on."""
    going = running.executions()
    for name in going:
        console.print(f"stopping the execution {name}: the next run continues where it was", markup=False)
    console.print(f"the stacks are kept in {state}; go on with: docferry local serve", markup=False)
