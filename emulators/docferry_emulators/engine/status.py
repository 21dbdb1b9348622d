"""The statuses of documents: one by one (Kendra, Bedrock), or as a list (Q Business, Bedrock)."""

from typing import Any

from msgspec import Struct

from docferry_emulators.engine.context import Context
from docferry_emulators.engine.lag import UNDER_WAY, History, Moment
from docferry_emulators.engine.paging import place_of, token_of


class DocumentStatus(Struct, frozen=True):
    """The status of one document.

    RECEIVED and PROCESSING are a put before and during the work on it, DELETING and REMOVING the same of a delete.
    """

    id: str
    status: str
    created: float
    updated: float
    code: str | None = None
    message: str | None = None
    data_source: str | None = None


# Both halves use a database index on (index_id, id), so a page costs the same for any number of documents.
_PAGE = (
    "SELECT id FROM (SELECT id FROM documents WHERE index_id = ?1 AND id > ?2 AND (?3 IS NULL OR data_source = ?3)"
    " ORDER BY id LIMIT ?4) UNION SELECT id FROM (SELECT DISTINCT id FROM operations WHERE index_id = ?1 AND id > ?2"
    " AND (?3 IS NULL OR data_source = ?3) ORDER BY id LIMIT ?4) ORDER BY id LIMIT ?4"
)

# While statuses lag, a document that is already gone may still be shown.
_PAGE_THEN = (
    f"SELECT id FROM ({_PAGE}) UNION SELECT id FROM (SELECT DISTINCT id FROM history WHERE index_id = ?1 AND id > ?2"  # noqa: S608 - constant
    " AND (?3 IS NULL OR data_source = ?3) ORDER BY id LIMIT ?4) ORDER BY id LIMIT ?4"
)


class Statuses:
    """Reads the statuses of documents."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._history = History(context)

    def find(self, index_id: str, name: str) -> DocumentStatus | None:
        """Return the status of a document, or None when the index does not know it."""
        if self._context.settings.status_lag and (then := self._history.shown(index_id, name)) is not None:
            return _told(name, then) if then.status else None
        known = self._store.one("SELECT * FROM documents WHERE index_id = ? AND id = ?", index_id, name)
        waiting = self._waiting(index_id, name)
        if known is None and (waiting is None or waiting["kind"] == "delete"):
            return None
        return self._status(name, known, waiting)

    def indexed(self, index_id: str, name: str) -> Any:
        """Return the row of a document that a search can find now, or None."""
        return self._store.one("SELECT * FROM documents WHERE index_id = ? AND id = ? AND present = 1", index_id, name)

    def page(
        self, index_id: str, data_source: str | None, token: str | None, limit: int
    ) -> tuple[list[DocumentStatus], str | None]:
        """Return a page of the documents of an index or of one data source, sorted by id; and the next page's token."""
        listing = f"documents/{index_id}/{data_source or ''}"
        after = place_of(listing, token) or ""
        sql = _PAGE_THEN if self._context.settings.status_lag else _PAGE
        rows = self._store.all(sql, index_id, after, data_source, limit + 1)
        found = [status for row in rows[:limit] if (status := self.find(index_id, row["id"])) is not None]
        return found, token_of(listing, rows[limit - 1]["id"]) if len(rows) > limit else None

    def _waiting(self, index_id: str, name: str) -> Any:
        return self._store.one(
            "SELECT kind, accepted, begin, data_source FROM operations WHERE index_id = ? AND id = ?"
            " ORDER BY seq DESC LIMIT 1",
            *(index_id, name),
        )

    def _status(self, name: str, known: Any, waiting: Any) -> DocumentStatus:
        if waiting is None:
            return DocumentStatus(
                id=name,
                status=known["status"],
                created=known["created"],
                updated=known["updated"],
                code=known["code"],
                message=known["message"],
                data_source=known["data_source"],
            )
        begun = self._context.now() >= waiting["begin"]
        return DocumentStatus(
            id=name,
            status=UNDER_WAY[waiting["kind"]][begun],
            created=known["created"] if known is not None else waiting["accepted"],
            updated=waiting["begin"] if begun else waiting["accepted"],
            data_source=waiting["data_source"],
        )


def _told(name: str, then: Moment) -> DocumentStatus:
    return DocumentStatus(
        id=name,
        status=then.status,
        created=then.created,
        updated=then.at,
        code=then.code,
        message=then.message,
        data_source=then.data_source,
    )
