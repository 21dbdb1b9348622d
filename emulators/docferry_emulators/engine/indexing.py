"""The work of an index on accepted puts and deletes: read, extract, make searchable, remove."""

from hashlib import sha256
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from docferry_emulators.engine.access import decode
from docferry_emulators.engine.context import Context
from docferry_emulators.engine.extraction import Unreadable, extract
from docferry_emulators.engine.fields import DATA_SOURCE_ID
from docferry_emulators.engine.jobs import Jobs, Outcome
from docferry_emulators.engine.lag import History
from docferry_emulators.engine.puts import Code, Payload
from docferry_emulators.faults import EndedDocument

WITHOUT_EFFECT = frozenset({"IGNORED", "METADATA_UPDATE_FAILED"})
"""The ends of a put that leave the index as it was."""
ON_REQUEST = "The work on the document ended like this on request."

# How many operations, with their contents, are in memory at once.
BATCH = 200


class Refused(Exception):  # noqa: N818 - named after what happened to the document
    """An accepted document cannot be indexed."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code


class Indexing:
    """Does the queued work in the order of acceptance."""

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._store = context.store
        self._jobs = jobs
        self._history = History(context)

    def settle(self, now: float) -> None:
        """Do all indexing that is due."""
        self._hold(now)
        while rows := self._store.all("SELECT * FROM operations WHERE due <= ? ORDER BY due, seq LIMIT ?", now, BATCH):
            for row in rows:
                self._apply(row)
                self._store.run("DELETE FROM operations WHERE seq = ?", row["seq"])
                if self._context.settings.status_lag:
                    self._note(row)

    def _hold(self, now: float) -> None:
        """Put off the work on the documents that are stuck."""
        if stuck := self._context.faults.knobs.stuck_documents:
            self._store.run(
                "UPDATE operations SET due = ?1 + 0.001"
                " WHERE due <= ?1 AND (?2 OR id IN (SELECT value FROM json_each(?3)))",
                *(now, "*" in stuck, msgspec.json.encode(sorted(stuck)).decode()),
            )

    def _note(self, row: Any) -> None:
        """Record the new status of a document, for statuses that lag. Does nothing while more work on it is queued."""
        at = row["index_id"], row["id"]
        if self._store.one("SELECT 1 FROM operations WHERE index_id = ? AND id = ? LIMIT 1", *at) is not None:
            return
        known = self._store.one("SELECT * FROM documents WHERE index_id = ? AND id = ?", *at)
        if known is None:
            self._history.note(*at, row["due"], "", data_source=row["data_source"])
        else:
            self._history.note(
                *at,
                row["due"],
                known["status"],
                data_source=known["data_source"],
                created=known["created"],
                code=known["code"],
                message=known["message"],
            )

    def _apply(self, row: Any) -> None:
        known = self._store.one("SELECT * FROM documents WHERE index_id = ? AND id = ?", row["index_id"], row["id"])
        existed = known is not None and bool(known["present"])
        outcome: Outcome | None
        if message := self._context.faults.knobs.fail_documents.get(row["id"]):
            self._fail(row, known, "InternalError", message)
            outcome = "failed"
        elif row["kind"] == "delete":
            outcome = self._delete(row, known)
        else:
            outcome = self._put(row, known)
        if row["execution_id"] is not None:
            self._jobs.tally(row["execution_id"], row["id"], existed=existed, outcome=outcome, at=row["due"])

    def _put(self, row: Any, known: Any) -> Outcome | None:
        payload = msgspec.json.decode(row["payload"], type=Payload)
        ended = self._context.faults.knobs.end_documents.get(row["id"])
        if ended is not None and (ended in WITHOUT_EFFECT or self._context.settings.partially_indexed == "keep"):
            self._stay(row, known, ended, "InternalError", ON_REQUEST)
            return "failed"
        try:
            content = self._content(row, payload)
            text = self._text(payload, content)
        except (Refused, Unreadable) as error:
            self._fail(row, known, getattr(error, "code", "InvalidRequest"), str(error))
            return "failed"
        if self._context.settings.left_out_on_put == "keep" and known is not None:
            payload = _merged(payload, known)
        described = msgspec.json.encode(replace(payload, text_bytes=None, ignore_unchanged=False))
        digest = sha256(described + b"\0" + content).digest()
        same = known is not None and known["present"] and known["digest"] == digest
        if same and payload.ignore_unchanged:
            self._stay(row, known, "IGNORED", "InvalidRequest", "The document has not changed.")
            return None
        if ended is not None:
            self._write_partly(row, payload, text, ended, known)
            return "failed"
        self._write(row, payload, text, digest, known)
        if same and self._context.settings.unchanged_put == "ignored":
            return None
        return "modified"

    def _content(self, row: Any, payload: Payload) -> bytes:
        if payload.s3 is None:
            content: bytes = row["content"] or b""
            return content
        found = self._context.read_object(payload.account, payload.s3.bucket, payload.s3.key)
        where = f"s3://{payload.s3.bucket}/{payload.s3.key}"
        if found is None:
            raise Refused("InvalidRequest", f"The object {where} cannot be read.")
        limit = self._context.settings.s3_object_bytes
        if len(found) > limit:
            raise Refused("InvalidRequest", f"The object {where} has {len(found)} bytes, more than {limit}.")
        return found

    def _text(self, payload: Payload, content: bytes) -> str:
        text, limit = extract(payload.content_type, content), payload.text_bytes
        if limit is not None and len(text.encode()) > limit:
            raise Refused("InvalidRequest", f"The text of the document has more than {limit} bytes.")
        return text

    def _write(self, row: Any, payload: Payload, text: str, digest: bytes, known: Any) -> None:
        attributes = dict(payload.attributes)
        if row["data_source"] is not None:
            attributes[DATA_SOURCE_ID] = row["data_source"]
        title = payload.title or _text(attributes, "_document_title")
        size = len(text.encode())
        was = known["text_bytes"] if known is not None and known["present"] else 0
        present = known is not None and known["present"]
        status = self._context.settings.status_after_update if present else "INDEXED"
        cursor = self._store.run(
            "INSERT INTO documents (index_id, id, data_source, present, status, title, uri, attributes, acl,"
            " text_bytes, digest, created, updated) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (index_id, id) DO UPDATE SET data_source = excluded.data_source, present = 1,"
            " status = excluded.status, title = excluded.title, uri = excluded.uri, attributes = excluded.attributes,"
            " acl = excluded.acl, text_bytes = excluded.text_bytes, digest = excluded.digest, code = NULL,"
            " message = NULL, updated = excluded.updated RETURNING doc",
            row["index_id"],
            row["id"],
            row["data_source"],
            status,
            title,
            _text(attributes, "_source_uri"),
            msgspec.json.encode(attributes).decode(),
            None if payload.acl is None else msgspec.json.encode(payload.acl).decode(),
            size,
            digest,
            row["due"],
            row["due"],
        )
        doc = cursor.fetchall()[0]["doc"]
        if present:
            self._store.run("DELETE FROM texts WHERE rowid = ?", doc)
        self._store.run("INSERT INTO texts (rowid, title, body) VALUES (?, ?, ?)", doc, title or "", text)
        self._total(row["index_id"], documents=0 if present else 1, text_bytes=size - was)

    def _write_partly(self, row: Any, payload: Payload, text: str, ended: EndedDocument, known: Any) -> None:
        """Replace a document by half of its text, or by its text with half of its attributes."""
        if ended == "PARTIALLY_INDEXED":
            text = text[: len(text) // 2]
        else:
            half = islice(payload.attributes.items(), len(payload.attributes) // 2)
            payload = replace(payload, attributes=dict(half))
        self._write(row, payload, text, b"", known)
        self._record(row, ended, "InternalError", ON_REQUEST)

    def _delete(self, row: Any, known: Any) -> Outcome | None:
        if known is None:
            return None
        self._store.run("DELETE FROM documents WHERE doc = ?", known["doc"])
        if not known["present"]:
            return None
        self._store.run("DELETE FROM texts WHERE rowid = ?", known["doc"])
        self._total(row["index_id"], documents=-1, text_bytes=-known["text_bytes"])
        return "deleted"

    def _fail(self, row: Any, known: Any, code: Code, message: str) -> None:
        """Record the failure. A version that was indexed before can still be found."""
        present = known is not None and known["present"]
        self._stay(row, known, "UPDATE_FAILED" if present else "FAILED", code, message)

    def _stay(self, row: Any, known: Any, status: str, code: Code, message: str) -> None:
        """Record how the work on a document ended. It changed nothing in the index."""
        self._record(row, status, code, message)
        present = known is not None and bool(known["present"])
        later = self._store.one(
            "SELECT 1 FROM operations WHERE index_id = ? AND id = ? AND seq > ? LIMIT 1",
            row["index_id"],
            row["id"],
            row["seq"],
        )
        # When the work was accepted, a put already counted as one document more, a delete as one less: take that back.
        if later is None and present == (row["kind"] == "delete"):
            self._total(row["index_id"], accepted=1 if present else -1)

    def _record(self, row: Any, status: str, code: Code, message: str) -> None:
        self._store.run(
            "INSERT INTO documents (index_id, id, data_source, present, status, code, message, created, updated)"
            " VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?) ON CONFLICT (index_id, id) DO UPDATE SET"
            " status = excluded.status, code = excluded.code, message = excluded.message, updated = excluded.updated",
            *(row["index_id"], row["id"], row["data_source"], status, code, message[:2048], row["due"], row["due"]),
        )

    def _total(self, index_id: str, *, documents: int = 0, text_bytes: int = 0, accepted: int = 0) -> None:
        self._store.run(
            "UPDATE totals SET documents = documents + ?, text_bytes = text_bytes + ?, accepted = accepted + ?"
            " WHERE index_id = ?",
            *(documents, text_bytes, accepted, index_id),
        )


def _text(attributes: dict[str, Any], name: str) -> str | None:
    """Return an attribute that is a string. An index without declared fields takes any other value under its name."""
    value = attributes.get(name)
    return value if isinstance(value, str) else None


def _merged(payload: Payload, known: Any) -> Payload:
    before = msgspec.json.decode(known["attributes"])
    acl = payload.acl if payload.acl is not None else decode(known["acl"])
    return replace(payload, attributes={**before, **payload.attributes}, acl=acl)
