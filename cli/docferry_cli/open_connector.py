"""Opens the index and the state of a connector for questions, on the embedded default."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from rich.console import Console

from docferry.connector import Connector, Part
from docferry.indexes import Index
from docferry.runtime import wiring
from docferry.state.store import Store
from docferry_cli.connectors import Synced
from docferry_emulators import Settings
from docferry_laptop.storage import state_bucket, storage


class OpenConnector:
    """The index data source and the state bucket of a connector. Each makes its client when it is first used."""

    def __init__(self, connector: Connector, index: Part) -> None:
        self._connector = connector
        self._index = index

    @cached_property
    def index(self) -> Index:
        """The index data source."""
        return wiring.index(self._connector.name, self._index)

    @cached_property
    def store(self) -> Store:
        """The state bucket."""
        return Store(state_bucket(self._connector.name), wiring.client("s3"), self.index.data_source)


@contextmanager
def open_connector(state: Path, synced: Synced) -> Iterator[OpenConnector]:
    """Open a connector that was synced with this state folder, to look at it. Raises ConfigurationError."""
    # The search has no user. Kendra then finds every document, and this setting makes Q Business do the same.
    settings = Settings(qbusiness_search_without_user="all")
    with Console(stderr=True).status("starting the emulators") as status, storage(state=state, settings=settings):
        status.stop()
        yield OpenConnector(synced.connector, synced.index)
