"""Questions to the index of a connector, on the embedded default."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from docferry.connector import Connector
from docferry.indexes import Index


@contextmanager
def asking(state: Path, connector: Connector) -> Iterator[Index]:
    """The data source of a connector that was synced with this state folder."""
    # Moto takes a second to import; --help need not wait for it.
    from docferry.wiring import index  # noqa: PLC0415
    from local.emulator import Settings  # noqa: PLC0415
    from local.laptop import laptop  # noqa: PLC0415

    # There is no user to search as: Kendra then finds every document, and Q Business is made to do the same.
    settings = Settings(qbusiness_search_without_user="all")
    with Console(stderr=True).status("starting the emulators") as status, laptop(state=state, settings=settings):
        status.stop()
        yield index(connector.name, connector.index)
