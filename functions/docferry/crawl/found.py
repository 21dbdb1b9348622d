"""What a source has listed on the way to the next chunk."""

from collections.abc import Sequence

from msgspec import Struct, field

from docferry.delivery.carried import Span
from docferry.model import Listed, Skipped
from docferry.state import lines, sorting


class Found(Struct):
    """What was listed since the last chunk: lines with their ids, where contents are, and notes of the source.

    ``size`` is that of the lines in bytes. ``skipped`` are those of them that are no documents.
    """

    listed: list[tuple[str, bytes]] = field(default_factory=list)
    size: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)

    def extend(self, entries: Sequence[Listed]) -> None:
        """Add what the source has listed, a page of it at a time."""
        added = [(entry.id, lines.encode(entry)) for entry in entries]
        self.listed += added
        self.size += sum([len(line) for _, line in added])
        self.skipped += [entry for entry in entries if isinstance(entry, Skipped)]

    @property
    def enough(self) -> bool:
        """Whether it is enough for a chunk."""
        most = max(len(self.listed), len(self.notes))
        return most >= sorting.CHUNK_LINES or self.size >= sorting.CHUNK_BYTES
