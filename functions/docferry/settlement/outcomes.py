"""The outcomes of a run, as its shards recorded them."""

import heapq
from collections.abc import Iterator

from docferry.delivery.progress import so_far
from docferry.delivery.shards import changes, has_result, result
from docferry.model import Outcome
from docferry.state.runs import Operation, Shard
from docferry.state.store import Store


def recorded(store: Store, shards: list[Shard], operation: Operation) -> Iterator[Outcome]:
    """The outcomes of all shards of one operation, sorted by id.

    A shard without a result object may have been sent in part: a document of it is doubtful, unless its outcome was
    recorded before. Raises ChangeSetInvalid when the list of those documents cannot be read.
    """
    for shard in shards:
        if shard.operation != operation:
            continue
        if has_result(store, shard):
            yield from result(store, shard)
        else:
            known, reason = so_far(store, shard), f"shard {shard.shard} left no result"
            for change in changes(store, shard):
                doubtful = Outcome(change.id, change.kind, change.document, "doubtful", reason)
                yield known.get(change.id, doubtful)


def missing(store: Store, shards: list[Shard]) -> list[str]:
    """The shards that left no result object."""
    return [shard.shard for shard in shards if not has_result(store, shard)]


def merged(*streams: Iterator[Outcome]) -> Iterator[Outcome]:
    """Sorted outcomes of several operations as one sorted stream. No id is in two of them."""
    return heapq.merge(*streams, key=lambda outcome: outcome.id)
