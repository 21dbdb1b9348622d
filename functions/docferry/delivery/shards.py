"""Shards: the change set in parts that one Map child handles, and the result that each of them leaves."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Raw, Struct

from docferry.delivery import carried
from docferry.delivery.carried import Span
from docferry.errors import ChangeSetInvalid
from docferry.model import Change, Outcome
from docferry.state import lines
from docferry.state.ahead import Behind
from docferry.state.keys import RESULTS, result_key, run_key, shard_key
from docferry.state.runs import Operation, Shard
from docferry.state.store import Store
from docferry.state.stream import Missing

# 500 documents are 50 requests of ten: enough for a worker to have 20 of them under way. A child of the Map costs three
# transitions of $0.000025, some ten calls of S3, and the second in which its first requests begin and its last ones
# end, in which fewer are under way. So from 200,000 documents on a run has about 400 shards, from a million on they are
# of 2,500: 4,000 shards for 10 million. A worker holds the outcomes of its shard: 2,500 of some 1,000 bytes are 2.5 MB.
SHARD_DOCUMENTS = 500
MOST_SHARD_DOCUMENTS = 2_500
SHARDS = 400
CURE = "restore its last version, or put everything again with `docferry rebuild`"
# 100 requests of 5 MB, for documents that fill a request alone.
SHARD_BYTES = 500_000_000
# Of descriptions. Those of 200 access control entries and 50 attributes are some 100,000 bytes each: 160 fill a shard.
SHARD_LINES_BYTES = 16_000_000

# A worker has 20 requests under way (docferry.workflow.shard), four make 267 calls a second at 0.3 s each. More workers
# than the service has calls for wait, and waiting is paid for: 4 of 512 MiB cost $0.12 an hour. A run of more than a
# million changes has twice as many, for an index that takes a second for a call.
WORKERS = 4
MANY_WORKERS = 8
MANY_CHANGES = 1_000_000


def workers(changes: int) -> int:
    """How many shards of a change set are sent at a time, when the connector does not say."""
    return MANY_WORKERS if changes > MANY_CHANGES else WORKERS


def shard_documents(listed: int) -> int:
    """How many documents a shard has at most. ``listed`` is how many documents the run has listed."""
    return min(MOST_SHARD_DOCUMENTS, max(SHARD_DOCUMENTS, listed // SHARDS))


class Begun(Struct, frozen=True):
    """Shards that are written, and what there is of the next one: its lines, where their contents are, their size."""

    shards: tuple[Shard, ...] = ()
    lines: tuple[Raw, ...] = ()
    spans: tuple[Span, ...] = ()
    bytes: int = 0


NOTHING = Begun()


class ShardWriter:
    """Writes changes of one operation to shards, in order. ``documents`` is how many a shard has at most.

    It goes on after what is ``begun``. ``behind`` writes shards while the next one is filled: all are there once it
    has waited for them. Each is a temporary file, of which SPOOL_BYTES, 4 MiB, at most are in memory, and AT_ONCE, 16,
    are under way at most: 64 MiB, and 1 MiB where a description has some 500 bytes.
    """

    def __init__(
        self,
        store: Store,
        run: str,
        operation: Operation,
        *,
        exact: bool,
        documents: int,
        begun: Begun = NOTHING,
        behind: Behind | None = None,
    ) -> None:
        self._store = store
        self._run = run
        self._operation = operation
        self._exact = exact
        self._documents = documents
        self._behind = behind
        self._lines = [bytes(line) for line in begun.lines]
        self._lines_bytes = sum(map(len, self._lines))
        self._spans = list(begun.spans)
        self._bytes = begun.bytes
        self._shards = list(begun.shards)

    def add(self, change: Change, span: Span | None = None) -> None:
        """Add one change; ``span`` says where its content is, when the listing has carried it."""
        size = span.size if span else change.document.size
        if self._bytes + size > SHARD_BYTES:
            self._flush()
        self._bytes += size
        if span is not None:
            self._spans.append(span)
        self.add_line(lines.encode(change))

    def add_line(self, line: bytes) -> None:
        """Add one change that is encoded already."""
        self._lines.append(line)
        self._lines_bytes += len(line)
        if len(self._lines) == self._documents or self._lines_bytes >= SHARD_LINES_BYTES:
            self._flush()

    def begun(self) -> Begun:
        """What another writer goes on with."""
        return Begun(tuple(self._shards), tuple(map(Raw, self._lines)), tuple(self._spans), self._bytes)

    def close(self) -> list[Shard]:
        """Write what is left; return all shards."""
        self._flush()
        return self._shards

    def _flush(self) -> None:
        if not self._lines:
            return
        name = f"{self._operation}-{len(self._shards):05}"
        if self._spans:
            carried.write_spans(self._store, self._run, name, self._spans, behind=self._behind)
        with self._store.writing(shard_key(self._run, name), behind=self._behind) as stream:
            for line in self._lines:
                stream.add_line(line)
        self._shards.append(Shard(self._run, self._operation, name, stream.count, stream.written.sha256, self._exact))
        self._lines, self._spans, self._bytes, self._lines_bytes = [], [], 0, 0


def changes(store: Store, shard: Shard) -> Iterator[Change]:
    """The changes of a shard. Raises ChangeSetInvalid, before the first, when they are not what the crawl wrote."""
    key = shard_key(shard.run, shard.shard)
    try:
        for line in store.lines(key, shard.sha256):
            change = lines.decode(line, Change)
            if (change.kind == "deleted") != (shard.operation == "delete"):
                raise ChangeSetInvalid(f"{key} is not a shard to {shard.operation}: somebody has changed batches.json")
            yield change
    except Missing as error:
        raise ChangeSetInvalid(f"{key} is missing: {CURE}") from error
    except ValueError as error:
        raise ChangeSetInvalid(f"somebody has changed the change set: {error}; {CURE}") from error


def write_result(store: Store, shard: Shard, outcomes: Iterable[Outcome]) -> None:
    """Write what became of each document of a shard, sorted by id."""
    with store.writing(_result_key(shard)) as stream:
        for outcome in sorted(outcomes, key=lambda outcome: outcome.id):
            stream.add(outcome)


def has_result(store: Store, shard: Shard) -> bool:
    """Whether the shard has left a result. The result of another run, or of another change set, does not count."""
    return store.exists(_result_key(shard))


def result(store: Store, shard: Shard) -> Iterator[Outcome]:
    """What became of each document of a shard that has left a result."""
    return (lines.decode(line, Outcome) for line in store.lines(_result_key(shard)))


def finished(store: Store, run: str, shards: Iterable[Shard]) -> list[Shard]:
    """The shards of a run that have left a result, by one listing."""
    return [shard for shard, _ in finished_when(store, run, shards)]


def finished_when(store: Store, run: str, shards: Iterable[Shard]) -> list[tuple[Shard, datetime]]:
    """The shards of a run that have left a result, and when, to the second, by one listing."""
    found = {listed.key: listed.modified for listed in store.objects(run_key(run, RESULTS))}
    return [(shard, found[key]) for shard in shards if (key := _result_key(shard)) in found]


def _result_key(shard: Shard) -> str:
    return result_key(shard.run, shard.shard, shard.sha256)
