"""S3, as far as Docferry calls it: the state bucket, and the repository that is synced.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import io
import re
from collections.abc import Iterator
from email.utils import format_datetime
from math import ceil
from typing import IO, Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from benchmarks.scale import repository
from benchmarks.scale.bucket import Bucket, Object, moment
from benchmarks.scale.calls import Calls
from benchmarks.scale.repository import Edition

PAGE = 1_000
RANGE = re.compile(r"bytes=(\d+)-(\d*)")
CODES = {404: "NoSuchKey", 412: "PreconditionFailed", 416: "InvalidRange"}


class Meta:
    """What boto3's clients say of themselves. Nobody listens to events here: no request is made."""

    region_name = "us-east-1"

    class events:  # noqa: N801  # boto3's name
        """Takes what wants to be told, and tells nothing."""

        @staticmethod
        def register(*_: Any, **__: Any) -> None:
            """See botocore.hooks."""

        register_first = register_last = unregister = register


class S3:
    """A client of S3. All functions share it: a real client keeps nothing between calls but its connections."""

    meta = Meta()

    def __init__(self, calls: Calls, state: Bucket, edition: Edition) -> None:
        self._calls = calls
        self._state = state
        self._edition = edition

    def get_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Range: str | None = None,
        IfMatch: str | None = None,
    ) -> dict[str, Any]:
        """See S3. The body takes its time as it is read."""
        with self._calls.s3("GetObject"):
            if Bucket == repository.NAME:
                content = self._edition.body(Key)
                if content is None:
                    raise _error("GetObject", 404)
                found = Object(Key, repository.SIDECAR_ETAG, 0.0, len(content), content, None)
            else:
                found = self._found("GetObject", Key)
            if IfMatch is not None and IfMatch != found.etag:
                raise _error("GetObject", 412)
            first, last = _range(Range, found.size)
            if first >= found.size and Range:
                raise _error("GetObject", 416)
            file = self._state.opened(found) if found.file else io.BytesIO(found.body or b"")
            file.seek(first)
            body = Body(self._calls, file, last - first)
            return {"Body": body, "ContentLength": last - first, **self._described(found)}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """See S3."""
        with self._calls.s3("HeadObject"):
            if Bucket == repository.NAME:
                head = self._edition.head(Key)
                if head is None:
                    raise _error("HeadObject", 404)
                return head
            found = self._found("HeadObject", Key)
            return {"ContentLength": found.size, **self._described(found)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes | IO[bytes] = b"", **conditions: Any) -> dict[str, Any]:
        """See S3. Conditional writes are decided when the call arrives."""
        del Bucket
        content = Body if isinstance(Body, bytes) else Body.read()
        with self._calls.s3("PutObject", len(content)):
            self._check("PutObject", Key, conditions)
            return {"ETag": self._state.put(Key, content, self._calls.now)}

    def upload_fileobj(
        self, Fileobj: IO[bytes], Bucket: str, Key: str, Config: TransferConfig | None = None, **_: Any
    ) -> None:
        """See boto3. A file over the threshold is uploaded in parts."""
        del Bucket
        config = Config or TransferConfig()
        start = Fileobj.tell()
        size = Fileobj.seek(0, io.SEEK_END) - start
        Fileobj.seek(start)
        if size >= config.multipart_threshold:
            at_once = config.max_request_concurrency if config.use_threads else 1
            parts = ceil(size / config.multipart_chunksize)
            for operation in ("CreateMultipartUpload", *["UploadPart"] * parts, "CompleteMultipartUpload"):
                share = size / parts if operation == "UploadPart" else 0
                with self._calls.s3(operation, share, at_once=at_once if share else 1):
                    pass
            self._state.put(Key, Fileobj, self._calls.now)
            return
        with self._calls.s3("PutObject", size):
            self._state.put(Key, Fileobj, self._calls.now)

    def delete_object(self, *, Bucket: str, Key: str, **conditions: Any) -> dict[str, Any]:
        """See S3."""
        del Bucket
        with self._calls.s3("DeleteObject"):
            self._check("DeleteObject", Key, conditions)
            self._state.delete(Key)
            return {}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        """See S3."""
        del Bucket
        with self._calls.s3("DeleteObjects"):
            for one in Delete["Objects"]:
                self._state.delete(one["Key"])
            return {}

    def list_objects_v2(  # S3's parameters
        self,
        *,
        Bucket: str,
        Prefix: str = "",
        MaxKeys: int = PAGE,
        StartAfter: str = "",
        Delimiter: str = "",
        ContinuationToken: str = "",
    ) -> dict[str, Any]:
        """See S3. A continuation token is the last key."""
        after, most = ContinuationToken or StartAfter, min(MaxKeys, PAGE)
        with self._calls.s3("ListObjectsV2") as call:
            entries: list[dict[str, Any]] = []
            folders: list[str] = []
            last = after
            for entry in self._entries(Bucket, Prefix, after, most + 1, Delimiter):
                if len(entries) + len(folders) == most:
                    call.keys = most
                    more = {"IsTruncated": True, "NextContinuationToken": last}
                    break
                if isinstance(entry, str):
                    folders.append(entry)
                    last = entry + chr(0x10FFFF)
                else:
                    entries.append(entry)
                    last = entry["Key"]
            else:
                call.keys, more = len(entries) + len(folders), {"IsTruncated": False}
            contents = {"Contents": entries} if entries else {}
            prefixes = {"CommonPrefixes": [{"Prefix": folder} for folder in folders]} if folders else {}
            return {**contents, **prefixes, **more, "KeyCount": call.keys}

    def get_paginator(self, operation: str) -> "Paginator":
        """See boto3."""
        assert operation == "list_objects_v2", operation
        return Paginator(self)

    def _entries(
        self, bucket: str, prefix: str, after: str, most: int, delimiter: str
    ) -> Iterator[dict[str, Any] | str]:
        """Entries in order, and, with a delimiter, the folder for all that is in it."""
        while page := self._page(bucket, prefix, after, most if not delimiter else 1):
            for entry in page:
                rest = entry["Key"][len(prefix) :]
                after = entry["Key"]
                if delimiter and delimiter in rest:
                    folder = prefix + rest[: rest.index(delimiter) + 1]
                    after = folder + chr(0x10FFFF)
                    yield folder
                else:
                    yield entry
            if not delimiter:
                return

    def _page(self, bucket: str, prefix: str, after: str, most: int) -> list[dict[str, Any]]:
        if bucket == repository.NAME:
            return self._edition.listed(prefix, after, most)
        return [
            {"Key": one.key, "ETag": one.etag, "LastModified": one.modified_at, "Size": one.size}
            for one in self._state.listed(prefix, after, most)
        ]

    def _found(self, operation: str, key: str) -> Object:
        found = self._state.find(key)
        if found is None:
            raise _error(operation, 404)
        return found

    def _check(self, operation: str, key: str, conditions: dict[str, Any]) -> None:
        if "IfNoneMatch" not in conditions and "IfMatch" not in conditions:
            return
        found = self._state.find(key)
        if "IfNoneMatch" in conditions and found is not None:
            raise _error(operation, 412)
        if "IfMatch" in conditions and (found is None or found.etag != conditions["IfMatch"]):
            raise _error(operation, 412 if found else 404)

    def _described(self, found: Object) -> dict[str, Any]:
        date = format_datetime(moment(self._calls.now), usegmt=True)
        return {
            "ETag": found.etag,
            "LastModified": found.modified_at,
            "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"date": date}},
        }


