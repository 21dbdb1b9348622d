"""Temporary files, counted for the invocation that writes them, and refused where its disk is full."""

import errno
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from msgspec import Struct

Real: type[tempfile.SpooledTemporaryFile[bytes]] = tempfile.SpooledTemporaryFile


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


@contextmanager
def counted(disk_now: Callable[[], Disk | None]) -> Iterator[None]:
    """Count what the invocation that runs has in temporary files. What stays in memory is on no disk."""

    class Counted(Real):  # type: ignore[misc, valid-type]  # the class as it was before the block
        """A file that knows whose it is."""

        def __init__(self, max_size: int = 0, *args: Any, **kwargs: Any) -> None:
            super().__init__(max_size, *args, **kwargs)
            self._disk = disk_now()
            self._counted = 0
            if not max_size:
                self.rollover()

        def write(self, content: Any) -> int:
            written: int = super().write(content)
            self._count()
            return written

        def truncate(self, size: int | None = None) -> Any:
            super().truncate(size)
            self._count(self.tell() if size is None else size)

        def close(self) -> None:
            super().close()
            self._count(0)

        def _count(self, size: int | None = None) -> None:
            if self._disk is None or not self._rolled:
                return
            size = max(self._counted, self.tell()) if size is None else size
            self._counted, by = size, size - self._counted
            self._disk.grow(by)

    def plain(*args: Any, **kwargs: Any) -> Any:
        mode = args[:1] or (kwargs.pop("mode", "w+b"),)
        kwargs.pop("delete", None)
        return Counted(0, *mode, *args[1:], **kwargs)

    with (
        patch.object(tempfile, "SpooledTemporaryFile", Counted),
        patch.object(tempfile, "TemporaryFile", plain),
    ):
        yield
