"""What is in a zip or tar archive. Its members are listed at once: both formats have to be read to their end for it."""

import tarfile
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from datetime import UTC, datetime
from stat import S_ISLNK
from typing import IO, Any, cast
from weakref import finalize

import fsspec
from fsspec.implementations.tar import TarFileSystem
from fsspec.implementations.zip import ZipFileSystem

from docferry.errors import DocumentUnreadable, SourceUnavailable
from docferry.sources.remote.filesystem import LINK, Item, read_up_to, said, translated

# What people write packs ten times, logs a hundred; deflate ends at 1,032 times, which only zeros reach.
RATIO = 200
RATIO_FROM = 1_000_000
UNPACKED_BYTES = 10_000_000_000
"""The most that a compressed tar may hold: it is unpacked into a temporary file."""
MEMORY_BYTES = 32_000_000
BLOCK = 1024 * 1024
OUT = "its name leads out of the archive; it was made to overwrite files"
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What reading a member raises when it is damaged, encrypted, or packed by an unknown method."""

Member = zipfile.ZipInfo | tarfile.TarInfo


class Archive:
    """The members of an archive below ``root``, as files and folders."""

    def __init__(self, members: dict[str, tuple[Item, Member]], bad: list[Item], root: str) -> None:
        self._members: dict[str, Member] = {}
        self._folders: dict[str, dict[str, Item]] = {"": {item.name: item for item in bad}}
        below = f"{root.strip('/')}/" if root.strip("/") else ""
        for name, (item, member) in members.items():
            if name.startswith(below):
                self._add(name.removeprefix(below), item, member)
        if below and len(self._folders) == 1 and not self._members:
            raise FileNotFoundError(f"the archive has no folder {root}")

    def ls(self, folder: str) -> list[Item]:
        """See Filesystem."""
        if folder not in self._folders:
            raise FileNotFoundError(folder)
        return list(self._folders[folder].values())

    def item(self, path: str) -> Item:
        """See Filesystem."""
        if path in self._folders:
            return Item(path.rpartition("/")[2], "folder")
        parent, _, name = path.rpartition("/")
        try:
            return self._folders[parent][name]
        except KeyError as error:
            raise FileNotFoundError(path) from error

    def read(self, path: str, limit: int) -> bytes:
        """See Filesystem."""
        if path not in self._members:
            raise FileNotFoundError(path)
        try:
            with translated(path), self._opened(self._members[path]) as file:
                content = read_up_to(file, limit)
        except SourceUnavailable as error:
            if isinstance(error.__cause__, DAMAGED):
                raise DocumentUnreadable(f"{path} is damaged in the archive: {said(error.__cause__)}") from error
            raise
        size = self.item(path).size
        if len(content) != min(size, limit):
            raise DocumentUnreadable(f"{path} holds other than the {size:,} bytes that the archive says")
        return content

    def _opened(self, member: Any) -> IO[bytes]:
        raise NotImplementedError

    def _add(self, path: str, item: Item, member: Member) -> None:
        if item.kind != "folder":
            self._members[path] = member
        parent, _, name = path.rpartition("/")
        if name:
            key = f"{name}/" if item.kind == "folder" else name
            self._folders.setdefault(parent, {})[key] = Item(
                name, item.kind, item.size, item.version, item.changed, item.problem
            )
        if item.kind == "folder":
            self._folders.setdefault(path, {})
        while parent:  # folders need no member of their own
            parent, _, name = parent.rpartition("/")
            known = self._folders.setdefault(parent, {})
            if f"{name}/" in known:
                break
            known[f"{name}/"] = Item(name, "folder")


class Zip(Archive):
    """A zip archive, as fsspec opens it."""

    def __init__(self, fs: ZipFileSystem, root: str) -> None:
        self._fs = fs  # closes the archive when it is collected
        named = [(_path(info.filename), info) for info in fs.zip.infolist()]
        bad = [Item(info.filename, "outside", problem=OUT) for path, info in named if path is None]
        super().__init__({path: (_zipped(info), info) for path, info in named if path is not None}, bad, root)

    def _opened(self, member: Any) -> IO[bytes]:
        opened: IO[bytes] = self._fs.zip.open(member)
        return opened


class Tar(Archive):
    """A tar archive, as fsspec opens it. Raises SourceUnavailable for one that is not whole."""

    def __init__(self, fs: TarFileSystem, root: str, file: IO[bytes] | None) -> None:
        self._fs = fs
        if file is not None:
            finalize(self, file.close)
        members = fs.tar.getmembers()
        _check_end(fs)
        named = [(_path(info.name), info) for info in members]
        bad = [Item(info.name, "outside", problem=OUT) for path, info in named if path is None]
        found = {path: info for path, info in named if path is not None}
        super().__init__({path: _tarred(info, found) for path, info in found.items()}, bad, root)

    def _opened(self, member: Any) -> IO[bytes]:
        file: IO[bytes] | None = self._fs.tar.extractfile(member)
        assert file is not None
        return file


def unpacked(options: dict[str, Any]) -> IO[bytes] | None:
    """Unpack a compressed tar into a temporary file, where each member is reached at once; None for a plain one.

    Raises SourceUnavailable for one that holds too much.
    """
    target = {"protocol": options.get("target_protocol"), **(options.get("target_options") or {})}
    opened = fsspec.open(options.get("fo", ""), "rb", compression=options.get("compression") or "infer", **target)
    if opened.compression is None:
        return None
    with ExitStack() as stack:
        plain = cast("IO[bytes]", stack.enter_context(tempfile.SpooledTemporaryFile(MEMORY_BYTES)))
        with opened as packed:
            while block := packed.read(BLOCK):
                plain.write(block)
                if plain.tell() > UNPACKED_BYTES:
                    raise SourceUnavailable(f"the tar holds more than {UNPACKED_BYTES:,} bytes unpacked; divide it")
        plain.seek(0)
        stack.pop_all()
    return plain


def _path(name: str) -> str | None:
    """Return the path of a member, relative to the archive; None for one that leads out of it."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\x00" in name:
        return None
    return "/".join(part for part in parts if part not in {"", "."})


