"""Questions to the index of a connector, on the embedded default."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import structs
from rich.console import Console

from cli.connectors import Synced
from docferry.settings import Settings as Environment
from docferry.wiring import Wired, wire


@contextmanager
def asking(state: Path, synced: Synced) -> Iterator[Wired]:
    """What the functions of a connector that was synced with this state folder work with."""
    # Moto takes a second to import; --help need not wait for it.

    from local.emulator import Settings  # noqa: PLC0415
    from local.laptop import laptop, state_bucket  # noqa: PLC0415

    # There is no user to search as: Kendra then finds every document, and Q Business is made to do the same.
    settings = Settings(qbusiness_search_without_user="all")
    with Console(stderr=True).status("starting the emulators") as status, laptop(state=state, settings=settings):
        status.stop()
        connector = structs.replace(synced.connector, index=synced.index)
        yield wire(Environment(state_bucket(connector.name), connector))
