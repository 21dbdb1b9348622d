"""The SQLite file (or memory) that holds everything, and the one lock around it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1

_LATEST = """
    SELECT max(at) FROM (
        SELECT max(updated) AS at FROM resources UNION ALL SELECT max(updated) FROM documents
        UNION ALL SELECT max(max(started, coalesce(stopped, 0), coalesce(ended, 0))) FROM jobs
        UNION ALL SELECT max(accepted) FROM operations UNION ALL SELECT max(received) FROM mappings
    )
"""


class UnusableDatabase(RuntimeError):  # noqa: N818  # says what is wrong with it
    """The file for the indexes cannot be used."""


class Store:
    """One connection and one lock. ``path`` None keeps everything in memory.

    With WAL and ``synchronous=NORMAL`` the kernel has the data of a commit before the commit returns. So an
    acknowledged call survives ``kill -9`` of this process, but not a power cut. A commit costs no disk flush.
    """

    def __init__(self, path: Path | None) -> None:
        self.lock = threading.RLock()
        try:
            self.db = sqlite3.connect(
                path or ":memory:", timeout=0.5, check_same_thread=False, isolation_level=None, cached_statements=512
            )
        except sqlite3.OperationalError as error:
            raise UnusableDatabase(f"Cannot open the emulator's database {path}: {error}") from error
        self.db.row_factory = sqlite3.Row
        try:
            self._open()
        except (sqlite3.DatabaseError, UnusableDatabase) as error:
            self.db.close()
            raise UnusableDatabase(f"Cannot open the emulator's database {path}: {error}") from error

    def _open(self) -> None:
        # The caches of the engine and the queue assume that no other process writes, so a second process is refused.
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY"):
            self.db.execute(f"PRAGMA {pragma}")
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise UnusableDatabase(f"it has format {version}, and this version writes {SCHEMA_VERSION}")
        self.db.executescript(resources.files(__package__).joinpath("schema.sql").read_text("utf-8"))
        if "at" not in {column["name"] for column in self.db.execute("PRAGMA table_info(tokens)")}:
            # A file from before Bedrock, whose client tokens are forgotten after some time.
            self.db.execute("ALTER TABLE tokens ADD COLUMN at REAL NOT NULL DEFAULT 0")
        self.db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self.db.execute(
            "CREATE TEMP TABLE hits (doc INTEGER PRIMARY KEY, score REAL NOT NULL)"  # the matches of one search
        )
        # If the matches are collapsed: the group of each match, and its place in the group.
        self.db.execute(
            "CREATE TEMP TABLE folded (doc INTEGER PRIMARY KEY, score REAL NOT NULL, leader INTEGER NOT NULL,"
            " place INTEGER NOT NULL)"
        )
        self.db.execute("CREATE INDEX temp.folded_of_leader ON folded (leader, place)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one transaction, while no other thread uses the store. Do not nest it."""
        with self.lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row, or None."""
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return every row."""
        return self.db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute a statement."""
        return self.db.execute(sql, values)

    def latest(self) -> float:
        """Return the time of the last recorded event, in epoch seconds; 0 in an empty database."""
        row = self.one(_LATEST)
        return float(row[0] or 0.0) if row is not None else 0.0

    def close(self) -> None:
        """Close the file. Committed data stays."""
        with self.lock:
            self.db.close()
