"""The target ``stack``: what CloudFormation has made on this machine, with the functions in processes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from docferry.connector import Connector
from docferry_cli.targets.deployed import find
from docferry_cli.targets.here import INTERRUPTED
from docferry_cli.targets.opened import Startable
from docferry_emulators import Settings

if TYPE_CHECKING:
    from docferry_laptop.deployed import Cloud

# As here.look: a search without a user finds every document.
SETTINGS = Settings(qbusiness_search_without_user="all")


@contextmanager
def run(state: Path, connector: Connector) -> Iterator[tuple[Startable, Callable[[Connector], Startable]]]:
    """Open the stack of a connector on this machine, and give what opens others. It runs until the block ends.

    Raises ConfigurationError.
    """
    from docferry_laptop.moto.event_delivery import delivering

    with ExitStack() as running:
        here = running.enter_context(_cloud(state))
        here.create(connector.name)
        running.enter_context(delivering(here.events))
        yield opened(connector), partial(_created, here)


@contextmanager
def see(state: Path) -> Iterator[Callable[[Connector], Startable]]:
    """Give what opens the stack of any connector on this machine. No event is delivered, so nothing starts to run."""
    with _cloud(state) as here:
        yield partial(_created, here)


def _created(here: "Cloud", connector: Connector) -> Startable:
    here.create(connector.name)
    return opened(connector)


@contextmanager
def _cloud(state: Path) -> Iterator["Cloud"]:
    from docferry_laptop.deployed import cloud

    with ExitStack() as running:
        with Console(stderr=True).status("starting the deployment"):
            here = running.enter_context(cloud(state=state, settings=SETTINGS))
        yield here


def opened(connector: Connector) -> Startable:
    """Open the stack of a connector, which was created. Free the lease of a run that ended with its process."""
    from docferry_laptop.laptop import clear_lease

    found = find(connector, "stack", INTERRUPTED)
    clear_lease(found.store)
    return found
