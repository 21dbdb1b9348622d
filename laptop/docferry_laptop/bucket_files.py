"""Reads the buckets of a state folder from their files, while another process writes them.

Each object is a file that is replaced as a whole, so a reader sees an object before or after a change, and never half
of one. Only the calls of S3 that a state bucket is read with are here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from docferry_laptop.object_files import file_of, is_object, key_of, place_of


class BucketFiles:
    """A client of S3 that reads the files of a folder, and has no call that writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  # boto3's names
        """Read an object."""
        file = place_of(self._folder, Bucket, Key)
        try:
            content, described = file.read_bytes(), _described(file)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise _missing("GetObject", "NoSuchKey") from error
        return {
            **described,
            "Body": StreamingBody(BytesIO(content), len(content)),
            "ResponseMetadata": {"HTTPHeaders": {}},
        }

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  # boto3's names
        """Describe an object."""
        file = place_of(self._folder, Bucket, Key)
        if not is_object(file):
            raise _missing("HeadObject", "404")
        return _described(file)

    def get_paginator(self, operation: str) -> "BucketFiles":
        """Return what lists objects: of all lists only ListObjectsV2 is needed."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str, Delimiter: str = "") -> Iterator[dict[str, Any]]:  # noqa: N803  # boto3's names
        """List the objects under a prefix, or what comes before the next delimiter, as one page."""
        if Delimiter:
            folder = file_of(self._folder, Bucket, Prefix + "-").parent
            names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
            base = Prefix[: Prefix.rfind("/") + 1]
            found = (f"{base}{name}/" for name in names)
            yield {"CommonPrefixes": [{"Prefix": one} for one in found if one.startswith(Prefix)]}
            return
        yield {"Contents": list(self._objects(Bucket, Prefix))}

    def _objects(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        # The folder that holds everything under the prefix: the other files need not be looked at.
        below = file_of(self._folder, bucket, prefix + "-").parent
        files = {key_of(self._folder, bucket, file): file for file in below.rglob("*") if is_object(file)}
        for key in sorted(key for key in files if key.startswith(prefix)):
            try:
                yield {"Key": key, **_described(files[key])}
            except FileNotFoundError:  # it was deleted a moment ago
                continue


def _described(file: Path) -> dict[str, Any]:
    found = file.stat()
    return {
        "ETag": f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
        "LastModified": datetime.fromtimestamp(found.st_mtime, UTC),
        "Size": found.st_size,
    }


def _missing(operation: str, code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no such object"}, "ResponseMetadata": {"HTTPStatusCode": 404}},  # type: ignore[typeddict-item]  # as far as its readers look
        operation,
    )