def _zipped(info: zipfile.ZipInfo) -> Item:
    name = info.filename
    if info.is_dir():
        return Item(name, "folder")
    if S_ISLNK(info.external_attr >> 16):
        return Item(name, "other", problem=LINK)
    if info.flag_bits & 1:
        return Item(name, "other", problem="is encrypted; docferry reads archives without a password")
    if info.file_size > max(RATIO_FROM, RATIO * info.compress_size):
        return Item(name, "other", problem=f"unpacks to more than {RATIO} times its size, as a zip bomb does")
    try:
        changed = datetime(*info.date_time, tzinfo=UTC)
    except ValueError:  # the 0th of month 0
        changed = None
    return Item(name, "file", info.file_size, f"crc32:{info.CRC:08x}/{info.file_size}", changed)


def _tarred(info: tarfile.TarInfo, members: dict[str, tarfile.TarInfo]) -> tuple[Item, tarfile.TarInfo]:
    """Describe a member. The times in a tar are often all the same, so its content alone tells its version."""
    if info.isdir():
        return Item(info.name, "folder"), info
    if info.islnk():  # a second name of a file that stands further up
        info = members.get(_path(info.linkname) or "", info)
    if info.issym() or info.islnk():
        return Item(info.name, "other", problem=LINK), info
    if not info.isfile():
        return Item(info.name, "other", problem="is not a regular file"), info
    try:
        changed = datetime.fromtimestamp(int(info.mtime), UTC)
    except (ValueError, OverflowError, OSError):
        changed = None
    return Item(info.name, "file", info.size, "", changed), info


def _check_end(fs: TarFileSystem) -> None:
    """Look for the blocks of zeros that end a tar: Python takes one that is cut off or damaged for a short one."""
    fs.fo.seek(fs.tar.offset)
    if fs.fo.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise SourceUnavailable("the tar archive is cut off or damaged: what comes after that place cannot be listed")
