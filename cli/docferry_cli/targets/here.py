"""The target ``here``: the workflow in this process, against emulated indexes that a folder keeps."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console

from docferry.connector import Connector
from docferry.indexes import Index, index_class
from docferry.reporting import ledger
from docferry.state.store import Store
from docferry_cli import connectors
from docferry_cli.connectors import Synced
from docferry_cli.targets.opened import Opened, Startable
from docferry_emulators import Settings
from docferry_laptop.bucket_files import BucketFiles
from docferry_laptop.storage import FolderInUse, in_use, state_bucket, storage

INTERRUPTED = "interrupted; waiting for requests that have begun. The next sync continues from here."


class Seen(Opened):
    """A connector in a state folder that another process uses: its state bucket can be read, its index not asked."""

    interrupted = "interrupted; the run goes on in the process that has started it."
    # Each look takes the lock of the folder for a moment, and must not be in the way of a command that wants it.
    look_seconds = 2.0

    def __init__(self, state: Path, synced: Synced) -> None:
        super().__init__("here", synced.connector, synced.index, state_bucket(synced.connector.name))
        self._state = state

    @property
    def answering(self) -> Index | None:
        """See Opened."""
        return None

    @cached_property
    def store(self) -> Store:
        """See Opened."""
        settings = msgspec.convert(self.part.settings, index_class(self.part.kind).Settings)
        data_source = index_class(self.part.kind)(settings=settings, clients=lambda _: None).data_source
        return Store(self.bucket, BucketFiles(self._state / "buckets"), data_source)

    def running(self, run: str) -> bool:
        """See Opened. The process that uses the folder is taken for the one that runs what has not ended."""
        entry = ledger.find(self.store, run)
        return entry is not None and entry.status == "RUNNING" and in_use(self._state)


@contextmanager
def look(state: Path, synced: Synced) -> Iterator[Opened]:
    """Open a connector that was synced with this state folder, to look at it. Raises ConfigurationError."""
    with _storage(state):
        yield _opened(synced)


@contextmanager
def see(state: Path) -> Iterator[Callable[[Connector], Opened]]:
    """Give what opens any connector that was synced with this state folder, also beside a process that uses it.

    Raises ConfigurationError.
    """
    known = {one.connector.name: one for one in connectors.synced(state)}
    with ExitStack() as running:
        try:
            running.enter_context(_storage(state))
        except FolderInUse:
            yield lambda connector: Seen(state, known[connector.name])
        else:
            yield lambda connector: _opened(known[connector.name])


@contextmanager
def _storage(state: Path) -> Iterator[None]:
    # The search has no user. Kendra then finds every document, and this setting makes Q Business do the same.
    settings = Settings(qbusiness_search_without_user="all")
    with Console(stderr=True).status("starting the emulators") as status, storage(state=state, settings=settings):
        status.stop()
        yield


def _opened(synced: Synced) -> Opened:
    return Opened("here", synced.connector, synced.index, state_bucket(synced.connector.name))


@contextmanager
def run(state: Path, connector: Connector) -> Iterator[tuple[Startable, Callable[[Connector], Opened]]]:
    """Deploy a connector in this process, and give what opens others that were synced. It runs until the block ends.

    Raises ConfigurationError.
    """
    from docferry_laptop.laptop import laptop

    with ExitStack() as running:
        with Console(stderr=True).status("starting the emulators"):
            # On a laptop no one has declared index fields, so puts declare them, unless the connector lists its fields.
            fields: Literal["reject", "declare"] = "reject" if connector.index.settings.get("fields") else "declare"
            aws = running.enter_context(laptop(state=state, settings=Settings(undeclared_fields=fields)))
            deployed = aws.deploy(connector)
        index = deployed.wired.settings.connector.index
        connectors.remember(state, connector, index)
        startable = Startable(
            "here",
            connector,
            index,
            state_bucket(connector.name),
            state_machine=deployed.state_machine,
            interrupted=INTERRUPTED,
        )
        yield startable, lambda other: _opened(connectors.to_ask(state, other.name))
