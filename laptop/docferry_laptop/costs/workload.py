"""What a run has to do: the figures of a source, of an index, and of the changes between two runs."""

from typing import Annotated

from msgspec import Meta, Struct, structs

from docferry.indexes import Verify

Count = Annotated[int, Meta(ge=0)]


class Workload(Struct, frozen=True, kw_only=True):
    """One run. Counts are in documents, sizes in bytes.

    ``documents`` are in the source when the run lists it. ``sidecars`` of them have a sidecar file. ``first``: the
    index data source is empty, and nothing is known of it. ``attributes``: documents have attributes of their own.
    """

    source: str
    index: str
    documents: Count
    added: Count = 0
    modified: Count = 0
    deleted: Count = 0
    average_size: Count = 50_000
    sidecars: Count = 0
    attributes: bool = False
    groups: bool = False
    first: bool = False
    verify: Verify = "auto"

    @property
    def puts(self) -> int:
        """The documents that are sent."""
        return self.added + self.modified

    @property
    def changes(self) -> int:
        """The documents that are sent or deleted."""
        return self.puts + self.deleted

    @property
    def known(self) -> int:
        """The documents that the manifest held before the run."""
        return 0 if self.first else max(0, self.documents - self.added + self.deleted)

    def unchanged(self) -> "Workload":
        """The same connector in a run that finds nothing to do."""
        return structs.replace(self, added=0, modified=0, deleted=0, first=False)

    def from_nothing(self) -> "Workload":
        """The same connector in its first run."""
        return structs.replace(self, added=self.documents, modified=0, deleted=0, first=True)
