"""A crawl of files that have not changed: with the notes of the crawl before, and with `verify: always`.

Both list the same folder on a local disk, from the cache of the operating system: on a share, where every opening is a
way there and back, notes save more.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from docferry.model import Document
from docferry.sources import NOTHING, Known, Page
from docferry.sources.folder import notes
from docferry.sources.folder.files import Files, FilesSettings

FILES = 20_000
ROUNDS = 5
SIZES = {"1 KB": 1_000, "100 KB": 100_000}
SIDECAR = '{"AccessControlList": [{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}]}'


class Remembered:
    """The notes of the crawl before."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def holds(self, document: Document) -> bool:  # noqa: ARG002  # the protocol's
        """See Known."""
        return False

    def notes(self) -> Iterator[bytes]:
        """See Known."""
        return iter(self._lines)


def ratios() -> dict[str, float]:
    """How many times as long a crawl takes that reads every file, by the size of the files. Measured in turn."""
    notes.SETTLED_NS = -(10**18)  # the files are new, and nobody writes them while they are read
    return {name: median(_ratio(folder) for _ in range(ROUNDS)) for name, folder in _folders()}


def _folders() -> Iterator[tuple[str, "Folder"]]:
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as root:
            yield name, Folder(Path(root), size)


class Folder:
    """A folder of text files, each with a sidecar, and the notes of its first crawl."""

    def __init__(self, root: Path, size: int) -> None:
        for number in range(FILES):
            place = root / f"{number // 100:03}" / f"{number:06}.txt"
            place.parent.mkdir(exist_ok=True)
            place.write_text(f"{number:06}".ljust(size, "x"), encoding="utf-8")
            place.with_name(place.name + ".metadata.json").write_text(SIDECAR, encoding="utf-8")
        self._root = str(root)
        self._known = Remembered([note for page in self._pages("changed", NOTHING) for note in page.notes])

    def seconds(self, verify: Any) -> float:
        """List the folder, and return what it took."""
        started = time.perf_counter()
        listed = sum(len(page.listed) for page in self._pages(verify, self._known))
        assert listed == FILES
        return time.perf_counter() - started

    def _pages(self, verify: Any, known: Known) -> Iterator[Page]:
        settings = FilesSettings(path=self._root, verify=verify)
        return Files(connector="bench", settings=settings, clients=_no_clients).pages(None, known)


def _ratio(folder: Folder) -> float:
    return folder.seconds("always") / folder.seconds("changed")


def _no_clients(service: str) -> Any:
    raise AssertionError(service)
