"""The state and the rules that the services share. They have names of their own here, not those of a service."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import convert, to_builtins

from docferry_emulators.clock import Clock
from docferry_emulators.engine.context import Context, ReadObject
from docferry_emulators.engine.documents import Documents
from docferry_emulators.engine.fields import IndexField
from docferry_emulators.engine.indexing import Indexing
from docferry_emulators.engine.jobs import Jobs
from docferry_emulators.engine.principals import Principals
from docferry_emulators.engine.resources import NAMES, Resource, Resources
from docferry_emulators.engine.search import Search
from docferry_emulators.engine.status import Statuses
from docferry_emulators.engine.store import Store
from docferry_emulators.engine.tags import Tags
from docferry_emulators.faults import Faults
from docferry_emulators.settings import Settings

HOLDERS = frozenset({"index", "data_source"})
"""The kinds of resources that hold documents under their own id. In Bedrock that is a data source: it is the index."""


class Engine:
    """The whole state of the emulators. Use its parts only inside ``request()``."""

    def __init__(
        self, *, clock: Clock, settings: Settings, faults: Faults, database: Path | None, read_object: ReadObject
    ) -> None:
        self.store = Store(database)
        # Time continues where the file left off and never goes back, because jobs are listed by their start time.
        ahead = max(0.0, self.store.latest() - clock.now().timestamp())
        self.context = Context(self.store, clock, settings, faults, read_object, ahead)
        self.settings = settings
        self.resources = Resources(self.context, purge=self._purge)
        self.jobs = Jobs(self.context)
        self.documents = Documents(self.context, self.resources, self.jobs)
        self.statuses = Statuses(self.context)
        self.principals = Principals(self.context)
        self.tags = Tags(self.context)
        self.search = Search(self.context)
        self._indexing = Indexing(self.context, self.jobs)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Do the work that is due, then run the block as one request. Each takes effect completely or not at all."""
        with self.store.lock:
            self.settle()
            with self.store.transaction():
                yield

    def settle(self) -> None:
        """Do all work that is due."""
        now = self.context.now()
        with self.store.transaction():
            self.resources.settle(now)
            self._indexing.settle(now)
            self.jobs.settle(now)

    def fields(self, index: Resource) -> dict[str, IndexField]:
        """Return the fields of an index."""
        return convert(index.body["fields"], dict[str, IndexField])

    def set_fields(self, index: Resource, fields: dict[str, IndexField]) -> None:
        """Put the fields into the body of an index. The caller has to save the index."""
        index.body["fields"] = to_builtins(fields)

    def totals(self, index_id: str) -> tuple[int, int]:
        """Return how many documents an index holds, and the size of their text in bytes."""
        row = self.store.one("SELECT documents, text_bytes FROM totals WHERE index_id = ?", index_id)
        return (row["documents"], row["text_bytes"]) if row is not None else (0, 0)

    def delete(self, resource: Resource) -> None:
        """Begin to delete a resource. Abort at once the jobs of every data source that is deleted."""
        sources = [resource, *self.resources.children(resource)]
        for source in sources:
            if source.kind == "data_source":
                self.jobs.abort(source.id)
        self.resources.delete(resource)

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _purge(self, resource: Resource) -> None:
        """Delete the data that belongs to a deleted resource."""
        if resource.kind in NAMES:
            self.tags.forget(resource.id)
        if resource.kind == "data_source":
            self._purge_source(resource.id)
        if resource.kind in HOLDERS:
            self._purge_index(resource.id)

    def _purge_source(self, data_source: str) -> None:
        run = self.store.run
        run(
            "DELETE FROM tallies WHERE execution_id IN (SELECT execution_id FROM jobs WHERE data_source = ?)",
            data_source,
        )
        run("DELETE FROM mappings WHERE data_source = ?", data_source)
        run(
            "DELETE FROM counted WHERE execution_id IN (SELECT execution_id FROM jobs WHERE data_source = ?)",
            data_source,
        )
        run("DELETE FROM jobs WHERE data_source = ?", data_source)
        run("DELETE FROM history WHERE data_source = ?", data_source)
        run("DELETE FROM operations WHERE data_source = ?", data_source)
        run("DELETE FROM texts WHERE rowid IN (SELECT doc FROM documents WHERE data_source = ?)", data_source)
        rows = self.store.all(
            "SELECT index_id, sum(present) AS n, sum(present * text_bytes) AS size FROM documents"
            " WHERE data_source = ? GROUP BY index_id",
            data_source,
        )
        run("DELETE FROM documents WHERE data_source = ?", data_source)
        for row in rows:
            run(
                "UPDATE totals SET documents = documents - ?, text_bytes = text_bytes - ?, accepted = documents - ?"
                " WHERE index_id = ?",
                *(row["n"], row["size"], row["n"], row["index_id"]),
            )

    def _purge_index(self, index_id: str) -> None:
        run = self.store.run
        run("DELETE FROM texts WHERE rowid IN (SELECT doc FROM documents WHERE index_id = ?)", index_id)
        for table in ("documents", "operations", "totals", "mappings", "history"):
            run(f"DELETE FROM {table} WHERE index_id = ?", index_id)  # noqa: S608 - from constants
