"""Accepts or rejects puts and deletes. Indexing does the work itself later."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from docferry_emulators.engine.context import Context
from docferry_emulators.engine.fields import EXECUTION_ID, IndexField, dated, problem_of
from docferry_emulators.engine.jobs import Jobs
from docferry_emulators.engine.lag import UNDER_WAY, History
from docferry_emulators.engine.puts import Put, Rejection, Rules, payload_of
from docferry_emulators.engine.resources import Resource, Resources
from docferry_emulators.errors import QuotaExceeded, ValidationFailed


class Tie(Struct, frozen=True):
    """The data source and the job that a document belongs to, if any."""

    data_source: str | None = None
    execution_id: str | None = None


class Documents:
    """Accepts puts and deletes in the order in which they come."""

    def __init__(self, context: Context, resources: Resources, jobs: Jobs) -> None:
        self._context = context
        self._store = context.store
        self._resources = resources
        self._jobs = jobs
        self._history = History(context)

    def put(
        self, index: Resource, fields: dict[str, IndexField] | None, puts: Sequence[Put], rules: Rules
    ) -> tuple[list[Rejection], bool]:
        """Accept documents. Return those that are rejected, and whether the put has declared fields of the index.

        ``fields`` None is an index that takes any attribute. Raises ValidationFailed when the request is too large, and
        QuotaExceeded when the index is full of text.
        """
        self._measure(index, puts, rules)
        declared = False
        rejected = []
        last = {put.id: number for number, put in enumerate(puts)}
        for number, put in enumerate(puts):
            repeated = last[put.id] != number
            if repeated and self._context.settings.duplicate_in_batch == "last":
                continue
            declared |= self._declare(fields, put)
            tie = self._tie(index, put.data_source, put.execution_id)
            problem = self._problem(index, fields, put, rules, tie)
            if (
                problem is None
                and self._context.settings.duplicate_in_batch == "reject"
                and (sum(1 for other in puts if other.id == put.id) > 1)
            ):
                problem = "The request has the document more than once."
            if problem is not None:
                rejected.append(Rejection(put.id, "InvalidRequest", problem, put.data_source))
                continue
            assert isinstance(tie, Tie)
            exists, _ = self.standing(index.id, put.id)
            payload = payload_of(index, put, rules, declared=fields is not None)
            self._accept(index, put.id, "put", tie, payload, put.blob)
            if not exists:
                self._count(index.id, 1)
        return rejected, declared

    def delete(
        self, index: Resource, ids: Iterable[str], data_source: str | None, execution_id: str | None, rules: Rules
    ) -> list[Rejection]:
        """Accept deletes. Return those that are rejected."""
        rejected = []
        tie = self._tie(index, data_source, execution_id)
        for name in dict.fromkeys(ids):
            exists, owner = self.standing(index.id, name)
            if isinstance(tie, str):
                rejected.append(Rejection(name, "InvalidRequest", tie, data_source))
            elif message := self._context.faults.knobs.reject.get(name):
                rejected.append(Rejection(name, "InvalidRequest", message, data_source))
            elif not exists and rules.unknown_delete is not None and not self._is_listed(index, name, rules):
                unknown = rules.unknown_delete
                rejected.append(Rejection(name, unknown.code, unknown.message, data_source))
            elif exists and self._foreign(owner, tie):
                rejected.append(
                    Rejection(name, "InvalidRequest", "The document belongs to another data source.", data_source)
                )
            else:
                self._accept(index, name, "delete", tie, None, None)
                if exists:
                    self._count(index.id, -1)
        return rejected

    def _is_listed(self, index: Resource, name: str, rules: Rules) -> bool:
        """Whether a delete takes a document away that has failed, and is listed with that status."""
        found = "SELECT 1 FROM documents WHERE index_id = ? AND id = ?"
        return rules.deletes_failed and self._store.one(found, index.id, name) is not None

    def standing(self, index_id: str, name: str) -> tuple[bool, str | None]:
        """Tell whether a document will exist when all accepted work is done, and which data source owns it."""
        row = self._store.one(
            "SELECT kind, data_source FROM operations WHERE index_id = ? AND id = ? ORDER BY seq DESC LIMIT 1",
            index_id,
            name,
        )
        if row is not None:
            return row["kind"] == "put", row["data_source"]
        row = self._store.one(
            "SELECT present, data_source FROM documents WHERE index_id = ? AND id = ?", index_id, name
        )
        return (bool(row["present"]), row["data_source"]) if row is not None else (False, None)

    def _measure(self, index: Resource, puts: Sequence[Put], rules: Rules) -> None:
        size = sum(len(put.blob or b"") for put in puts)
        if rules.request_bytes is not None and size > rules.request_bytes:
            raise ValidationFailed.of(
                "documents", f"The documents of the request have {size} bytes, more than {rules.request_bytes}."
            )
        totals = self._store.one("SELECT text_bytes FROM totals WHERE index_id = ?", index.id)
        full = rules.text is not None and totals is not None and totals["text_bytes"] >= rules.text
        if full or self._context.faults.knobs.over_capacity == "text":
            raise QuotaExceeded("The text in the index exceeds its capacity.", "INDEX", index.id)

    def _declare(self, fields: dict[str, IndexField] | None, put: Put) -> bool:
        if fields is None or self._context.settings.undeclared_fields == "reject":
            return False
        new = {name: value for name, value in put.attributes.items() if name not in fields and name != EXECUTION_ID}
        for name, value in new.items():
            fields[name] = IndexField(
                value.kind, facetable=True, searchable=True, displayable=True, sortable=value.kind != "STRING_LIST"
            )
        return bool(new)

    def _tie(self, index: Resource, data_source: str | None, execution_id: str | None) -> Tie | str:
        """Find the data source and the job of a document. Returns a text that says why, if they cannot be used."""
        if execution_id is not None:
            job = self._jobs.find(execution_id)
            if job is None or job.index_id != index.id or data_source not in (None, job.data_source):
                return f"Sync job {execution_id} does not exist for this data source."
            if job.status != "SYNCING":
                return f"Sync job {execution_id} is {job.status} and takes no more documents."
            return Tie(job.data_source, execution_id)
        if data_source is None:
            return Tie()
        source = self._resources.find(index.scope, "data_source", data_source, parent=index.id)
        if source is None or source.status == "DELETING":
            return f"Data source {data_source} does not exist in this index."
        running = self._context.settings.job_without_id == "running"
        return Tie(data_source, self._jobs.running(data_source) if running else None)

    def _foreign(self, owner: str | None, tie: Tie) -> bool:
        if self._context.settings.foreign_document == "replace":
            return False
        return owner is not None and tie.data_source is not None and owner != tie.data_source

    def _problem(  # noqa: C901, PLR0911, PLR0912 - one line a rule
        self, index: Resource, fields: dict[str, IndexField] | None, put: Put, rules: Rules, tie: Tie | str
    ) -> str | None:
        settings = self._context.settings
        if put.problem is not None:
            return put.problem
        if isinstance(tie, str):
            return tie
        if message := self._context.faults.knobs.reject.get(put.id):
            return message
        if put.blob is not None and put.s3 is not None:
            return "A document has either a blob or an S3 path, not both."
        if put.blob is None and put.s3 is None:
            return "A document has either a blob or an S3 path; this one has neither."
        if put.blob is not None and len(put.blob) > rules.document_bytes:
            return f"The content has {len(put.blob)} bytes, more than {rules.document_bytes}."
        if put.acl is not None and put.acl.principals() > rules.principals:
            return f"The access control has {put.acl.principals()} principals, more than {rules.principals}."
        if rules.attributes is not None and len(put.attributes) > rules.attributes:
            return f"The document has {len(put.attributes)} attributes, more than {rules.attributes}."
        if fields is not None and (problem := self._misfit(fields, put)):
            return problem
        if settings.read_s3 == "put" and put.s3 is not None:
            put.blob = self._context.read_object(index.account, put.s3.bucket, put.s3.key)
            if put.blob is None:
                return f"The object s3://{put.s3.bucket}/{put.s3.key} cannot be read."
            put.s3 = None
        exists, owner = self.standing(index.id, put.id)
        if exists and self._foreign(owner, tie):
            return "The document belongs to another data source of the index."
        if not exists and self._full(index.id, rules):
            return "The index holds as many documents as its capacity allows."
        return None

    def _misfit(self, fields: dict[str, IndexField], put: Put) -> str | None:
        """Return a text that says which attribute does not fit the fields of the index."""
        settings = self._context.settings
        if settings.date_as_string == "accept":
            put.attributes = {name: dated(value, fields.get(name)) for name, value in put.attributes.items()}
        for name, value in put.attributes.items():
            known = IndexField("STRING") if name == EXECUTION_ID else fields.get(name)
            if problem := problem_of(name, value, known, settings.string_list):
                return problem
        return None

    def _full(self, index_id: str, rules: Rules) -> bool:
        if self._context.faults.knobs.over_capacity == "documents":
            return True
        row = self._store.one("SELECT accepted FROM totals WHERE index_id = ?", index_id)
        return rules.documents is not None and row is not None and row["accepted"] >= rules.documents

    def _accept(
        self, index: Resource, name: str, kind: str, tie: Tie, payload: bytes | None, content: bytes | None
    ) -> None:
        """Queue the work. An index starts its documents one by one, at least ``seconds_per_document`` apart."""
        settings, now = self._context.settings, self._context.now()
        totals = self._store.one("SELECT busy_until FROM totals WHERE index_id = ?", index.id)
        begin = max(now + settings.received_seconds, totals["busy_until"] if totals is not None else 0.0)
        self._store.run(
            "INSERT INTO totals (index_id, busy_until) VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET busy_until = excluded.busy_until",
            index.id,
            begin + settings.seconds_per_document,
        )
        self._store.run(
            "INSERT INTO operations"
            " (index_id, id, kind, data_source, execution_id, accepted, begin, due, payload, content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            index.id,
            name,
            kind,
            tie.data_source,
            tie.execution_id,
            now,
            begin,
            begin + settings.seconds_per_document + settings.processing_seconds,
            payload,
            content,
        )
        received, begun = UNDER_WAY[kind]
        self._history.note(index.id, name, now, received, data_source=tie.data_source)
        self._history.note(index.id, name, begin, begun, data_source=tie.data_source, created=now)
        if tie.execution_id is not None:
            self._jobs.touch(tie.execution_id)

    def _count(self, index_id: str, step: int) -> None:
        self._store.run("UPDATE totals SET accepted = accepted + ? WHERE index_id = ?", step, index_id)
