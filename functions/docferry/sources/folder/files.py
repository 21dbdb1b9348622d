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
from time import time_ns
from typing import Annotated, Literal, cast
from urllib.parse import quote, unquote_to_bytes

from msgspec import Meta, Struct

from docferry.errors import ConfigurationError, DocumentUnreadable, DocumentVanished, SourceUnavailable
from docferry.model import ContentType, Document, Listed, Opened
from docferry.registry import Clients
from docferry.sources.describing import acl, sidecar
from docferry.sources.describing.acl import AclFile
from docferry.sources.describing.documents import MAX_BYTES, document, inside, no_document, obstacle, skipped, type_of
from docferry.sources.describing.fingerprint import fingerprint
from docferry.sources.describing.globs import Globs
from docferry.sources.describing.sidecar import SUFFIX, Sidecar, SidecarError
from docferry.sources.folder import notes
from docferry.sources.folder.notes import Content, Note, Notes, SidecarText, Stamp
from docferry.sources.folder.walk import Entry, Walk, leads_out
from docferry.sources.source import NOTHING, Ability, Known, Page, Sighting

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
    acl: AclFile | None = None
    verify: Annotated[
        Literal["changed", "always"],
        Meta(description="always to read every file in every crawl, changed to read those whose status has changed"),
    ] = "changed"


class _Found(Struct, frozen=True):
    """What there is to say of one file. ``read`` is how many bytes were read for it, its sidecar not counted."""

    listed: Listed
    note: Note | None = None
    read: int = 0


