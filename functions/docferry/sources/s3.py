"""A bucket, or the part of it below a prefix. Content stays there: the index reads it from S3 itself."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Meta, Struct

from docferry.errors import ConfigurationError, DocumentError, DocumentUnreadable, DocumentVanished
from docferry.model import Document, Listed, Opened, S3Object
from docferry.registry import Clients
from docferry.sources.bucket import keys, listing, notes
from docferry.sources.bucket.errors import MISSING, code, only_here, translated
from docferry.sources.bucket.folders import SEPARATOR, Folders
from docferry.sources.bucket.listing import Entry
from docferry.sources.bucket.looks import Looks
from docferry.sources.bucket.neighbours import Neighbours
from docferry.sources.bucket.sidecars import Described, Sidecars, Text
from docferry.sources.describing import acl, sidecar
from docferry.sources.describing.acl import AclFile
from docferry.sources.describing.documents import document, no_document, obstacle, skipped
from docferry.sources.describing.globs import Globs
from docferry.sources.describing.sidecar import NOTHING_SAID, SUFFIX, Sidecar, SidecarError
from docferry.sources.source import NOTHING, Ability, Known, Look, Open, Page, Sighting
from docferry.state.ahead import in_order

PAGE_LENGTH = 1_000
TIERING = "INTELLIGENT_TIERING"
"""The storage class that archives objects by itself; only HeadObject tells of which."""
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})

Glob = Annotated[str, Meta(min_length=1, description="a pattern of whole keys, such as guides/**/*.md")]
Prefix = Annotated[str, Meta(max_length=1024, description="the beginning of keys, such as handbook/")]


class S3Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``source`` part of a connector of kind ``s3``."""

    bucket: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            description="the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
        ),
    ]
    prefix: Prefix = ""
    metadata_prefix: Prefix = ""
    include: tuple[Glob, ...] = ()
    exclude: tuple[Glob, ...] = ()
    acl: AclFile | None = None


