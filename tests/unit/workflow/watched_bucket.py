"""A source in memory that tells of single keys, and runs that see it: what each has done to the index."""

from collections.abc import Iterable, Iterator
from typing import Any, cast
from uuid import uuid4

import msgspec
from msgspec import Struct, structs

from docferry.changes import scope
from docferry.changes.scope import Scope
from docferry.connector import Connector, DeleteGuard, Part
from docferry.delivery.shards import changes
from docferry.errors import SourceUnavailable
from docferry.model import Document, Listed, Opened, Outcome, Principal, Skipped
from docferry.reporting import ledger
from docferry.reporting.report import Report
from docferry.runtime.settings import Settings
from docferry.runtime.wiring import Wired
from docferry.sources import NOTHING, Ability, Known, Look, Page, Source
from docferry.state import manifest
from docferry.state.keys import EVENTS, run_key
from docferry.state.runs import ChangeSet, Events, change_set, shards
from docferry.state.store import Store
from docferry.sync_job import lease
from docferry.workflow.crawl import Crawled, Request, crawl
from tests.unit.fakes import FakeIndex, wired, write_manifest

NAME = "handbook"
CREW = (Principal("crew", "GROUP", "ALLOW"),)
ACL = "acl.json"


class Stored(Struct, frozen=True):
    """An object: its version, the id that its sidecar names, who may see it, and what keeps it from being read."""

    version: str
    own_id: str | None = None
    access: tuple[Principal, ...] = ()
    refused: bool = False


class WatchedBucket:
    """Objects by key. ``calls`` has what was asked for."""

    Settings: Any = None
    presentation: frozenset[str] = frozenset()
    abilities: frozenset[Ability] = frozenset({"resumes"})

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self.calls: list[str] = []
        self.down = False

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:  # noqa: ARG002  # the protocol's
        """See Source.pages."""
        self.calls.append("list")
        yield Page([listed(key, stored) for key, stored in self.objects.items()], "1")

    def open(self, document: Document) -> Opened:
        """See Source.open."""
        raise NotImplementedError

    def concerns_all(self, key: str) -> bool:
        """See Watched.concerns_all."""
        return key == ACL

    def concerned(self, key: str) -> str | None:
        """See Watched.concerned."""
        return None if key.startswith("outside/") else key.removesuffix(".metadata.json")

    def look(self, locators: Iterable[str]) -> Iterator[Look]:
        """See Watched.look."""
        for key in locators:
            self.calls.append(key)
            if self.down:
                raise SourceUnavailable("down")
            stored = self.objects.get(key)
            yield Look(key, listed(key, stored) if stored else None, gone=stored is None)


def listed(key: str, stored: Stored) -> Listed:
    """What is listed of an object."""
    if stored.refused:
        return Skipped(f"{NAME}/{key}", "cannot be read", locator=key)
    id_ = f"{NAME}/{stored.own_id or key}"
    return Document(id_, stored.version, 1, key, "PLAIN_TEXT", access_control=stored.access)


class World:
    """A connector with its index, and the runs that bring the index in step."""

    def __init__(self, store: Store, **changes: Any) -> None:
        self.store = store
        self.source = WatchedBucket()
        self.connector = Connector(NAME, Part("s3"), Part("kendra"), DeleteGuard(documents=1_000))
        self.connector = structs.replace(self.connector, **changes)
        self.index: dict[str, Document] = {}
        self.keys_read: list[str] = []

    @property
    def wired(self) -> Wired:
        """What a state works with."""
        settings = Settings(self.store.bucket, self.connector)
        return structs.replace(wired(self.store, FakeIndex()), settings=settings, source=cast("Source", self.source))

    def hear(self, keys: Iterable[str]) -> ChangeSet:
        """Start a run with the keys of events; return what it has decided."""
        run = str(uuid4())
        self.store.write(run_key(run, EVENTS), Events(tuple(keys)))
        return self.run(run, events=run, trigger="upload")

    def begin(self, run: str, remaining: int, **inputs: Any) -> Crawled:
        """One invocation of the crawl, which has so many milliseconds."""
        request = msgspec.convert({"run": run, "execution": f"arn:{run}", "input": inputs}, Request)
        return crawl(self.wired, request, lambda: remaining)

    def run(self, run: str = "", *, fails: bool = False, failed: int = 0, **inputs: Any) -> ChangeSet:
        """Crawl, do what is due to the index, and commit. ``fails``: the run dies after its crawl."""
        run = run or str(uuid4())
        self.source.calls.clear()
        self.begin(run, 900_000, **inputs)
        decided = change_set(self.store, run)
        if decided.sends and not fails:
            self._commit(run, decided)
        counts = structs.replace(decided.counts, failed=failed)
        report = Report(run=run, connector=NAME, status="FAILED" if fails else "SUCCEEDED", **structs.asdict(counts))
        ledger.finish(self.store, report)
        lease.release(self.store, execution=f"arn:{run}")
        return decided

    def _commit(self, run: str, decided: ChangeSet) -> None:
        found = [change for shard in shards(self.store, run) for change in changes(self.store, shard)]
        for change in found:
            if change.kind == "deleted":
                del self.index[change.id]
            else:
                self.index[change.id] = change.document
        done = sorted((Outcome(one.id, one.kind, one.document) for one in found), key=lambda one: one.id)
        before = manifest.pointer(self.store)
        base = before.value if before else None
        written = write_manifest(self.store, run, done, manifest.documents(self.store, base))
        manifest.move(self.store, before.etag if before else None, written, base=base)
        if decided.scope is not None:
            scope.remember(self.store, Scope(decided.scope, decided.settings))

    def at(self, key: str) -> dict[str, Document]:
        """The documents that the index holds of a place."""
        return {id_: document for id_, document in self.index.items() if document.locator == key}
