"""The state bucket: objects in a file of SQLite and in files beside it, so that this process needs little memory."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import IO

from msgspec import Struct

START = datetime(2026, 11, 28, tzinfo=UTC)
"""The date at which a simulation begins."""
INLINE_BYTES = 65_536
TABLE = """
create table if not exists object (
    key text primary key, etag text not null, modified real not null, size integer not null, body blob, file text
) without rowid
"""


class Object(Struct, frozen=True):
    """An object. Its body is in ``body``, or in ``file`` of the folder."""

    key: str
    etag: str
    modified: float
    size: int
    body: bytes | None
    file: str | None

    @property
    def modified_at(self) -> datetime:
        """When it was written, to the second, as S3 says it."""
        return moment(self.modified)


class Bucket:
    """Objects in a folder, which may be copied while nobody writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = folder / "files"
        self._files.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(folder / "objects.sqlite", isolation_level=None)
        self._rows.execute("pragma journal_mode = off")
        self._rows.execute("pragma synchronous = off")
        self._rows.execute(TABLE)
        newest = self._rows.execute("select max(etag) from object").fetchone()[0] or '"0"'
        self._numbers = count(int(newest.strip('"'), 16) + 1)

    def find(self, key: str) -> Object | None:
        """An object by its key."""
        row = self._rows.execute("select * from object where key = ?", (key,)).fetchone()
        return Object(*row) if row else None

    def put(self, key: str, body: bytes | IO[bytes], now: float) -> str:
        """Write an object; return its ETag."""
        number = f"{next(self._numbers):032x}"
        etag = f'"{number}"'
        content = body if isinstance(body, bytes) else body.read(INLINE_BYTES + 1)
        name, size = None, len(content)
        if size > INLINE_BYTES:
            name = number
            with (self._files / name).open("xb") as file:
                file.write(content)
                if not isinstance(body, bytes):
                    shutil.copyfileobj(body, file, 1 << 20)
                size = file.tell()
        self.delete(key)
        row = (key, etag, now, size, None if name else content, name)
        self._rows.execute("insert into object values (?, ?, ?, ?, ?, ?)", row)
        return etag

    def delete(self, key: str) -> None:
        """Remove an object, if there is one."""
        row = self._rows.execute("delete from object where key = ? returning file", (key,)).fetchone()
        if row and row[0]:
            (self._files / row[0]).unlink()

    def listed(self, prefix: str, after: str, most: int) -> list[Object]:
        """Objects below a prefix that come after a key, in order, without their bodies."""
        start = max(prefix, after)
        rows = self._rows.execute(
            "select key, etag, modified, size, null, file from object where key >= ? order by key limit ?",
            (start, most + 1),
        )
        found = (Object(*row) for row in rows)
        return [one for one in found if one.key > after and one.key.startswith(prefix)][:most]

    def opened(self, found: Object) -> IO[bytes]:
        """The body of an object that is in a file."""
        assert found.file is not None
        return (self._files / found.file).open("rb")


def moment(seconds: float) -> datetime:
    """A time of the simulation as a date, to the second."""
    return START + timedelta(seconds=int(seconds))
