"""Moto's buckets as S3's are: objects can be read and listed while others delete them, and they outlive the process.

To outlive it, each object of moto's S3 is also a file, under its bucket's folder.

A file that is put into such a folder by hand becomes an object at the next start.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, unquote

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeKey, S3Backend, s3_backends
from moto.s3.utils import _VersionedKeyStore

# When objects with these prefixes expire, as in the life-cycle rules of the stack.
EXPIRING = {"runs/": timedelta(days=30), "staging/": timedelta(days=7), "carried/": timedelta(days=7)}


@contextmanager
def read_to_the_end() -> Iterator[None]:
    """Let a reader finish while another thread replaces or deletes the object. Moto closes it under the reader."""
    dispose = FakeKey.dispose

    def close_when_unused(key: FakeKey, garbage: bool = False) -> None:  # noqa: FBT001, FBT002 - moto's own signature
        key.disposed = True
        if garbage:  # nobody holds the object any more
            dispose(key, garbage)

    with patch.object(FakeKey, "dispose", close_when_unused):
        yield


@contextmanager
def listed_meanwhile() -> Iterator[None]:
    """Let a bucket be listed while another thread deletes an object. Moto looks each key up that was there before."""

    def items(keys: dict[str, list[Any]]) -> Iterator[tuple[str, Any]]:
        # A copy has the versions of each key, as moto keeps them; the newest is the object.
        return ((key, versions[-1]) for key, versions in dict(keys).items() if versions)

    def values(keys: dict[str, list[Any]]) -> Iterator[Any]:
        return (newest for _, newest in items(keys))

    with patch.object(_VersionedKeyStore, "items", items), patch.object(_VersionedKeyStore, "values", values):
        yield


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Load the buckets of a folder into moto's S3, and write every change of an object to the folder.

    An object is completely on disk before its writer learns that it was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _load(folder)
    put, delete = S3Backend.put_object, S3Backend.delete_object

    def put_through(
        backend: S3Backend, bucket_name: str, key_name: str, value: bytes, *args: Any, **kw: Any
    ) -> FakeKey:
        _write(file_of(folder, bucket_name, key_name), value)
        return put(backend, bucket_name, key_name, value, *args, **kw)

    def delete_through(backend: S3Backend, bucket_name: str, key_name: str, *args: Any, **kw: Any) -> Any:
        file_of(folder, bucket_name, key_name).unlink(missing_ok=True)
        return delete(backend, bucket_name, key_name, *args, **kw)

    with (
        patch.object(S3Backend, "put_object", put_through),
        patch.object(S3Backend, "delete_object", delete_through),
    ):
        yield


def _load(folder: Path) -> None:
    # Not through boto3: a server has no client.
    s3 = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    now = datetime.now(UTC)
    for bucket in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        s3.create_bucket(bucket, "us-east-1")
        for file in sorted((folder / bucket).rglob("*")):
            if not is_object(file):
                continue
            key = key_of(folder, bucket, file)
            written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            if any(key.startswith(prefix) and now - written > age for prefix, age in EXPIRING.items()):
                file.unlink()
            else:
                s3.put_object(bucket, key, file.read_bytes()).last_modified = written.replace(tzinfo=None)


def file_of(folder: Path, bucket: str, key: str) -> Path:
    """Return the file that keeps an object."""
    # A part of a key that is ".", ".." or empty cannot be the name of a file.
    parts = [
        quote(part, safe=" +,=@()[]{}'!#$&;~^") if part.strip(".") else quote(part).replace(".", "%2E") or "%00"
        for part in key.split("/")
    ]
    return folder.joinpath(bucket, *parts)


def key_of(folder: Path, bucket: str, file: Path) -> str:
    """Return the key of the object that a file keeps."""
    return unquote(file.relative_to(folder / bucket).as_posix())


def is_object(file: Path) -> bool:
    """Return whether a path is the file of an object, whole, and not one that is being written."""
    return file.is_file() and not file.name.startswith(".writing-")


def _write(file: Path, value: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".writing-")
    with os.fdopen(handle, "wb") as out:
        out.write(value)
    Path(name).replace(file)
