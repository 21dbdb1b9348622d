"""The outcomes of a run, as its shards recorded them."""

import heapq
from collections.abc import Iterator

from docferry import lines
from docferry.changes import Change, Outcome
from docferry.runs import Operation, Shard
from docferry.store import Store, shard_key


def recorded(store: Store, shards: list[Shard], operation: Operation) -> Iterator[Outcome]:
    """The outcomes of all shards of one operation, sorted by id.

    A shard without a result object may have been sent in part: its documents are doubtful.
    """
    for shard in shards:
        if shard.operation != operation:
            continue
        key = shard_key(shard.run, "results", shard.shard)
        if store.exists(key):
            yield from (lines.decode(line, Outcome) for line in store.lines(key))
        else:
            for line in store.lines(shard_key(shard.run, "changes", shard.shard)):
                change = lines.decode(line, Change)
                reason = f"shard {shard.shard} left no result"
                yield Outcome(change.id, change.kind, change.document, "doubtful", reason)


def missing(store: Store, shards: list[Shard]) -> list[str]:
    """The shards that left no result object."""
    return [shard.shard for shard in shards if not store.exists(shard_key(shard.run, "results", shard.shard))]


def merged(*streams: Iterator[Outcome]) -> Iterator[Outcome]:
    """Sorted outcomes of several operations as one sorted stream. No id is in two of them."""
    return heapq.merge(*streams, key=lambda outcome: outcome.id)
