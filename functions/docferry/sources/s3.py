"""A bucket, or the part of it below a prefix. Content stays there: the index reads it from S3 itself."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC
from typing import Annotated, Any
from urllib.parse import quote

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as NotConnected
from msgspec import Meta, Struct

from docferry.errors import (
    AccessDenied,
    ConfigurationError,
    DocferryError,
    DocumentError,
    DocumentUnreadable,
    DocumentVanished,
    SourceUnavailable,
)
from docferry.model import Document, Listed, Opened, S3Object
from docferry.registry import Clients
from docferry.sources import s3_listing
from docferry.sources.describing import acl, sidecar
from docferry.sources.describing.acl import AclFile
from docferry.sources.describing.documents import document, no_document, obstacle, skipped
from docferry.sources.describing.globs import Globs
from docferry.sources.describing.sidecar import SUFFIX, Sidecar, SidecarError
from docferry.sources.source import NOTHING, Ability, Known, Page, Sighting

PAGE_LENGTH = 1_000
# boto3's clients keep 10 connections; a sidecar takes some 20 ms, so a page of 1,000 about 2 s.
SIDECARS_AT_ONCE = 10

ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
DENIED = frozenset({"401", "403", "AccessDenied", "AllAccessDisabled"})
BUSY = frozenset({"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "429"})
SERVER_ERROR = 500

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
    abilities: frozenset[Ability] = frozenset({"resumes", "cheap_version", "access_control", "opens_at_once"})

    def __init__(self, *, connector: str, settings: S3Settings, clients: Clients) -> None:
        self._connector = connector
        self._settings = settings
        self._globs = Globs(settings.include, settings.exclude)
        self._metadata_prefix = settings.metadata_prefix and settings.metadata_prefix.rstrip("/") + "/"
        self._acl: acl.Acl | None = None
        self._s3 = clients("s3")
        s3_listing.speed_up(self._s3)
        self._uri = f"https://s3.{self._s3.meta.region_name}.amazonaws.com/{settings.bucket}/"

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:  # noqa: ARG002  # ETags tell enough
        """List every object in the order of the keys; see Source.pages. The checkpoint is the last key.

        Raises ConfigurationError when there is no such bucket, AccessDenied when it may not be listed.
        """
        if self._settings.bucket.endswith("--x-s3"):
            raise ConfigurationError("source.bucket: is a directory bucket, which lists in no order; use another")
        self._acl = self._read_acl(self._settings.acl) if self._settings.acl else None
        more = True
        with ThreadPoolExecutor(SIDECARS_AT_ONCE) as threads:
            while more:
                reply = self._list(checkpoint)
                objects, more = reply.get("Contents", []), reply["IsTruncated"]
                if objects:
                    checkpoint = objects[-1]["Key"]
                    page = _Known({entry["Key"] for entry in objects}, until=checkpoint if more else None)
                    listed = threads.map(lambda entry, page=page: self._item(entry, page), self._documents(objects))
                    yield Page(list(listed), checkpoint)

    def find(self, locator: str) -> Sighting:
        """Look at one key; see Finder.find. Its entry in a listing says more than HeadObject does."""
        prefix = self._settings.prefix
        found = self._list(None, prefix=locator).get("Contents", []) if locator else []
        if not found or found[0]["Key"] != locator:
            return Sighting(None, "there is no such object")
        reason = no_document(locator, self._settings.acl) or self._globs.left_out(locator)
        if not locator.startswith(prefix):
            reason = f"it is not below the prefix {prefix!r}"
        elif locator.endswith("/") and not found[0]["Size"]:
            reason = "it stands for a folder"
        if reason:
            return Sighting(None, reason, left_out=True)
        self._acl = self._read_acl(self._settings.acl) if self._settings.acl else None
        return Sighting(self._item(found[0], _Known({locator}, until=locator)))

    def open(self, document: Document) -> Opened:
        """Point to a listed object, as it is now; see Source.open."""
        bucket, key = self._settings.bucket, document.locator
        try:
            head = self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if _code(error) in MISSING:
                raise DocumentVanished(f"s3://{bucket}/{key} is gone") from error
            raise _only_here(
                error, bucket, DocumentUnreadable(f"s3://{bucket}/{key} cannot be read: {error}")
            ) from error
        except BotoCoreError as error:
            raise _translated(error, bucket) from error
        reason = obstacle(key, head["ContentLength"], Sidecar(content_type=document.content_type)) or _archived(head)
        if reason:
            raise DocumentUnreadable(f"s3://{bucket}/{key} {reason}")
        return Opened(S3Object(bucket, key, head["ContentLength"]), _version(head))

    def _list(self, after: str | None, *, prefix: str | None = None) -> Any:
        """List a page of the keys, or, with a ``prefix`` of its own, the first of those that begin with it."""
        bucket = self._settings.bucket
        start = {"StartAfter": after} if after else {}
        which, most = (self._settings.prefix, PAGE_LENGTH) if prefix is None else (prefix, 1)
        try:
            return self._s3.list_objects_v2(Bucket=bucket, Prefix=which, MaxKeys=most, **start)
        except (ClientError, BotoCoreError) as error:
            raise _translated(error, bucket) from error

    def _documents(self, objects: list[Any]) -> Iterator[Any]:
        """Leave out sidecars, the empty objects that stand for folders, and what the patterns do not select."""
        for entry in objects:
            key = entry["Key"]
            folder = key.endswith("/") and not entry["Size"]
            if key == self._settings.acl:
                continue
            if not folder and not key.endswith(SUFFIX) and self._globs.selects(key):
                yield entry

    def _item(self, entry: Any, page: "_Known") -> Listed:
        key, size = entry["Key"], entry["Size"]
        place = self._metadata_prefix + key + SUFFIX
        try:
            said = self._sidecar(place, page)
        except SidecarError as error:
            return skipped(self._connector, key, f"sidecar {place}: {error}", uncertain=True)
        try:
            said = acl.applied(self._acl, key, said)
        except acl.NotCovered as error:
            return skipped(self._connector, key, str(error), sidecar=said)
        reason = obstacle(key, size, said) or _archived(entry)
        if reason:
            return skipped(self._connector, key, reason, sidecar=said)
        return document(
            self._connector,
            key,
            version=_version(entry),
            size=size,
            updated_at=entry["LastModified"].astimezone(UTC).replace(microsecond=0),
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
            if _code(error) in MISSING:
                raise ConfigurationError(f"source.acl: there is no s3://{bucket}/{key}; nothing is sent") from error
            raise _translated(error, bucket) from error
        except BotoCoreError as error:
            raise _translated(error, bucket) from error

    def _sidecar(self, place: str, page: "_Known") -> Sidecar:
        """Read the sidecar at a key. Returns an empty one when there certainly is no sidecar."""
        bucket = self._settings.bucket
        exists = None if self._metadata_prefix else page.holds(place)
        if exists is False:
            return Sidecar()
        try:
            with closing(self._s3.get_object(Bucket=bucket, Key=place)["Body"]) as body:
                data = body.read(sidecar.MAX_BYTES + 1)
        except ClientError as error:
            if _code(error) == "NoSuchKey" and exists is None:
                return Sidecar()
            raise _only_here(error, bucket, SidecarError(f"cannot be read: {error}")) from error
        except BotoCoreError as error:
            raise _translated(error, bucket) from error
        return sidecar.read(data)


class _Known(Struct, frozen=True):
    """The keys of one page of a listing. It is complete up to the key ``until``, or to the end when that is None."""

    keys: set[str]
    until: str | None

    def holds(self, key: str) -> bool | None:
        """Whether a key that sorts after one of the page exists; None when the page does not reach that far."""
        if key in self.keys:
            return True
        return False if self.until is None or key.encode() < self.until.encode() else None


def _version(entry: Mapping[str, Any]) -> str:
    return "etag:" + str(entry["ETag"]).strip('"')


def _archived(entry: Mapping[str, Any]) -> str | None:
    """Return why an object cannot be read at once: an archive has to be restored first, which takes hours."""
    kind = entry.get("StorageClass")
    if kind in ARCHIVED or "ArchiveStatus" in entry:
        return f"is archived ({kind}); copy it into another storage class to index it"
    return None


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _only_here(error: ClientError, bucket: str, otherwise: DocumentError) -> DocferryError:
    """Tell trouble with one object from trouble with S3, which would meet the next object too."""
    meant = _translated(error, bucket)
    return meant if isinstance(meant, SourceUnavailable) else otherwise


def _translated(error: ClientError | BotoCoreError, bucket: str) -> DocferryError:
    """Say in Docferry's terms what keeps a bucket from being read."""
    if isinstance(error, HTTPClientError | NotConnected | IncompleteReadError):
        return SourceUnavailable(f"s3://{bucket} cannot be reached: {error}")
    if isinstance(error, BotoCoreError):
        return ConfigurationError(f"s3://{bucket} cannot be called: {error}")
    code = _code(error)
    said = f"{error.operation_name}: {code}: {error.response['Error'].get('Message', '')}"
    if code == "NoSuchBucket":
        return ConfigurationError(f"source.bucket: there is no bucket {bucket}; name an existing one")
    if code in BUSY or error.response["ResponseMetadata"]["HTTPStatusCode"] >= SERVER_ERROR:
        return SourceUnavailable(f"s3://{bucket}: {said}")
    if code in DENIED:
        return AccessDenied(f"s3://{bucket}: {said}; allow s3:ListBucket on the bucket and s3:GetObject on its objects")
    return ConfigurationError(f"s3://{bucket}: {said}")
