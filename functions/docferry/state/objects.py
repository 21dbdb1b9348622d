"""Objects of a bucket, and records among them: a record is one JSON object, written on conditions."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from docferry.errors import Conflict, ServiceUnavailable, StateInvalid
from docferry.state import lines
from docferry.state.chunks import chunks

T = TypeVar("T")

# S3 DeleteObjects takes 1,000 keys.
DELETE_KEYS = 1000


class Moved(Exception):  # noqa: N818  # says what happened to the object, and is always caught
    """A conditional write found another object than it expected."""


class Record(Struct, Generic[T], frozen=True):
    """A record as read, with the ETag that a conditional write of its successor names.

    ``age`` is how long ago it was written, by the clock of S3 alone: the clock of this machine may be wrong.
    """

    value: T
    etag: str
    age: timedelta = timedelta(0)


class Object(Struct, frozen=True):
    """An object as S3 lists it: who writes another under its key changes the ETag. ``size`` is in bytes."""

    key: str
    etag: str
    modified: datetime
    size: int


class Objects:
    """Reads, writes, lists and deletes objects of one bucket."""

    def __init__(self, bucket: str, s3: Any) -> None:
        self.bucket = bucket
        self._s3 = s3

    def read(self, key: str, kind: type[T]) -> Record[T] | None:
        """A record, or None when there is none. Raises StateInvalid when the object is not such a record."""
        try:
            reply = self._s3.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        try:
            value = msgspec.json.decode(reply["Body"].read(), type=kind)
        except msgspec.DecodeError as error:
            raise StateInvalid(f"{key} is not what a run has written ({error}); restore its last version") from error
        return Record(value, reply["ETag"], _age(reply))

    def write(self, key: str, value: object) -> None:
        """Write a record. Replaces an earlier one."""
        self._put(key, value, {})

    def create(self, key: str, value: object) -> None:
        """Write a record where none is. Raises Moved when there is one."""
        self._put(key, value, {"IfNoneMatch": "*"})

    def replace(self, key: str, value: object, etag: str) -> None:
        """Replace the record that was read with this ETag. Raises Moved when somebody has changed it since."""
        self._put(key, value, {"IfMatch": etag})

    def swap(self, key: str, value: object, etag: str | None) -> None:
        """Write a record over the one that was read with this ETag, or, with None, where none is.

        A write whose reply was lost, and that the client sent again, finds itself. Raises Moved.
        """
        try:
            if etag is None:
                self.create(key, value)
            else:
                self.replace(key, value, etag)
        except Moved:
            now = self.read(key, type(value))
            if now is None or now.value != value:
                raise

    def delete(self, key: str) -> None:
        """Remove one object. No object is no error."""
        self._s3.delete_object(Bucket=self.bucket, Key=key)

    def delete_as_read(self, read: Object) -> None:
        """Remove an object, unless it has changed since it was listed. Raises Conflict when S3 cannot tell yet.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
        """
        try:
            self._s3.delete_object(Bucket=self.bucket, Key=read.key, IfMatch=read.etag)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalRequestConflict":
                # It is there still: to take that for "another" would let it be taken again.
                raise Conflict(f"{read.key} is being written; it is removed later") from error
            if code not in {"PreconditionFailed", "NoSuchKey"}:
                raise

    def objects(self, prefix: str) -> Iterator[Object]:
        """The objects under a prefix, in order of their keys."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield Object(entry["Key"], entry["ETag"], entry["LastModified"], entry["Size"])

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys of the objects under a prefix."""
        return (found.key for found in self.objects(prefix))

    def folders(self, prefix: str) -> Iterator[str]:
        """What comes after a prefix, up to the next slash: with ``runs/`` the names of the runs."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        return (entry["Prefix"].split("/")[-2] for page in pages for entry in page.get("CommonPrefixes", []))

    def delete_prefix(self, prefix: str) -> None:
        """Remove every object under a prefix."""
        self.delete_all(self.keys(prefix))

    def delete_all(self, those: Iterable[str]) -> None:
        """Remove objects by their keys. Raises ServiceUnavailable when S3 leaves one."""
        for keys in chunks(those, DELETE_KEYS):
            objects = [{"Key": key} for key in keys]
            reply = self._s3.delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})
            if failed := reply.get("Errors"):
                raise ServiceUnavailable(f"S3 has not deleted {failed[0]['Key']}: {failed[0].get('Message')}")

    def exists(self, key: str) -> bool:
        """Whether there is an object under this key."""
        return self.etag(key) is not None

    def etag(self, key: str) -> str | None:
        """The ETag of an object, or None when there is none."""
        try:
            etag: str = self._s3.head_object(Bucket=self.bucket, Key=key)["ETag"]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004  # HEAD has no error body
                return None
            raise
        return etag

    def modified(self, key: str) -> datetime | None:
        """When an object was written, to the second, or None when there is none."""
        return next((found.modified for found in self.objects(key) if found.key == key), None)

    def put_content(self, key: str, content: bytes) -> None:
        """Stage the content of a document."""
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def content(self, key: str) -> bytes | None:
        """A content as it was put, or None when there is none."""
        try:
            content: bytes = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return content

    def content_part(self, key: str, offset: int, size: int) -> bytes | None:
        """Part of a content, shorter where the content ends, or None when there is none."""
        try:
            reply = self._s3.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={offset}-{offset + size - 1}")
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "InvalidRange"}:
                return None
            raise
        part: bytes = reply["Body"].read()
        return part

    def _put(self, key: str, value: object, condition: dict[str, str]) -> None:
        with conditional(key):
            self._s3.put_object(
                Bucket=self.bucket, Key=key, Body=lines.encode(value), ContentType="application/json", **condition
            )


def _age(reply: dict[str, Any]) -> timedelta:
    """How long ago an object was written. S3 says both times itself, in whole seconds.

    The emulated S3 of a laptop says no date, and has no other clock than this machine's.
    """
    date = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(date) if date else datetime.now(UTC)
    age: timedelta = now - reply["LastModified"]
    return age


@contextmanager
def conditional(key: str) -> Iterator[None]:
    """Raise Moved when S3 answers a call that its condition does not hold."""
    try:
        yield
    except ClientError as error:
        # 409 ConditionalRequestConflict: another conditional write of the key was under way. 404 NoSuchKey: there is
        # nothing left that If-Match could match.
        if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}:
            raise Moved(key) from error
        raise
