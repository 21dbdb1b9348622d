"""The target ``here``: the workflow in this process, against emulated indexes that a folder keeps."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from rich.console import Console

from docferry.connector import Connector
from docferry_cli import connectors
from docferry_cli.connectors import Synced
from docferry_cli.targets.opened import Opened, Startable
from docferry_emulators import Settings
from docferry_laptop.storage import state_bucket, storage

INTERRUPTED = "interrupted; waiting for requests that have begun. The next sync continues from here."


@contextmanager
def look(state: Path, synced: Synced) -> Iterator[Opened]:
    """Open a connector that was synced with this state folder, to look at it. Raises ConfigurationError."""
    # The search has no user. Kendra then finds every document, and this setting makes Q Business do the same.
    settings = Settings(qbusiness_search_without_user="all")
    with Console(stderr=True).status("starting the emulators") as status, storage(state=state, settings=settings):
        status.stop()
        yield Opened("here", synced.connector, synced.index, state_bucket(synced.connector.name))


@contextmanager
def run(state: Path, connector: Connector) -> Iterator[Startable]:
    """Deploy a connector in this process; it runs until the block ends. Raises ConfigurationError."""
    from docferry_laptop.laptop import laptop

    with ExitStack() as running:
        with Console(stderr=True).status("starting the emulators"):
            # On a laptop no one has declared index fields, so puts declare them, unless the connector lists its fields.
            fields: Literal["reject", "declare"] = "reject" if connector.index.settings.get("fields") else "declare"
            aws = running.enter_context(laptop(state=state, settings=Settings(undeclared_fields=fields)))
            deployed = aws.deploy(connector)
        index = deployed.wired.settings.connector.index
        connectors.remember(state, connector, index)
        yield Startable(
            "here",
            connector,
            index,
            state_bucket(connector.name),
            state_machine=deployed.state_machine,
            interrupted=INTERRUPTED,
        )