class S3:
    """Every object below a prefix that has a content type the services take."""

    Settings: type[Struct] = S3Settings
    presentation = frozenset({"acl"})
    abilities: frozenset[Ability] = frozenset(
        {"resumes", "cheap_version", "access_control", "remembers", "opens_at_once"}
    )

    def __init__(self, *, connector: str, settings: S3Settings, clients: Clients) -> None:
        self._connector = connector
        self._settings = settings
        self._globs = Globs(settings.include, settings.exclude)
        self._acl: acl.Acl | None = None
        self._s3 = clients("s3")
        listing.speed_up(self._s3)
        below = settings.metadata_prefix and settings.metadata_prefix.rstrip("/") + "/"
        self._sidecars = Sidecars(self._s3, settings.bucket, below)
        self._looks = Looks(self._s3, settings.bucket)
        self._uri = f"https://s3.{self._s3.meta.region_name}.amazonaws.com/{settings.bucket}/"

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:
        """List every object in the order of the keys; see Source.pages. The checkpoint is the last key.

        What was noted in the crawl before divides the listing into ranges, and spares reading sidecars that are as they
        were. Without notes, folders divide it. Raises ConfigurationError when there is no such bucket, AccessDenied
        when it may not be listed.
        """
        self._begin()
        folders = Folders(self._folders, self._settings.prefix)
        found = keys.pages(self._list, notes.ranges(known.notes(), checkpoint), folders.divide)
        for number, page in enumerate(self._sidecars.ahead(found, self._documents), start=1):
            listed = [self._item(entry, page) for entry in page.documents]
            noted = list(self._sidecars.notes(page))
            if number % keys.RANGE_PAGES == 0:
                noted.append(notes.of_boundary(page.boundary))
            yield Page(listed, page.last, notes=tuple(noted))

    def find(self, locator: str) -> Sighting:
        """Look at one key; see Finder.find. Its entry in a listing says more than HeadObject does."""
        found = self._list(None, prefix=locator)[0] if locator else []
        if not found or found[0].key != locator:
            return Sighting(None, "there is no such object")
        reason = self._left_out(locator)
        if _stands_for_folder(found[0]):
            reason = "it stands for a folder"
        if reason:
            return Sighting(None, reason, left_out=True)
        self._begin()
        return Sighting(self._item(found[0], self._sidecars.alone(found[0])))

    def concerns_all(self, key: str) -> bool:
        """Whether a key is the file that ``acl`` names; see Watched.concerns_all."""
        return key == self._settings.acl

    def concerned(self, key: str) -> str | None:
        """The key of a document, also when its sidecar has changed; see Watched.concerned."""
        document = self._sidecars.document(key) if key.endswith(SUFFIX) else key
        return document if document and self._left_out(document) is None else None

    def look(self, locators: Iterable[str]) -> Iterator[Look]:
        """Look at keys; see Watched.look. Each costs a HeadObject and, when it is there, a look for its sidecar.

        Those that are gone come last, when it is certain that the bucket is there.
        """
        self._begin()
        gone = []
        for look in in_order(self._look, locators):
            if look.gone:
                gone.append(look)
            else:
                yield look
        if gone:
            self._looks.check_bucket()
        yield from gone

    def open(self, document: Document) -> Opened:
        """Point to a listed object, as it is now; see Source.open."""
        bucket, key = self._settings.bucket, document.locator
        try:
            head = self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if code(error) in MISSING:
                raise DocumentVanished(f"s3://{bucket}/{key} is gone") from error
            raise only_here(
                error, bucket, DocumentUnreadable(f"s3://{bucket}/{key} cannot be read: {error}")
            ) from error
        except BotoCoreError as error:
            raise translated(error, bucket) from error
        archived = _archived(head.get("StorageClass"), put_away="ArchiveStatus" in head)
        return self._pointed_to(document, head["ContentLength"], head["ETag"], archived)

    def opener(self) -> Open:
        """Look documents up in pages of the listing, where they lie close together; see OpensNeighbours.opener."""
        neighbours = Neighbours(self._list)

        def open_(document: Document) -> Opened:
            entry = neighbours.entry(document.locator)
            if entry is None or entry.storage == TIERING:
                return self.open(document)
            return self._pointed_to(document, entry.size, entry.etag, _archived(entry.storage))

        return open_

    def _pointed_to(self, document: Document, size: int, etag: str, archived: str | None) -> Opened:
        """Point to an object. Raises DocumentUnreadable when the index could not read it."""
        bucket, key = self._settings.bucket, document.locator
        reason = obstacle(key, size, Sidecar(content_type=document.content_type)) or archived
        if reason:
            raise DocumentUnreadable(f"s3://{bucket}/{key} {reason}")
        return Opened(S3Object(bucket, key, size), _version(etag))

    def _list(self, after: str | None, *, prefix: str | None = None) -> tuple[list[Entry], bool]:
        """List a page of the keys, or, with a ``prefix`` of its own, the first of those that begin with it."""
        bucket = self._settings.bucket
        start = {"StartAfter": after} if after else {}
        which, most = (self._settings.prefix, PAGE_LENGTH) if prefix is None else (prefix, 1)
        try:
            reply = self._s3.list_objects_v2(Bucket=bucket, Prefix=which, MaxKeys=most, **start)
        except (ClientError, BotoCoreError) as error:
            raise translated(error, bucket) from error
        return listing.entries(reply), reply["IsTruncated"]

    def _folders(self, prefix: str, after: str) -> list[str]:
        """List the folders below a prefix that hold keys after a key."""
        bucket = self._settings.bucket
        try:
            reply = self._s3.list_objects_v2(
                Bucket=bucket, Prefix=prefix, Delimiter=SEPARATOR, StartAfter=after, MaxKeys=PAGE_LENGTH
            )
        except (ClientError, BotoCoreError) as error:
            raise translated(error, bucket) from error
        return [one["Prefix"] for one in reply.get("CommonPrefixes", ())]

    def _begin(self) -> None:
        """Read who may see what, and refuse a bucket that cannot be a source. Raises ConfigurationError."""
        if self._settings.bucket.endswith("--x-s3"):
            raise ConfigurationError("source.bucket: is a directory bucket, which lists in no order; use another")
        self._acl = self._read_acl(self._settings.acl) if self._settings.acl else None

    def _look(self, locator: str) -> Look:
        try:
            found = self._looks.entry(locator)
        except DocumentError as error:
            return Look(locator, skipped(self._connector, locator, str(error), uncertain=True))
        if found is None:
            return Look(locator, gone=True)
        if _stands_for_folder(found) or self._left_out(locator):
            return Look(locator)
        return Look(locator, self._item(found, self._sidecars.alone(found)))

    def _left_out(self, key: str) -> str | None:
        """Say why a key is no document of the source; None when it may be one."""
        prefix = self._settings.prefix
        if not key.startswith(prefix):
            return f"it is not below the prefix {prefix!r}"
        return no_document(key, self._settings.acl) or self._globs.left_out(key)

    def _documents(self, entries: list[Entry]) -> list[Entry]:
        """Leave out sidecars, the empty objects that stand for folders, and what the patterns do not select."""
        acl_file, selects = self._settings.acl, self._globs.selects
        return [
            entry
            for entry in entries
            if not (entry.key.endswith(SUFFIX) or (entry.key.endswith("/") and not entry.size))
            and entry.key != acl_file
            and selects(entry.key)
        ]

    def _item(self, entry: Entry, page: Described) -> Listed:
        key, size = entry.key, entry.size
        try:
            said = _said(page.text(key))
        except SidecarError as error:
            place = self._sidecars.place(key)
            return skipped(self._connector, key, f"sidecar {place}: {error}", uncertain=True)
        try:
            said = acl.applied(self._acl, key, said)
        except acl.NotCovered as error:
            return skipped(self._connector, key, str(error), sidecar=said)
        reason = obstacle(key, size, said) or _archived(entry.storage)
        if reason:
            return skipped(self._connector, key, reason, sidecar=said)
        return document(
            self._connector,
            key,
            version=_version(entry.etag),
            size=size,
            updated_at=_to_the_second(entry.modified),
            uri=self._uri + quote(key),
            sidecar=said,
        )

    def _read_acl(self, key: str) -> acl.Acl:
        """Read who may see what. Raises ConfigurationError when it is not there, or not understood."""
        bucket = self._settings.bucket
        try:
            with closing(self._s3.get_object(Bucket=bucket, Key=key)["Body"]) as body:
                return acl.read(body.read(acl.MAX_BYTES + 1), f"s3://{bucket}/{key}", bucket)
        except ClientError as error:
            if code(error) in MISSING:
                raise ConfigurationError(f"source.acl: there is no s3://{bucket}/{key}; nothing is sent") from error
            raise translated(error, bucket) from error
        except BotoCoreError as error:
            raise translated(error, bucket) from error


def _stands_for_folder(entry: Entry) -> bool:
    return entry.key.endswith("/") and not entry.size


def _said(text: Text | None) -> Sidecar:
    """What a sidecar says; nothing when there is none. Raises SidecarError."""
    return sidecar.read(text.data) if text is not None else NOTHING_SAID


def _version(etag: str) -> str:
    return "etag:" + etag.strip('"')


def _to_the_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0) if moment.microsecond else moment


def _archived(storage: str | None, *, put_away: bool = False) -> str | None:
    """Return why an object cannot be read at once: an archive has to be restored first, which takes hours.

    ``put_away``: a storage class that moves objects by itself has archived it, which only HeadObject tells.
    """
    if storage in ARCHIVED or put_away:
        return f"is archived ({storage}); copy it into another storage class to index it"
    return None
