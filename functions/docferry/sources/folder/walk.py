"""A folder tree in the byte order of its paths, holding no more than the names of the folders on the way down."""

# Paths are bytes here, as the file system has them; pathlib takes none.
# ruff: noqa: PTH114, PTH115, PTH116, PTH118

import errno
import os
import stat
from bisect import bisect_left
from collections.abc import Iterator

from msgspec import Struct

from docferry.errors import SourceUnavailable
from docferry.sources.describing.globs import Globs
from docferry.sources.describing.sidecar import SUFFIX

_SUFFIX = os.fsencode(SUFFIX)

Identity = tuple[int, int]
"""Device and inode: a mount that goes away leaves a folder of the same name, but not the same identity."""


class Entry(Struct, frozen=True):
    """A regular file; or something that cannot be listed, with the reason in ``problem`` and ``stat`` None.

    ``path`` is relative to the root. ``sidecar`` says that the folder has one for it. ``incomplete`` marks a folder
    that could not be listed.
    """

    path: bytes
    sidecar: bool = False
    stat: os.stat_result | None = None
    problem: str = ""
    incomplete: bool = False


class _Folder(Struct, frozen=True):
    prefix: bytes
    names: list[bytes]
    rest: Iterator[bytes]
    identity: Identity


class Walk:
    """The files below ``root`` that ``globs`` selects, in the byte order of their paths. Sidecars are left out."""

    def __init__(self, root: str, globs: Globs, *, follow_symlinks: bool) -> None:
        self._root = os.fsencode(root)
        self._globs = globs
        self._follow = follow_symlinks
        self._identity: Identity | None = None

    def entries(self, after: bytes) -> Iterator[Entry]:
        """List what comes after the path ``after``, opening only folders that can hold such a path.

        Raises SourceUnavailable when the root is gone, or cannot be listed, before the end.
        """
        try:
            self._identity = _identity(os.stat(self._root))
            folders = [self._folder(b"")]
        except OSError as error:
            raise SourceUnavailable(f"{os.fsdecode(self._root)} cannot be listed: {error.strerror}") from error
        while folders:
            folder = folders[-1]
            name = next(folder.rest, None)
            if name is None:
                folders.pop()
                continue
            path = folder.prefix + name
            if path <= after and (path == after or not (path.endswith(b"/") and after.startswith(path))):
                continue
            found = self._look(folders, path) if path.endswith(b"/") else self._file(folder, name)
            if isinstance(found, Entry):
                yield found
            elif found:
                folders.append(found)
        self.check_root()

    def entry(self, path: bytes) -> Entry | None:
        """Look for one path as ``entries`` lists it. Opens only the folders on the way.

        Gives the folder on the way that cannot be listed, if there is one. Raises SourceUnavailable.
        """
        # Nothing that is not below `path` itself comes between this and `path`.
        before = path[:-1] + bytes([path[-1] - 1]) + b"\xff"
        for found in self.entries(after=before):
            if found.path == path or (found.path.endswith(b"/") and path.startswith(found.path)):
                return found
            if found.path > path:
                break
        return None

    def is_there(self, path: bytes) -> bool:
        """Whether there is something at a path that is not a folder. A symbolic link counts as such."""
        try:
            return not stat.S_ISDIR(os.lstat(self.absolute(path)).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # `entry` says why it cannot be looked at
            return True

    def check_root(self) -> None:
        """Raise SourceUnavailable when the root is no longer the folder that the walk began in."""
        try:
            now = _identity(os.stat(self._root))
        except OSError as error:
            raise SourceUnavailable(f"{os.fsdecode(self._root)} went away: {error.strerror}") from error
        if now != self._identity:
            raise SourceUnavailable(f"{os.fsdecode(self._root)} was replaced by another folder; was it unmounted?")

    def absolute(self, path: bytes) -> bytes:
        """Return the place of a path in the file system."""
        return os.path.join(self._root, path)

    def _folder(self, prefix: bytes) -> _Folder:
        place = self.absolute(prefix)
        with os.scandir(place) as entries:
            names = sorted(entry.name + b"/" if self._is_folder(entry) else entry.name for entry in entries)
        return _Folder(prefix, names, iter(names), _identity(os.stat(place)))

    def _is_folder(self, entry: os.DirEntry[bytes]) -> bool:
        try:
            return entry.is_dir(follow_symlinks=self._follow)
        except OSError:  # a link to itself
            return False

    def _look(self, folders: list[_Folder], path: bytes) -> _Folder | Entry | None:
        """Open a folder; None when there is nothing to list in it."""
        name = path[:-1]
        if self._globs.prunes(os.fsdecode(name)):
            return None
        try:
            problem = self._folder_problem(folders, name)
            return Entry(path, problem=problem) if problem else self._folder(path)
        except (FileNotFoundError, NotADirectoryError):
            self.check_root()
            return None
        except OSError as error:
            return Entry(path, problem=f"the folder cannot be listed: {error.strerror}", incomplete=True)

    def _folder_problem(self, folders: list[_Folder], name: bytes) -> str | None:
        if not _is_utf8(name):
            return "its name is not UTF-8; rename the folder"
        if not os.path.islink(self.absolute(name)):
            return None
        if leads_out(self._root, name):
            return "is a symbolic link to a folder outside of the source"
        identity = _identity(os.stat(self.absolute(name)))
        if any(identity == folder.identity for folder in folders):
            return "is a symbolic link to a folder that it is in itself"
        return None

    def _file(self, folder: _Folder, name: bytes) -> Entry | None:
        """Look at what is no folder; None when it is not a document of the source."""
        path = folder.prefix + name
        if name.endswith(_SUFFIX) or not self._globs.selects(os.fsdecode(path)):
            return None
        sidecar = _holds(folder.names, name + _SUFFIX)
        try:
            found = self._regular(path)
        except (FileNotFoundError, NotADirectoryError):
            self.check_root()
            broken = os.path.lexists(self.absolute(path))
            return Entry(path, sidecar, problem="is a symbolic link to nothing") if broken else None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return Entry(path, sidecar, problem="is a symbolic link that leads in a circle")
            # Not even its type is known: it may be a folder full of documents.
            return Entry(path, sidecar, problem=f"cannot be looked at: {error.strerror}", incomplete=True)
        return Entry(path, sidecar, problem=found) if isinstance(found, str) else Entry(path, sidecar, found)

    def _regular(self, path: bytes) -> os.stat_result | str:
        """Return the status of a regular file, or why there is none."""
        if not _is_utf8(path):
            return "its name is not UTF-8; rename the file"
        status = os.lstat(self.absolute(path))
        if stat.S_ISLNK(status.st_mode):
            if not self._follow:
                target = os.readlink(self.absolute(path)).decode(errors="backslashreplace")
                return f"is a symbolic link to {target}; see follow_symlinks"
            status = os.stat(self.absolute(path))
            if leads_out(self._root, path):
                return "is a symbolic link to a file outside of the source"
        return status if stat.S_ISREG(status.st_mode) else "is not a regular file"


def leads_out(root: bytes, path: bytes) -> bool:
    """Whether a path below ``root`` ends outside of it, over a symbolic link or over ``..``."""
    inside = os.path.realpath(root)
    return os.path.commonpath([inside, os.path.realpath(os.path.join(root, path))]) != inside


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


def _holds(names: list[bytes], name: bytes) -> bool:
    place = bisect_left(names, name)
    return place < len(names) and names[place] == name


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
