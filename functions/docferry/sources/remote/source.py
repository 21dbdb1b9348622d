"""The source of kind ``fsspec``: files on servers, in buckets, in Git and in archives."""

import hashlib
import io
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any, cast
from urllib.parse import quote, unquote

from msgspec import Meta, Struct, field, structs

from docferry.errors import (
    ConfigurationError,
    DocumentUnreadable,
    DocumentVanished,
    SourceUnavailable,
)
from docferry.model import ContentType, Document, Listed, Opened
from docferry.registry import Clients
from docferry.sources.describing import acl, sidecar
from docferry.sources.describing.acl import AclFile
from docferry.sources.describing.documents import MAX_BYTES, document, inside, no_document, obstacle, skipped, type_of
from docferry.sources.describing.fingerprint import fingerprint
from docferry.sources.describing.globs import Globs
from docferry.sources.describing.sidecar import SUFFIX, Sidecar, SidecarError
from docferry.sources.source import NOTHING, Ability, Known, Page, Sighting

try:
    from docferry.sources.remote import connection
    from docferry.sources.remote.filesystem import Filesystem, Item, Locked
    from docferry.sources.remote.walk import Entry, Walk
except ModuleNotFoundError as error:
    raise ConfigurationError("a source of kind fsspec needs fsspec: pip install 'docferry[fsspec]'") from error

PAGE_LENGTH = 1_000
# A crawl looks at its clock between pages.
PAGE_BYTES = 256_000_000
PAGE_SECONDS = 20.0
DIGEST = "sha256"

Glob = Annotated[str, Meta(min_length=1, description="a pattern of paths below the folder, such as guides/**/*.md")]


class FsspecSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``source`` part of a connector of kind ``fsspec``."""

    protocol: Annotated[
        str, Meta(min_length=1, description="a protocol of fsspec, such as sftp, smb, webdav, git, zip")
    ]
    options: Annotated[dict[str, Any], Meta(description="what the file system of the protocol is given")] = field(
        default_factory=dict
    )
    path: Annotated[str, Meta(description="the folder that holds the documents")] = ""
    include: tuple[Glob, ...] = ()
    exclude: tuple[Glob, ...] = ()
    acl: AclFile | None = None
    uri: (
        Annotated[
            str,
            Meta(
                pattern="^[a-z][a-z0-9+.-]*://",
                description="the address where people open the files, such as https://wiki.example.com/docs/",
            ),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        """Refuse a protocol that does not exist. Raises ValueError."""
        if problem := connection.problem(self.protocol):
            raise ValueError(problem)


class Fsspec:
    """Every file below a folder that has a content type the services take."""

    Settings: type[Struct] = FsspecSettings
    presentation = frozenset({"acl", "uri"})
    abilities: frozenset[Ability] = frozenset({"resumes", "cheap_version", "access_control"})

    def __init__(self, *, connector: str, settings: FsspecSettings, clients: Clients) -> None:
        self._connector = connector
        self._settings = settings
        self._clients = clients
        self._globs = Globs(settings.include, settings.exclude)
        self._acl: acl.Acl | None = None
        self._connected: Filesystem | None = None

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:  # noqa: ARG002  # it makes no notes
        """List every file in the byte order of the paths; see Source.pages.

        Raises ConfigurationError when there is no such folder to begin with, or the login is refused.
        """
        fs = self._connect(new=checkpoint is None)
        self._acl = _read_acl(fs, self._settings.acl) if self._settings.acl else None
        walk = Walk(fs, self._globs)
        listed: list[Listed] = []
        read, until = 0, time.monotonic() + PAGE_SECONDS
        for entry in walk.entries(after=unquote(checkpoint or "", errors="surrogateescape")):
            if entry.path == self._settings.acl:
                continue
            try:
                found, size = self._listed(fs, entry)
            except FileNotFoundError:  # gone since its folder was listed
                walk.check_root()
                continue
            listed.append(found)
            read += size
            if len(listed) >= PAGE_LENGTH or read >= PAGE_BYTES or time.monotonic() >= until:
                yield _page(listed, entry)
                listed, read, until = [], 0, time.monotonic() + PAGE_SECONDS
        if listed:
            yield _page(listed, entry)

    def find(self, locator: str) -> Sighting:
        """Look at one file; see Finder.find."""
        fs = self._connect(new=True)
        try:
            if not inside(locator) or fs.item(locator).kind == "folder":
                return Sighting(None, "there is no such file")
        except FileNotFoundError:
            return Sighting(None, "there is no such file")
        except PermissionError:
            pass  # what the walk below says of it is what a listing says
        reason = no_document(locator, self._settings.acl) or self._globs.left_out(locator)
        if reason:
            return Sighting(None, reason, left_out=True)
        self._acl = _read_acl(fs, self._settings.acl) if self._settings.acl else None
        entry = Walk(fs, self._globs).entry(locator)
        try:
            return Sighting(self._listed(fs, entry)[0]) if entry else Sighting(None, "there is no such file")
        except FileNotFoundError:
            return Sighting(None, "it is gone since it was looked for")

    def open(self, document: Document) -> Opened:
        """Read a listed file; see Source.open.

        A connection of before may be broken, or show an archive that has been replaced since. Then a new one is made.
        """
        if self._connected is not None:
            with suppress(SourceUnavailable, DocumentUnreadable, DocumentVanished):
                opened = self._read(self._connected, document)
                if opened.version == document.version:
                    return opened
        return self._read(self._connect(), document)

    def _connect(self, *, new: bool = False) -> Filesystem:
        """Connect anew. What is not there is a mistake in the settings of a ``new`` crawl, and an outage later."""
        settings = self._settings
        self._connected = None
        try:
            fs = Locked(connection.connected(settings.protocol, settings.options, settings.path, self._clients))
            if fs.item("").kind != "folder":
                raise ConfigurationError(f"source.path: {settings.path} is not a folder: name the folder it is in")
        except FileNotFoundError as error:
            if new:
                raise ConfigurationError(
                    f"source: {settings.protocol} cannot find {settings.path or 'what options name'} ({error}): name "
                    "what exists"
                ) from error
            raise SourceUnavailable(f"{settings.path or settings.protocol} went away: {error}") from error
        except PermissionError as error:
            raise SourceUnavailable(f"{settings.path or settings.protocol} cannot be listed: {error}") from error
        self._connected = fs
        return fs

    def _listed(self, fs: Filesystem, entry: Entry) -> tuple[Listed, int]:
        """Describe what the walk found, and tell how many bytes were read for it. Raises FileNotFoundError."""
        path = entry.path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        if entry.item is None:
            uncertain = entry.sidecar is not None
            return skipped(self._connector, path, entry.problem, uncertain=uncertain, incomplete=entry.incomplete), 0
        try:
            said = _sidecar(fs, path, entry.sidecar) if entry.sidecar else Sidecar()
        except SidecarError as error:
            return skipped(self._connector, path, f"sidecar {path}{SUFFIX}: {error}", uncertain=True), 0
        try:
            said = acl.applied(self._acl, path, said)
        except acl.NotCovered as error:
            return skipped(self._connector, path, str(error), sidecar=said), 0
        item, read = entry.item, 0
        reason = obstacle(path, item.size if item.size >= 0 else 1, said)
        if reason is None and (not item.version or item.size < 0):
            try:
                content = fs.read(path, MAX_BYTES + 1)
            except PermissionError as error:
                reason = f"cannot be read: {error}"
            except DocumentUnreadable as error:
                reason = str(error)
            else:
                read = len(content)
                item, reason = _digested(item, content, path, said)
        if reason:
            return skipped(self._connector, path, reason, sidecar=said), read
        listed = document(
            self._connector,
            path,
            version=item.version,
            size=item.size,
            updated_at=item.changed.replace(microsecond=0) if item.changed else None,
            uri=f"{self._settings.uri}{quote(path)}" if self._settings.uri else None,
            sidecar=said,
        )
        return listed, read

    def _read(self, fs: Filesystem, document: Document) -> Opened:
        path = document.locator
        try:
            before = fs.item(path)
            if before.kind != "file":
                raise DocumentUnreadable(f"{path} {before.problem or 'is a folder'}")
            content = fs.read(path, MAX_BYTES + 1)
        except FileNotFoundError as error:
            raise DocumentVanished(f"{path} is gone") from error
        except PermissionError as error:
            raise DocumentUnreadable(f"{path} cannot be read: {error}") from error
        if reason := _unfit(content, path, Sidecar(content_type=document.content_type)):
            raise DocumentUnreadable(f"{path} {reason}")
        return Opened(content, _opened_version(document.version, before, content))


def _page(listed: list[Listed], last: Entry) -> Page:
    return Page(listed, checkpoint=quote(last.path, errors="surrogateescape"))


def _read_acl(fs: Filesystem, name: str) -> acl.Acl:
    """Read who may see what. Raises ConfigurationError when it is not there, or not understood."""
    try:
        return acl.read(fs.read(name, acl.MAX_BYTES + 1), name)
    except FileNotFoundError as error:
        raise ConfigurationError(f"source.acl: there is no {name} in the folder; nothing is sent") from error
    except (PermissionError, DocumentUnreadable) as error:
        raise SourceUnavailable(f"source.acl: {name} cannot be read: {error}") from error


def _sidecar(fs: Filesystem, path: str, item: Item) -> Sidecar:
    """Read the sidecar of a document. Raises SidecarError."""
    if item.kind != "file":
        raise SidecarError(f"cannot be read: {item.problem or 'is a folder'}")
    try:
        return sidecar.read(fs.read(path + SUFFIX, sidecar.MAX_BYTES + 1))
    except (FileNotFoundError, PermissionError, DocumentUnreadable) as error:
        raise SidecarError(f"cannot be read: {error}") from error


def _digested(item: Item, content: bytes, path: str, said: Sidecar) -> tuple[Item, str | None]:
    """Give a file the version that its content has; return why it cannot be indexed, too."""
    version = f"{DIGEST}:{hashlib.sha256(content).hexdigest()}"
    return structs.replace(item, version=version, size=len(content)), _unfit(content, path, said)


def _unfit(content: bytes, path: str, said: Sidecar) -> str | None:
    """Return why content cannot be indexed: its size, or text that is not UTF-8."""
    if reason := obstacle(path, len(content), said):
        return reason
    _, problem = fingerprint(io.BytesIO(content), cast("ContentType", type_of(path, said)))
    return problem


def _opened_version(listed: str, item: Item, content: bytes) -> str:
    """Return the version that was read, in the terms of the one that was listed.

    Some file systems tell less of one file than of a folder. Then the listed version stands: if the file has changed
    since, the next crawl lists another one.
    """
    if listed.startswith(f"{DIGEST}:"):
        return f"{DIGEST}:{hashlib.sha256(content).hexdigest()}"
    same_terms = item.version.partition(":")[0] == listed.partition(":")[0]
    return item.version if same_terms else listed
