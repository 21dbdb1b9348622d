"""A folder of files, on this machine or on a share that is mounted here."""

# Paths are bytes here, as the file system has them; pathlib takes none.
# ruff: noqa: PTH100, PTH111, PTH112, PTH116

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import Annotated, cast
from urllib.parse import quote, unquote_to_bytes

from msgspec import Meta, Struct

from docferry.errors import ConfigurationError, DocumentUnreadable, DocumentVanished, SourceUnavailable
from docferry.model import ContentType, Document, Listed, Opened
from docferry.registry import Clients
from docferry.sources import sidecar
from docferry.sources.documents import MAX_BYTES, document, obstacle, skipped, type_of
from docferry.sources.fingerprint import fingerprint
from docferry.sources.globs import Globs
from docferry.sources.sidecar import SUFFIX, Sidecar, SidecarError
from docferry.sources.source import NOTHING, Ability, Known, Page
from docferry.sources.walk import Entry, Walk, leads_out

PAGE_LENGTH = 1_000
# Reading 256 MB takes under 10 s even from a slow share (30 MB/s): a crawl can look at its clock between two pages.
PAGE_BYTES = 256_000_000

Glob = Annotated[str, Meta(min_length=1, description="a pattern of paths below the folder, such as guides/**/*.md")]


class FilesSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``source`` part of a connector of kind ``files``."""

    path: Annotated[str, Meta(min_length=1, description="the folder that holds the documents")]
    include: tuple[Glob, ...] = ()
    exclude: tuple[Glob, ...] = ()
    uri: (
        Annotated[
            str,
            Meta(
                pattern="^(https?|ftp|file)://",
                description="the address where people open the files, such as https://wiki.example.com/docs/",
            ),
        ]
        | None
    ) = None
    follow_symlinks: Annotated[bool, Meta(description="true to index what symbolic links in the folder point to")] = (
        False
    )


class Files:
    """Every file below a folder that has a content type the services take."""

    Settings: type[Struct] = FilesSettings
    presentation = frozenset({"uri"})
    abilities: frozenset[Ability] = frozenset({"resumes", "access_control"})

    def __init__(self, *, connector: str, settings: FilesSettings, clients: Clients) -> None:  # noqa: ARG002 - no AWS
        self._connector = connector
        self._settings = settings
        root = os.path.abspath(os.path.expanduser(settings.path))
        self._root = os.fsencode(root)
        self._walk = Walk(root, Globs(settings.include, settings.exclude), follow_symlinks=settings.follow_symlinks)
        self._uri = settings.uri or Path(root).as_uri().rstrip("/") + "/"

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:  # noqa: ARG002  # it reads every file
        """List every file in the byte order of the paths; see Source.pages.

        Raises ConfigurationError when there is no such folder to begin with.
        """
        if checkpoint is None:
            self._check_setting()
        listed: list[Listed] = []
        size = 0
        for entry in self._walk.entries(after=unquote_to_bytes(checkpoint or "")):
            item = self._item(entry)
            if item is None:
                continue
            listed.append(item)
            size += item.size if isinstance(item, Document) else 0
            if len(listed) >= PAGE_LENGTH or size >= PAGE_BYTES:
                yield Page(listed, checkpoint=quote(entry.path))
                listed, size = [], 0
        if listed:
            yield Page(listed, checkpoint=quote(entry.path))

    def open(self, document: Document) -> Opened:
        """Read a listed file; see Source.open."""
        path = document.locator.encode()
        try:
            if leads_out(self._root, path):
                raise DocumentUnreadable(f"{document.locator} leads out of the source")
            with self._opened(path) as file:
                content = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError) as error:
            if not os.path.isdir(self._root):
                raise SourceUnavailable(f"{os.fsdecode(self._root)} went away") from error
            raise DocumentVanished(f"{document.locator} is gone") from error
        except OSError as error:
            raise DocumentUnreadable(f"{document.locator} cannot be read: {error.strerror}") from error
        if not content or len(content) > MAX_BYTES:
            raise DocumentUnreadable(f"{document.locator} {obstacle(document.locator, len(content), Sidecar())}")
        return Opened(content, version=f"sha256:{hashlib.sha256(content).hexdigest()}")

    def _check_setting(self) -> None:
        try:
            is_folder = stat.S_ISDIR(os.stat(self._root).st_mode)
        except OSError as error:
            raise ConfigurationError(
                f"source.path: {self._settings.path} cannot be found ({error.strerror}): name an existing folder; "
                f"a relative path begins in the current one, {Path.cwd()}"
            ) from error
        if not is_folder:
            raise ConfigurationError(f"source.path: {self._settings.path} is not a folder: name the folder it is in")

    def _item(self, entry: Entry) -> Listed | None:
        """Describe what the walk found; None when it has gone in between."""
        path = entry.path.decode(errors="backslashreplace")
        if entry.stat is None:
            return skipped(self._connector, path, entry.problem, uncertain=entry.sidecar, incomplete=entry.incomplete)
        try:
            said = self._sidecar(entry.path) if entry.sidecar else Sidecar()
        except SidecarError as error:
            return skipped(self._connector, path, f"sidecar {path}{SUFFIX}: {error}", uncertain=True)
        try:
            reason = obstacle(path, entry.stat.st_size, said)
            if reason is None:
                with self._opened(entry.path) as file:
                    digest, problem = fingerprint(file, cast("ContentType", type_of(path, said)))
                    size, status = file.tell(), os.fstat(file.fileno())
                reason = obstacle(path, size, said) or problem
        except (FileNotFoundError, NotADirectoryError):
            self._walk.check_root()
            return None
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
        if reason:
            return skipped(self._connector, path, reason, sidecar=said)
        return document(
            self._connector,
            path,
            version=f"sha256:{digest}",
            size=size,
            updated_at=_moment(status),
            uri=self._uri + quote(path),
            sidecar=said,
        )

    def _sidecar(self, path: bytes) -> Sidecar:
        name = path + os.fsencode(SUFFIX)
        try:
            if self._settings.follow_symlinks and leads_out(self._root, name):
                raise SidecarError("is a symbolic link to a file outside of the source")
            with self._opened(name) as file:
                data = file.read(sidecar.MAX_BYTES + 1)
        except OSError as error:
            raise SidecarError(f"cannot be read: {error.strerror}") from error
        return sidecar.read(data)

    def _opened(self, path: bytes) -> BufferedReader:
        """Open a regular file, and nothing else: opening a pipe waits for a writer, perhaps for ever."""
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(
                self._walk.absolute(path), flags if self._settings.follow_symlinks else flags | os.O_NOFOLLOW
            )
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, "is a symbolic link; see follow_symlinks") from error
            raise
        file = os.fdopen(descriptor, "rb")
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            file.close()
            raise OSError(errno.EINVAL, "is not a regular file")
        return file


def _moment(status: os.stat_result) -> datetime | None:
    """Return when a file was last changed, in whole seconds; some file systems reach beyond the year 9999."""
    try:
        return datetime.fromtimestamp(status.st_mtime_ns // 1_000_000_000, UTC)
    except (ValueError, OverflowError):
        return None
