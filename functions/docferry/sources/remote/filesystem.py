"""What Docferry needs of a file system that is not mounted here, and how it gets that from one of fsspec's."""

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Literal, Protocol

from fsspec import AbstractFileSystem
from msgspec import Struct

from docferry.errors import DocferryError, DocumentUnreadable, SourceUnavailable

# A digest of the content before an ETag, which may also change with what is not content.
CHECKSUMS = ("md5Hash", "content_md5", "md5", "sha256", "sha1", "sha", "hex", "checksum", "ETag", "etag")
TIMES = ("mtime", "modified", "last_modified", "LastModified", "modify", "updated", "modificationTime")
# Many servers tell whole seconds: a file that is written twice in one has the same time. The rest is for their clocks.
SETTLED = timedelta(seconds=60)
MILLISECONDS = 100_000_000_000
FTP_TIME = re.compile(r"\d{14}(\.\d+)?", re.ASCII)
ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
DENIED = frozenset({errno.EACCES, errno.EPERM})
DENIALS = frozenset({"error_perm", "ForbiddenOperation", "SFTPPermissionDenied"})
"""What ftplib, webdav4 and asyncssh raise in their stead. None of them is imported here."""
LINK = "is a symbolic link, which is not followed"


Kind = Literal["file", "folder", "other", "outside"]


class Item(Struct, frozen=True):
    """Something in a folder. ``problem`` says why what is neither a file nor a folder cannot be indexed.

    ``outside``: its name leads out of the folder. Its path may then match no pattern, and it is reported all the same.
    ``size`` is -1 when it is not known. ``version`` is empty when only the content tells whether it has changed.
    """

    name: str
    kind: Kind
    size: int = 0
    version: str = ""
    changed: datetime | None = None
    problem: str = ""


class Filesystem(Protocol):
    """A tree of files. Paths are relative to its root and without a slash at either end; the root is an empty text.

    Each method raises FileNotFoundError, PermissionError, or SourceUnavailable when it cannot tell.
    """

    def ls(self, folder: str) -> list[Item]:
        """Return everything in a folder, in any order."""
        ...

    def item(self, path: str) -> Item:
        """Look at one path."""
        ...

    def read(self, path: str, limit: int) -> bytes:
        """Return the content of a file, at most ``limit`` bytes. Raises DocumentUnreadable for a damaged one, too."""
        ...


class Remote:
    """A file system of fsspec. ``root`` is where its documents begin.

    ``never`` are the characters in a name that it cannot ask for.
    """

    def __init__(self, fs: AbstractFileSystem, root: str, *, keeps_listings: bool = False, never: str = "") -> None:
        self._fs = fs
        self._root = root
        self._keeps_listings = keeps_listings
        self._never = never
        fs.invalidate_cache()

    def ls(self, folder: str) -> list[Item]:
        """See Filesystem."""
        place = self._place(folder)
        with translated(place):
            found = self._fs.ls(place, detail=True)
            if not self._keeps_listings:  # else memory would hold the whole tree in the end
                self._fs.invalidate_cache(place)
        return [self._possible(item) for info in found if (item := _listed(info, place)) is not None]

    def item(self, path: str) -> Item:
        """See Filesystem."""
        place = self._place(path)
        with translated(place):
            return _item(path.rpartition("/")[2], self._fs.info(place))

    def read(self, path: str, limit: int) -> bytes:
        """See Filesystem."""
        place = self._place(path)
        with translated(place), self._fs.open(place, "rb") as file:
            return read_up_to(file, limit)

    def _possible(self, item: Item) -> Item:
        if not set(self._never) & set(item.name):
            return item
        names = " or ".join(self._never)
        kind: Kind = "outside" if item.kind == "folder" else "other"
        return Item(item.name, kind, problem=f"its name has a {names}, which the library cannot ask for; rename it")

    def _place(self, path: str) -> str:
        if not path:
            return self._root
        return f"{self._root.rstrip('/')}/{path}" if self._root else path


