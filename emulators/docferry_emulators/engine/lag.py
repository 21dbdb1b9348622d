"""Answers that lag: they show jobs and documents as they were some time ago, like an eventually consistent list."""

from typing import Any

from msgspec import Struct

from docferry_emulators.engine.context import Context

UNDER_WAY = {"put": ("RECEIVED", "PROCESSING"), "delete": ("DELETING", "REMOVING")}
"""The status of a document before and during the work on a put, and on a delete."""


class Moment(Struct, frozen=True):
    """What the service reports about a document at one time. ``status`` is empty when it reports nothing."""

    status: str
    at: float
    created: float
    data_source: str | None
    code: str | None
    message: str | None


def status_then(row: Any, then: float, stopping_seconds: float) -> str | None:
    """Return the status of a job at the time ``then``, by the times in its row. None: the job had not begun."""
    if then < row["started"]:
        return None
    if row["ended"] is not None and then >= row["ended"]:
        status: str = row["status"]
        return status
    if row["stopped"] is None or then < row["stopped"]:
        return "SYNCING"
    return "STOPPING" if then < row["stopped"] + stopping_seconds else "SYNCING_INDEXING"


class History:
    """The statuses of documents over time. Kept only if statuses lag."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def note(  # noqa: PLR0913  # one parameter a column
        self,
        index_id: str,
        name: str,
        at: float,
        status: str,
        *,
        data_source: str | None = None,
        created: float | None = None,
        code: str | None = None,
        message: str | None = None,
    ) -> None:
        """Record that a document has this status from a time on, which may be to come. Does nothing without a lag."""
        if not self._context.settings.status_lag:
            return
        self._begin(index_id, name)
        self._insert(index_id, name, Moment(status, at, created or at, data_source, code, message))
        then = self._then()
        self._store.run(
            "DELETE FROM history WHERE index_id = ?1 AND id = ?2 AND at < (SELECT max(at) FROM history"
            " WHERE index_id = ?1 AND id = ?2 AND at <= ?3)",
            *(index_id, name, then),
        )

    def shown(self, index_id: str, name: str) -> Moment | None:
        """Return what to report about a document now. None: nothing is recorded, so report its current status."""
        row = self._store.one(
            "SELECT * FROM history WHERE index_id = ? AND id = ? AND at <= ? ORDER BY at DESC, seq DESC LIMIT 1",
            *(index_id, name, self._then()),
        )
        if row is not None:
            return Moment(*(row[column] for column in Moment.__struct_fields__))
        later = self._store.one("SELECT 1 FROM history WHERE index_id = ? AND id = ? LIMIT 1", index_id, name)
        return Moment("", 0.0, 0.0, None, None, None) if later is not None else None

    def _begin(self, index_id: str, name: str) -> None:
        """Before the first record of a document, record the status that it has had so far."""
        if self._store.one("SELECT 1 FROM history WHERE index_id = ? AND id = ? LIMIT 1", index_id, name) is not None:
            return
        known = self._store.one("SELECT * FROM documents WHERE index_id = ? AND id = ?", index_id, name)
        if known is not None:
            moment = Moment(
                known["status"],
                known["updated"],
                known["created"],
                known["data_source"],
                known["code"],
                known["message"],
            )
            self._insert(index_id, name, moment)

    def _insert(self, index_id: str, name: str, moment: Moment) -> None:
        self._store.run(
            "INSERT INTO history (index_id, id, status, at, created, data_source, code, message)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(index_id, name, moment.status, moment.at, moment.created, moment.data_source, moment.code),
            moment.message,
        )

    def _then(self) -> float:
        return self._context.now() - self._context.settings.status_lag
