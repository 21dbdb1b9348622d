"""A source of one's own in the place of ``files``: the same folder, whose files come with the listing."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from docferry.errors import SourceUnavailable
from docferry.sources import Record, Records


class Shelf(Records):
    """The texts of a folder. It can neither go on from a checkpoint, nor tell a version without reading."""

    class Settings(msgspec.Struct, forbid_unknown_fields=True):
        """The ``source`` part of connectors.yaml."""

        path: str

    def records(self) -> Iterator[Record]:
        """In the order of names. Raises SourceUnavailable when the folder goes away."""
        folder = Path(self.settings.path)
        for file in sorted(folder.glob("*.txt")):
            try:
                text = file.read_bytes()
            except FileNotFoundError:
                if not folder.is_dir():
                    raise SourceUnavailable(f"{folder} went away") from None
                continue
            yield Record(id=file.name, title=file.name, content=text, content_type="PLAIN_TEXT")


KIND = f"{__name__}:Shelf"
