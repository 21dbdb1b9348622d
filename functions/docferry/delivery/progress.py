"""How far a shard is: its worker records outcomes while it sends, and another invocation goes on from there.

A record is an object that is written once. Records are numbered from 0, and the first that is missing ends them: a
shard that ends in one go costs one call to find that there is none. When the shard is done, its result has all
outcomes, and the records are not read any more.
"""

import threading
from collections.abc import Callable, Iterable
from itertools import count

from docferry.delivery import shards
from docferry.model import Outcome
from docferry.state import lines
from docferry.state.keys import progress_key
from docferry.state.runs import Shard
from docferry.state.store import Store

# A process that dies loses the outcomes of a minute: some 20 requests at a call every three seconds. In the 13 minutes
# of an invocation that is a dozen records, each a PUT.
RECORD_MS = 60_000


def recorded(store: Store, shard: Shard) -> list[list[Outcome]]:
    """What became of documents of a shard, by record. There may be records of a shard that has no result."""
    found: list[list[Outcome]] = []
    for number in count():
        record = [lines.decode(line, Outcome) for line in store.lines_if_any(_key(shard, number))]
        if not record:
            break
        found.append(record)
    return found


def so_far(store: Store, shard: Shard) -> dict[str, Outcome]:
    """The outcomes that a shard has recorded, by id of the document."""
    return {outcome.id: outcome for record in recorded(store, shard) for outcome in record}


class Progress:
    """The outcomes of a shard that is being sent. Several threads may add to it.

    ``remaining`` are the milliseconds that the invocation has left.
    """

    def __init__(self, store: Store, shard: Shard, remaining: Callable[[], int]) -> None:
        self._store = store
        self._shard = shard
        self._remaining = remaining
        records = recorded(store, shard)
        self._records = len(records)
        self._outcomes = {outcome.id: outcome for record in records for outcome in record}
        self._fresh: list[Outcome] = []
        self._lock = threading.Lock()
        self._recorded_at = remaining()
        self.made = False
        """Whether this invocation has come further."""

    def __contains__(self, id_: str) -> bool:
        """Whether it is known what became of a document."""
        return id_ in self._outcomes

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Note what became of documents."""
        with self._lock:
            self._fresh += outcomes
            self.made = self.made or bool(self._fresh)

    def record_in_time(self) -> None:
        """Record what is not yet, when the last record is long ago."""
        if self._recorded_at - self._remaining() >= RECORD_MS:
            self.record()

    def record(self) -> None:
        """Record what is not yet."""
        fresh = self._take()
        if fresh:
            with self._store.writing(_key(self._shard, self._records)) as stream:
                for outcome in fresh:
                    stream.add(outcome)
            self._records += 1
        self._recorded_at = self._remaining()

    def finish(self) -> list[Outcome]:
        """Write the result of the shard: every document has an outcome. Gives them all."""
        self._take()
        outcomes = list(self._outcomes.values())
        shards.write_result(self._store, self._shard, outcomes)
        return outcomes

    def _take(self) -> list[Outcome]:
        with self._lock:
            fresh, self._fresh = self._fresh, []
            self._outcomes.update((outcome.id, outcome) for outcome in fresh)
        return fresh


def _key(shard: Shard, number: int) -> str:
    return progress_key(shard.run, shard.shard, shard.sha256, number)
