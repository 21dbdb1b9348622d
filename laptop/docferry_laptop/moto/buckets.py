"""Moto's buckets as S3's are: objects can be read and listed while others delete them, and they outlive the process.

To outlive it, each bucket of moto's S3 is also a folder, and each object a file in it.

A file that is put into such a folder by hand becomes an object at the next start.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock, RLock
from typing import Any
from unittest.mock import patch
from weakref import WeakValueDictionary

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends
from moto.s3.utils import _VersionedKeyStore

from docferry.state.keys import LEDGER
from docferry_laptop import object_files
from docferry_laptop.object_files import at_its_place, is_object, key_of

# When objects of a state bucket with these prefixes expire, as in the life-cycle rules of the stack.
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
def shared() -> Iterator[None]:
    """Let threads read and list objects that others replace and delete: servers and functions are threads."""
    with read_to_the_end(), listed_meanwhile():
        yield


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Load the buckets of a folder into moto's S3, and write every change of a bucket or an object to the folder.

    An object is completely on disk before its writer learns that it was written. What S3 refuses is not on disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _load(folder)
    create, drop = S3Backend.create_bucket, S3Backend.delete_bucket
    put, delete = S3Backend.put_object, S3Backend.delete_object
    locks = _Locks()

    def create_too(backend: S3Backend, bucket_name: str, *args: Any, **kw: Any) -> FakeBucket:
        created = create(backend, bucket_name, *args, **kw)
        (folder / bucket_name).mkdir(exist_ok=True)
        return created

    def drop_too(backend: S3Backend, bucket_name: str) -> FakeBucket | None:
        dropped = drop(backend, bucket_name)
        if dropped is not None:
            _remove_folders(folder / bucket_name)
        return dropped

    def put_too(backend: S3Backend, bucket_name: str, key_name: str, value: bytes, *args: Any, **kw: Any) -> FakeKey:
        with locks.of(bucket_name, key_name), object_files.written(folder, value) as file:
            done = put(backend, bucket_name, key_name, value, *args, **kw)
            object_files.put(file, folder, bucket_name, key_name)
            return done

    def delete_too(
        backend: S3Backend, bucket_name: str, key_name: str, version_id: str | None = None, *args: Any, **kw: Any
    ) -> Any:
        with locks.of(bucket_name, key_name):
            reply = delete(backend, bucket_name, key_name, version_id, *args, **kw)
            left = backend.get_object(bucket_name, key_name)
            if left is None:
                object_files.remove(folder, bucket_name, key_name)
            elif version_id is not None:
                with object_files.written(folder, left.value) as file:
                    object_files.put(file, folder, bucket_name, key_name)
            return reply

    with (
        patch.object(S3Backend, "create_bucket", create_too),
        patch.object(S3Backend, "delete_bucket", drop_too),
        patch.object(S3Backend, "put_object", put_too),
        patch.object(S3Backend, "delete_object", delete_too),
    ):
        yield


class _Locks:
    """A lock for each object, as long as one is held. Memory and disk change together, or the older one may stay.

    One lock for all would not do: a put waits for a function that it calls, which may put another object.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._held: WeakValueDictionary[tuple[str, str], Any] = WeakValueDictionary()

    def of(self, bucket: str, key: str) -> AbstractContextManager[bool]:
        """The lock of an object."""
        with self._guard:
            lock: AbstractContextManager[bool] = self._held.setdefault((bucket, key), RLock())
            return lock


def _load(folder: Path) -> None:
    # Not through boto3: a server has no client.
    s3 = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    now = datetime.now(UTC)
    for bucket in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        s3.create_bucket(bucket, "us-east-1")
        expiring = EXPIRING if (folder / bucket / LEDGER).is_file() else {}
        for found in sorted(filter(is_object, (folder / bucket).rglob("*"))):
            key = key_of(folder, bucket, found)
            file = at_its_place(folder, bucket, found)
            written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            if any(key.startswith(prefix) and now - written > age for prefix, age in expiring.items()):
                file.unlink()
            else:
                s3.put_object(bucket, key, file.read_bytes()).last_modified = written.replace(tzinfo=None)


def _remove_folders(folder: Path) -> None:
    """Remove a folder of folders. A file that is not an object of S3 stays, and so does what it is in."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            with suppress(OSError):
                path.rmdir()
    with suppress(OSError):
        folder.rmdir()
