"""The folder of kind ``files`` as a source that tells of single keys: the names of its files."""

from collections.abc import Iterable, Iterator

from docferry.sources import Look
from docferry.sources.folder.files import Files


class WatchedFiles(Files):
    """Looks at single files as it lists them."""

    def concerns_all(self, key: str) -> bool:  # noqa: ARG002  # the protocol's
        """See Watched.concerns_all."""
        return False

    def concerned(self, key: str) -> str | None:
        """See Watched.concerned."""
        return key

    def look(self, locators: Iterable[str]) -> Iterator[Look]:
        """See Watched.look."""
        for locator in locators:
            seen = self.find(locator)
            yield Look(locator, seen.listed, gone=seen.listed is None and not seen.left_out)


KIND = f"{__name__}:WatchedFiles"