class Body:
    """The body of an object. What is read of it takes the time of its transfer."""

    def __init__(self, calls: Calls, file: IO[bytes], size: int) -> None:
        self._calls = calls
        self._file = file
        self._left = size

    def read(self, amt: int | None = None) -> bytes:
        """See botocore's StreamingBody."""
        size = self._left if amt is None else min(amt, self._left)
        content = self._file.read(size)
        self._left -= len(content)
        if not self._left:
            self._file.close()
        if content:
            self._calls.transferred(len(content))
        return content

    def iter_chunks(self, chunk_size: int = 1024) -> Iterator[bytes]:
        """See botocore's StreamingBody."""
        while self._left:
            yield self.read(chunk_size)

    def close(self) -> None:
        """See botocore's StreamingBody."""
        self._file.close()


class Paginator:
    """Pages of ListObjectsV2."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        """See boto3."""
        token: dict[str, Any] = {}
        while True:
            page = self._s3.list_objects_v2(**parameters, **token)
            yield page
            if not page["IsTruncated"]:
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}


def _range(wanted: str | None, size: int) -> tuple[int, int]:
    """The first byte, and the one after the last."""
    if wanted is None:
        return 0, size
    found = RANGE.fullmatch(wanted)
    assert found, wanted
    return int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)


def _error(operation: str, status: int) -> ClientError:
    code = "404" if operation == "HeadObject" else CODES[status]
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # the members that are read
        operation,
    )
