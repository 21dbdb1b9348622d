"""Shards: the change set in parts that one Map child handles."""

from docferry import lines
from docferry.changes import Change
from docferry.runs import Operation, Shard
from docferry.store import Store, shard_key

# 500 documents are 50 requests of ten: at a second each, far below a Lambda's 15 minutes, and 20,000 shards, the most
# that a batches.json of a few MiB lists, are 10 million documents.
SHARD_DOCUMENTS = 500
# 100 requests of 5 MB, for documents that fill a request alone.
SHARD_BYTES = 500_000_000


class ShardWriter:
    """Writes changes of one operation to shards, in order."""

    def __init__(self, store: Store, run: str, operation: Operation) -> None:
        self._store = store
        self._run = run
        self._operation = operation
        self._lines: list[bytes] = []
        self._bytes = 0
        self._shards: list[Shard] = []

    def add(self, change: Change) -> None:
        """Add one change."""
        if self._bytes + change.document.size > SHARD_BYTES:
            self._flush()
        self._bytes += change.document.size
        self.add_line(lines.encode(change))

    def add_line(self, line: bytes) -> None:
        """Add one change that is encoded already."""
        self._lines.append(line)
        if len(self._lines) == SHARD_DOCUMENTS:
            self._flush()

    def close(self) -> list[Shard]:
        """Write what is left; return all shards."""
        self._flush()
        return self._shards

    def _flush(self) -> None:
        if not self._lines:
            return
        name = f"{self._operation}-{len(self._shards):05}"
        with self._store.writing(shard_key(self._run, "changes", name)) as stream:
            for line in self._lines:
                stream.add_line(line)
        self._shards.append(Shard(self._run, self._operation, name, len(self._lines)))
        self._lines, self._bytes = [], 0