class Files:
    """Every file below a folder that has a content type the services take."""

    Settings: type[Struct] = FilesSettings
    presentation = frozenset({"acl", "uri", "verify"})
    abilities: frozenset[Ability] = frozenset(
        {"resumes", "cheap_version", "access_control", "remembers", "opens_at_once"}
    )

    def __init__(self, *, connector: str, settings: FilesSettings, clients: Clients) -> None:  # noqa: ARG002 - no AWS
        self._connector = connector
        self._settings = settings
        root = os.path.abspath(os.path.expanduser(settings.path))
        self._root = os.fsencode(root)
        self._globs = Globs(settings.include, settings.exclude)
        self._walk = Walk(root, self._globs, follow_symlinks=settings.follow_symlinks)
        self._acl: acl.Acl | None = None
        self._uri = settings.uri or Path(root).as_uri().rstrip("/") + "/"

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:
        """List every file in the byte order of the paths; see Source.pages.

        A file that was noted, and whose status is still the same, is not opened. Raises ConfigurationError when there
        is no such folder to begin with.
        """
        if checkpoint is None:
            self._check_setting()
        self._acl = self._read_acl(self._settings.acl) if self._settings.acl else None
        earlier = Notes(known.notes() if self._settings.verify == "changed" else iter(()))
        page: list[_Found] = []
        read = 0
        for entry in self._walk.entries(after=unquote_to_bytes(checkpoint or "")):
            is_acl = self._settings.acl is not None and entry.path == os.fsencode(self._settings.acl)
            found = None if is_acl else self._found(entry, earlier.of(entry.path))
            if found is None:
                continue
            page.append(found)
            read += found.read
            if len(page) >= PAGE_LENGTH or read >= PAGE_BYTES:
                yield _page(page, entry)
                page, read = [], 0
        if page:
            yield _page(page, entry)

    def find(self, locator: str) -> Sighting:
        """Look at one file; see Finder.find."""
        self._check_setting()
        path = os.fsencode(locator)
        if not inside(locator) or not self._walk.is_there(path):
            return Sighting(None, "there is no such file")
        reason = no_document(locator, self._settings.acl) or self._globs.left_out(locator)
        if reason:
            return Sighting(None, reason, left_out=True)
        self._acl = self._read_acl(self._settings.acl) if self._settings.acl else None
        entry = self._walk.entry(path)
        found = self._found(entry, notes.NO_NOTE) if entry else None
        return Sighting(found.listed) if found else Sighting(None, "it is no file")

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

    def _read_acl(self, name: str) -> acl.Acl:
        """Read who may see what. Raises ConfigurationError when it is not there, or not understood."""
        try:
            with self._opened(os.fsencode(name)) as file:
                data = file.read(acl.MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ConfigurationError(f"source.acl: there is no {name} in the folder; nothing is sent") from error
        except OSError as error:
            raise SourceUnavailable(f"source.acl: {name} cannot be read: {error.strerror}") from error
        return acl.read(data, name)

    def _found(self, entry: Entry, earlier: Note) -> _Found | None:
        """Describe what the walk found; None when it has gone in between. ``earlier`` is its note of the last crawl."""
        path = entry.path.decode(errors="backslashreplace")
        if entry.stat is None:
            return _Found(
                skipped(self._connector, path, entry.problem, uncertain=entry.sidecar, incomplete=entry.incomplete)
            )
        text: SidecarText | None = None
        said = Sidecar()
        try:
            if entry.sidecar:
                data, text = self._sidecar(entry.path, earlier.sidecar)
                said = sidecar.read(data)
        except SidecarError as error:
            broken = skipped(self._connector, path, f"sidecar {path}{SUFFIX}: {error}", uncertain=True)
            # The document is not read now. What is known of it from before stays known.
            return _Found(broken, Note.of(entry.path, earlier.content, text))
        content, read = None, 0
        try:
            said = acl.applied(self._acl, path, said)
        except acl.NotCovered as error:
            uncovered = skipped(self._connector, path, str(error), sidecar=said)
            return _Found(uncovered, Note.of(entry.path, earlier.content, text))
        try:
            reason = obstacle(path, entry.stat.st_size, said)
            if reason is None:
                content, moment = self._content(entry, cast("ContentType", type_of(path, said)), earlier.content)
                read = content.size if content is not earlier.content else 0
                reason = obstacle(path, content.size, said) or content.problem
        except (FileNotFoundError, NotADirectoryError):
            self._walk.check_root()
            return None
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
        note = Note.of(entry.path, content, text)
        if reason:
            return _Found(skipped(self._connector, path, reason, sidecar=said), note, read)
        assert content is not None
        listed = document(
            self._connector,
            path,
            version=f"sha256:{content.digest}",
            size=content.size,
            updated_at=moment,
            uri=self._uri + quote(path),
            sidecar=said,
        )
        return _Found(listed, note, read)

    def _content(
        self, entry: Entry, content_type: ContentType, earlier: Content | None
    ) -> tuple[Content, datetime | None]:
        """Read a document, unless it is as it was; return what there is to say of it, and when it was changed."""
        assert entry.stat is not None
        if earlier and earlier.content_type == content_type and earlier.stamp == notes.stamp(entry.stat):
            return earlier, _moment(entry.stat)
        before = time_ns()
        with self._opened(entry.path) as file:
            digest, problem = fingerprint(file, content_type)
            size, status = file.tell(), os.fstat(file.fileno())
        stamp = notes.settled(status, size=size, before=before)
        return Content(stamp, content_type, size, digest, problem), _moment(status)

    def _sidecar(self, path: bytes, earlier: SidecarText | None) -> tuple[bytes, SidecarText | None]:
        """Read the sidecar of a document, unless it is as it was; return it, and what can be noted of it."""
        name = path + os.fsencode(SUFFIX)
        try:
            if self._settings.follow_symlinks and leads_out(self._root, name):
                raise SidecarError("is a symbolic link to a file outside of the source")
            if earlier and earlier.stamp == self._stamp(name):
                return earlier.text.encode(), earlier
            before = time_ns()
            with self._opened(name) as file:
                data, status = file.read(sidecar.MAX_BYTES + 1), os.fstat(file.fileno())
        except OSError as error:
            raise SidecarError(f"cannot be read: {error.strerror}") from error
        return data, notes.sidecar_text(data, notes.settled(status, size=len(data), before=before))

    def _stamp(self, path: bytes) -> Stamp | None:
        """Return the stamp of a regular file; None for anything else, which opening it will tell."""
        try:
            status = os.stat(self._walk.absolute(path), follow_symlinks=self._settings.follow_symlinks)
        except OSError:
            return None
        return notes.stamp(status) if stat.S_ISREG(status.st_mode) else None

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


def _page(found: list[_Found], last: Entry) -> Page:
    lines = tuple(notes.encode(one.note) for one in found if one.note)
    return Page([one.listed for one in found], checkpoint=quote(last.path), notes=lines)


def _moment(status: os.stat_result) -> datetime | None:
    """Return when a file was last changed, in whole seconds; some file systems reach beyond the year 9999."""
    try:
        return datetime.fromtimestamp(status.st_mtime_ns // 1_000_000_000, UTC)
    except (ValueError, OverflowError):
        return None
