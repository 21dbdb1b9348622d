"""S3 without HTTP: the state bucket as a dictionary, behind the same boto3 calls.

Of moto's time in a run four fifths go into parsing requests to S3 and writing replies. Tests compare the two.
"""

import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from docferry.runtime.wiring import client
from docferry_emulators import start
from docferry_laptop.laptop import Laptop, laptop

Params = dict[str, Any]

MODIFIED = datetime(2026, 1, 31, tzinfo=UTC)
"""The time of every upload, unless a bucket is timed: what comes in the same second is told apart by its name."""


class Bucket:
    """What PutObject, GetObject, HeadObject, ListObjectsV2, DeleteObject and DeleteObjects do in one bucket."""

    def __init__(self, name: str, *, timed: bool = False) -> None:
        self.name = name
        self.objects: dict[str, bytes] = {}
        self._timed = timed
        self._times: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def answers(self, operation: str) -> Callable[[Params], Params] | None:
        """What does an operation, if it is one of these."""
        return {
            "PutObject": self._put,
            "GetObject": self._get,
            "HeadObject": self._head,
            "ListObjectsV2": self._list,
            "DeleteObject": self._delete,
            "DeleteObjects": self._delete_all,
        }.get(operation)

    def read(self, account: str, bucket: str, key: str) -> bytes | None:
        """What the index services read."""
        del account
        return self.objects.get(key) if bucket == self.name else None

    def _put(self, params: Params) -> Params:
        body = params["Body"]
        content = body.read() if hasattr(body, "read") else bytes(body)
        with self._lock:
            present = self.objects.get(params["Key"])
            if "IfNoneMatch" in params and present is not None:
                raise refused("PutObject", "PreconditionFailed", 412)
            if "IfMatch" in params and present is None:
                raise refused("PutObject", "NoSuchKey", 404)
            if "IfMatch" in params and present is not None and etag(present) != params["IfMatch"]:
                raise refused("PutObject", "PreconditionFailed", 412)
            self.objects[params["Key"]] = content
            self._times[params["Key"]] = datetime.now(UTC).replace(microsecond=0)
        return {"ETag": etag(content)}

    def _get(self, params: Params) -> Params:
        content = self._found(params, "GetObject", "NoSuchKey")
        tag = etag(content)
        if "IfMatch" in params and tag != params["IfMatch"]:
            raise refused("GetObject", "PreconditionFailed", 412)
        if "Range" in params:
            first, _, last = params["Range"].removeprefix("bytes=").partition("-")
            content = content[int(first) : int(last) + 1]
            if not content:
                raise refused("GetObject", "InvalidRange", 416)
        body = StreamingBody(io.BytesIO(content), len(content))
        # Written a moment ago, as far as anybody can tell.
        told = {"LastModified": datetime.now(UTC), "ResponseMetadata": {"HTTPHeaders": {}}}
        return {"Body": body, "ETag": tag, "ContentLength": len(content), **told}

    def _head(self, params: Params) -> Params:
        content = self._found(params, "HeadObject", "404")
        return {"ETag": etag(content), "ContentLength": len(content)}

    def _list(self, params: Params) -> Params:
        prefix, delimiter = params["Prefix"], params.get("Delimiter")
        found = sorted((key, content) for key, content in self.objects.copy().items() if key.startswith(prefix))
        told: Params = {"IsTruncated": False}
        if delimiter:
            rests = (key.removeprefix(prefix).partition(delimiter) for key, _ in found)
            below = {prefix + name + mark: None for name, mark, _ in rests if mark}
            told |= {"CommonPrefixes": [{"Prefix": one} for one in below]} if below else {}
            found = [(key, content) for key, content in found if delimiter not in key.removeprefix(prefix)]
        if found:
            told["Contents"] = [
                {"Key": key, "ETag": etag(content), "LastModified": self._modified(key), "Size": len(content)}
                for key, content in found
            ]
        return told

    def _modified(self, key: str) -> datetime:
        return self._times.get(key, MODIFIED) if self._timed else MODIFIED

    def _delete(self, params: Params) -> Params:
        with self._lock:
            present = self.objects.get(params["Key"])
            if "IfMatch" in params and (present is None or etag(present) != params["IfMatch"]):
                raise refused("DeleteObject", "PreconditionFailed", 412)
            self.objects.pop(params["Key"], None)
        return {}

    def _delete_all(self, params: Params) -> Params:
        for entry in params["Delete"]["Objects"]:
            self.objects.pop(entry["Key"], None)
        return {}

    def _found(self, params: Params, operation: str, code: str) -> bytes:
        content = self.objects.get(params["Key"])
        if content is None:
            raise refused(operation, code, 404)
        return content


def etag(content: bytes) -> str:
    """The ETag of an object that was not uploaded in parts."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def refused(operation: str, code: str, status: int) -> ClientError:
    """The error that botocore raises for an answer of a service."""
    reply: Any = {
        "Error": {"Code": code, "Message": "on request"},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "0", "HTTPHeaders": {}, "RetryAttempts": 0},
    }
    return ClientError(reply, operation)


@contextmanager
def served(bucket: Bucket) -> Iterator[None]:
    """Let the bucket answer all calls about it; transfers of a stream become one call each."""
    with serving(lambda name: bucket if name == bucket.name else None, client("s3")):
        yield


def timed(ours: Callable[[str], bool]) -> Callable[[str], Bucket | None]:
    """Buckets that tell when an object was written, for names that are ours; each is made when it is first named."""
    buckets: dict[str, Bucket] = {}
    return lambda name: buckets.setdefault(name, Bucket(name, timed=True)) if ours(name) else None


@contextmanager
def laptop_with_buckets(**options: Any) -> Iterator[Laptop]:
    """A laptop whose state buckets are such ones. ``options`` are those of a laptop. Other buckets are moto's."""
    bucket, real = timed(lambda name: name.endswith("-state")), start.read_object

    def read(account: str, name: str, key: str) -> bytes | None:
        ours = bucket(name)
        return real(account, name, key) if ours is None else ours.read(account, name, key)

    with patch.object(start, "read_object", read), laptop(**options) as running, serving(bucket, client("s3")):
        yield running


@contextmanager
def serving(named: Callable[[str], Bucket | None], s3: Any) -> Iterator[None]:
    """Let the bucket of a name, where there is one, answer all calls; those of ``s3`` that transfer streams, too."""
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(caller: BaseClient, operation: str, params: Params) -> Any:
        bucket = named(params["Bucket"]) if "Bucket" in params else None
        answer = bucket.answers(operation) if bucket is not None else None
        return answer(params) if answer is not None else real(caller, operation, params)

    def upload(stream: Any, name: str, key: str, **_: object) -> None:
        s3.put_object(Bucket=name, Key=key, Body=stream)

    with ExitStack() as stack:
        stack.enter_context(patch.object(BaseClient, "_make_api_call", call))
        stack.enter_context(patch.object(s3, "upload_fileobj", upload))
        yield
