"""Temporary files, counted for the invocation that writes them, and refused where its disk is full."""

import errno
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Self
from unittest.mock import patch

from msgspec import Struct


class Disk(Struct):
    """The disk of one invocation, in bytes: what is in use, the most that was, and what there is."""

    size: int
    used: int = 0
    most: int = 0

    def grow(self, by: int) -> None:
        """Take more, or give back. Raises OSError when there is no more."""
        self.used += by
        self.most = max(self.most, self.used)
        if self.used > self.size:
            raise OSError(errno.ENOSPC, "No space left on device")


class Counted:
    """A temporary file that knows on whose disk it is. All else is the file's own."""

    def __init__(self, file: IO[bytes], disk: Disk) -> None:
        self._file = file
        self._disk = disk
        self._size = 0

    def write(self, content: Any) -> int:
        """Write, and count."""
        written = self._file.write(content)
        self._resize(max(self._size, self._file.tell()))
        return written

    def truncate(self, size: int | None = None) -> int:
        """Truncate, and give back."""
        left = self._file.truncate(size)
        self._resize(left)
        return left

    def close(self) -> None:
        """Close, and give everything back."""
        self._file.close()
        self._resize(0)

    def _resize(self, size: int) -> None:
        self._size, by = size, size - self._size
        self._disk.grow(by)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


@contextmanager
def counted(disk_now: Callable[[], Disk | None]) -> Iterator[None]:
    """Count what the invocation that runs has in temporary files. What stays in memory is on no disk."""
    real = tempfile.TemporaryFile

    def temporary(*args: Any, **kwargs: Any) -> Any:
        disk = disk_now()
        file = real(*args, **kwargs)
        return file if disk is None else Counted(file, disk)

    # SpooledTemporaryFile makes its file with TemporaryFile.
    with patch.object(tempfile, "TemporaryFile", temporary):
        yield
