"""A source of somebody's own, as the tests use it: it yields what a test has put on the shelf."""

from collections.abc import Iterable
from typing import Any

import msgspec

from docferry.sources import Record, Records

SHELVES: dict[str, list[Any]] = {}
"""What each shelf holds: records, and exceptions that are raised when it is their turn."""


class Shelf(Records):
    """Everything on a shelf."""

    class Settings(msgspec.Struct, forbid_unknown_fields=True):
        """The ``source`` part of connectors.yaml."""

        shelf: str

    def records(self) -> Iterable[Record]:
        """Yield them in order."""
        for item in SHELVES[self.settings.shelf]:
            if isinstance(item, Exception):
                raise item
            yield item


KIND = f"{__name__}:Shelf"