class Locked:
    """A file system that one thread uses at a time: neither archives nor FTP connections can be shared."""

    def __init__(self, fs: Filesystem) -> None:
        self._fs = fs
        self._lock = Lock()

    def ls(self, folder: str) -> list[Item]:
        """See Filesystem."""
        with self._lock:
            return self._fs.ls(folder)

    def item(self, path: str) -> Item:
        """See Filesystem."""
        with self._lock:
            return self._fs.item(path)

    def read(self, path: str, limit: int) -> bytes:
        """See Filesystem."""
        with self._lock:
            return self._fs.read(path, limit)


def read_up_to(file: Any, limit: int) -> bytes:
    """Read a file to its end, or as many bytes as ``limit``. One read may give less than there is."""
    blocks: list[bytes] = []
    while limit and (block := file.read(limit)):
        blocks.append(bytes(block))
        limit -= len(block)
    return b"".join(blocks)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Let through what an error says of one path. Take any other error for an outage of the file system."""
    try:
        yield
    except (FileNotFoundError, PermissionError, DocferryError):
        raise
    except IsADirectoryError as error:
        raise DocumentUnreadable(f"{what} is a folder") from error
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        if number in ABSENT:
            raise FileNotFoundError(str(error)) from error
        if number in DENIED or type(error).__name__ in DENIALS:
            raise PermissionError(str(error)) from error
        raise SourceUnavailable(f"{what or 'the source'} cannot be read: {said(error)}") from error


def said(error: BaseException) -> str:
    """Return what an error says, and its type where that is all there is."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def settled(changed: datetime, now: datetime | None = None) -> bool:
    """Whether a file that was changed then, by the clock of its server, would show a later change in its time."""
    return changed < (now or datetime.now(UTC)) - SETTLED


def _listed(info: Mapping[str, Any], place: str) -> Item | None:
    """Describe an entry of a folder's listing. None for the folder itself, which object stores list in it."""
    folder, whole = place.strip("/"), str(info["name"]).strip("/")
    if whole == folder:
        return None
    name = whole.rpartition("/")[2]
    wanted = f"{folder}/{name}".strip("/")
    if name in {"", ".", ".."} or not f"/{whole}".endswith(f"/{wanted}"):
        return Item(whole, "outside", problem="its name leads out of its folder; rename it")
    return _item(name, info)


def _item(name: str, info: Mapping[str, Any]) -> Item:
    kind = info.get("type")
    if info.get("islink") or kind == "link":
        return Item(name, "other", problem=LINK)
    if kind == "directory":
        return Item(name, "folder")
    if kind != "file":
        return Item(name, "other", problem="is not a regular file")
    size = info.get("size")
    size = -1 if size is None else int(size)
    changed = next((moment for field in TIMES if (moment := _moment(info.get(field)))), None)
    return Item(name, "file", size, _version(info, size, changed), changed)


def _version(info: Mapping[str, Any], size: int, changed: datetime | None) -> str:
    for field in CHECKSUMS:
        value = info.get(field)
        if isinstance(value, bytes | bytearray):
            value = value.hex()
        if isinstance(value, str) and value:
            return f"{field}:{value}"
    if changed is None or size < 0:
        return ""
    # The next crawl sees another version, and sends the document once more: it may have changed within the second.
    return f"mtime:{changed.isoformat()}/{size}{'' if settled(changed) else '/recent'}"


def _moment(value: object) -> datetime | None:
    """Return a time as fsspec's file systems tell it: a datetime, seconds or milliseconds, ISO 8601, or FTP's."""
    try:
        match value:
            case datetime():
                return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            case bool():
                return None
            case int() | float():
                return datetime.fromtimestamp(value / 1000 if value > MILLISECONDS else value, UTC)
            case str():
                if FTP_TIME.fullmatch(value):
                    value = f"{value[:8]}T{value[8:14]}"
                moment = datetime.fromisoformat(value)
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):  # "Jan 31 10:30" of an old FTP server says no year
        pass
    return None
