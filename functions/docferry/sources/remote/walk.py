"""The files of a remote tree in the byte order of their paths, holding no more than the folders on the way down."""

import sys
from collections.abc import Iterator

from msgspec import Struct

from docferry.errors import SourceUnavailable
from docferry.sources.describing.globs import Globs
from docferry.sources.describing.sidecar import SUFFIX
from docferry.sources.remote.filesystem import Filesystem, Item

DEPTH = 200
"""Folders below one another. Some servers show links as the folders they lead to, perhaps in a circle."""


class Entry(Struct, frozen=True):
    """A file; or something that cannot be listed, with the reason in ``problem`` and ``item`` None.

    ``sidecar`` is what lies beside it under the name of its sidecar. ``incomplete`` marks a folder that could not be
    listed.
    """

    path: str
    item: Item | None = None
    sidecar: Item | None = None
    problem: str = ""
    incomplete: bool = False


class _Folder(Struct, frozen=True):
    prefix: str
    items: dict[str, Item]
    rest: Iterator[str]


class Walk:
    """The files of a file system that ``globs`` selects, in the order of their paths. Sidecars are left out."""

    def __init__(self, fs: Filesystem, globs: Globs) -> None:
        self._fs = fs
        self._globs = globs

    def entries(self, after: str) -> Iterator[Entry]:
        """List what comes after the path ``after``, opening only folders that can hold such a path.

        Raises SourceUnavailable when the root cannot be listed, or is gone before the end.
        """
        try:
            folders = [self._folder("")]
        except (FileNotFoundError, PermissionError) as error:
            raise SourceUnavailable(f"the root of the source cannot be listed: {error}") from error
        while folders:
            folder = folders[-1]
            name = next(folder.rest, None)
            if name is None:
                folders.pop()
                continue
            path = folder.prefix + name
            if path <= after and (path == after or not (path.endswith("/") and after.startswith(path))):
                continue
            found = self._below(path, len(folders)) if path.endswith("/") else self._file(folder, name)
            if isinstance(found, Entry):
                yield found
            elif found:
                folders.append(found)
        self.check_root()

    def entry(self, path: str) -> Entry | None:
        """Look for one path as ``entries`` lists it. Opens only the folders on the way.

        Gives the folder on the way that cannot be listed, if there is one. Raises SourceUnavailable.
        """
        # Nothing that is not below `path` itself comes between this and `path`.
        before = path[:-1] + chr(ord(path[-1]) - 1) + chr(sys.maxunicode)
        for found in self.entries(after=before):
            if found.path == path or (found.path.endswith("/") and path.startswith(found.path)):
                return found
            if found.path > path:
                break
        return None

    def check_root(self) -> None:
        """Raise SourceUnavailable when the root is gone: nothing can be said then about what is below it."""
        try:
            self._fs.item("")
        except (FileNotFoundError, PermissionError) as error:
            raise SourceUnavailable(f"the root of the source went away: {error}") from error

    def _folder(self, prefix: str) -> _Folder:
        items = {item.name + "/" * (item.kind == "folder"): item for item in self._fs.ls(prefix.rstrip("/"))}
        return _Folder(prefix, items, iter(sorted(items)))

    def _below(self, path: str, depth: int) -> _Folder | Entry | None:
        """Open a folder; None when there is nothing to list in it."""
        name = path[:-1]
        if self._globs.prunes(name):
            return None
        if not is_utf8(name):
            return Entry(path, problem="its name is not UTF-8; rename the folder")
        if depth >= DEPTH:
            reason = f"lies {DEPTH} folders deep: links may lead in a circle; leave it out with exclude"
            return Entry(path, problem=reason, incomplete=True)
        try:
            return self._folder(path)
        except PermissionError as error:
            return Entry(path, problem=f"the folder cannot be listed: {error}", incomplete=True)
        except FileNotFoundError as error:
            return self._gone(path, error)

    def _gone(self, path: str, error: FileNotFoundError) -> Entry | None:
        """Look whether a folder is really gone: some file systems cannot find what they have listed."""
        self.check_root()
        try:
            self._fs.item(path.rstrip("/"))
        except FileNotFoundError:
            return None
        except PermissionError:
            pass
        return Entry(path, problem=f"the folder cannot be listed: {error}", incomplete=True)

    def _file(self, folder: _Folder, name: str) -> Entry | None:
        """Look at what is no folder; None when it is not a document of the source."""
        path, item = folder.prefix + name, folder.items[name]
        if item.kind == "outside":
            return Entry(path, problem=item.problem)
        if name.endswith(SUFFIX) or not self._globs.selects(path):
            return None
        sidecar = folder.items.get(name + SUFFIX)
        if not is_utf8(path):
            return Entry(path, sidecar=sidecar, problem="its name is not UTF-8; rename the file")
        if item.kind == "other":
            return Entry(path, sidecar=sidecar, problem=item.problem)
        return Entry(path, item, sidecar)


def is_utf8(name: str) -> bool:
    """Whether a name is text: Python keeps bytes that are not UTF-8 as surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
