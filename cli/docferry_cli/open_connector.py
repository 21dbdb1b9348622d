"""Questions to the index of a connector, on the embedded default."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import structs
from rich.console import Console

from docferry.runtime.settings import Settings as Environment
from docferry.runtime.wiring import Wired, wire
from docferry_cli.connectors import Synced


@contextmanager
def open_connector(state: Path, synced: Synced) -> Iterator[Wired]:
    """What the functions of a connector that was synced with this state folder work with."""
    from docferry_emulators import Settings
    from docferry_laptop.storage import state_bucket, storage

    # There is no user to search as: Kendra then finds every document, and Q Business is made to do the same.
    settings = Settings(qbusiness_search_without_user="all")
    with Console(stderr=True).status("starting the emulators") as status, storage(state=state, settings=settings):
        status.stop()
        connector = structs.replace(synced.connector, index=synced.index)
        yield wire(Environment(state_bucket(connector.name), connector))
