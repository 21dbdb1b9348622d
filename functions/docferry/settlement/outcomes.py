"""The outcomes of a run, as its shards recorded them."""

import heapq
from collections.abc import Callable, Container, Generator, Iterable, Iterator
from itertools import chain
from typing import Self

from docferry.delivery.progress import so_far
from docferry.delivery.shards import changes, finished, result
from docferry.model import Outcome
from docferry.state import lines
from docferry.state.ahead import AT_ONCE, in_order
from docferry.state.runs import Operation, Shard
from docferry.state.store import Store

STEP_OUTCOMES = 25_000
"""Outcomes that are held in memory at a time: 30 MB where each takes some 1,200 bytes."""
STEP_BYTES = 16_000_000
"""The same, as bytes of their lines. With 200 access control entries each they take three times that in memory."""
STEP_ASKED = 10_000
"""How many documents the index is asked about at a time: 1,000 calls of Kendra, 200 s where it takes five a second."""
# A result waits in a temporary file, of which 4 MiB are in memory at most: 16 of them, of puts and of deletes, are
# 128 MiB where each is of the largest, and 1 MiB where 500 outcomes are 30 KB. 20,000 results of 40 ms take 50 s so.
RESULTS_AHEAD = AT_ONCE


def of_shard(store: Store, shard: Shard, *, done: bool) -> Iterator[Outcome]:
    """The outcomes of one shard, sorted by id. ``done`` says whether it has left a result.

    A shard without one may have been sent in part: a document of it is doubtful, unless its outcome was recorded
    before. Raises ChangeSetInvalid when the list of those documents cannot be read.
    """
    if done:
        yield from result(store, shard)
    else:
        known, reason = so_far(store, shard), f"shard {shard.shard} left no result"
        for change in changes(store, shard):
            doubtful = Outcome(change.id, change.kind, change.document, "doubtful", reason)
            yield known.get(change.id, doubtful)


class Left:
    """The outcomes of a run that come after an id, sorted by id. Results are read ahead, each of them once.

    ``missing`` are the shards that have left no result. ``reached`` are the positions, among the shards to put and
    among those to delete, of the shards that the last outcomes came from; it is where reading begins, too.
    """

    def __init__(
        self, store: Store, shards: list[Shard], missing: Container[str], after: str, reached: tuple[int, int]
    ) -> None:
        self._store = store
        self._missing = missing
        self._after = after
        self._reached = list(reached)
        operations: tuple[Operation, ...] = ("put", "delete")
        self._streams = [
            self._of_operation(place, [shard for shard in shards if shard.operation == operation])
            for place, operation in enumerate(operations)
        ]
        # No id is in two of them.
        self._rest = heapq.merge(*self._streams, key=lambda found: found[0].id)
        self._next = next(self._rest, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._streams:
            stream.close()

    @property
    def reached(self) -> tuple[int, int]:
        """The positions of the shards that the last outcomes came from."""
        puts, deletes = self._reached
        return puts, deletes

    @property
    def next_id(self) -> str | None:
        """The id of the next outcome; None when there is no other."""
        return self._next[0].id if self._next is not None else None

    def take(self, last: str | None, asks: Callable[[Outcome], bool]) -> list[Outcome]:
        """The next outcomes, up to the id ``last`` or up to the end, and no more than one step takes.

        ``asks`` says of which ones the index is asked. Where they end depends on nothing but the outcomes.
        """
        taken: list[Outcome] = []
        size = asked = 0
        while self._next is not None and (last is None or self._next[0].id <= last):
            outcome, place, position = self._next
            taken.append(outcome)
            self._reached[place] = position
            self._next = next(self._rest, None)
            asked += asks(outcome)
            size += len(lines.encode(outcome))
            if len(taken) == STEP_OUTCOMES or size >= STEP_BYTES or asked == STEP_ASKED:
                break
        return taken

    def _of_operation(self, place: int, shards: list[Shard]) -> Generator[tuple[Outcome, int, int]]:
        first = self._reached[place]
        opened = in_order(self._open, shards[first:], RESULTS_AHEAD)
        for position, found in enumerate(opened, first):
            for outcome in found:
                if outcome.id > self._after:
                    yield outcome, place, position

    def _open(self, shard: Shard) -> Iterable[Outcome]:
        """The outcomes of a shard. Its first one is read at once, and so its object is here."""
        found = of_shard(self._store, shard, done=shard.shard not in self._missing)
        first = next(found, None)
        return chain([first], found) if first is not None else ()


def missing(store: Store, run: str, shards: list[Shard]) -> list[str]:
    """The shards that left no result object, by one listing."""
    done = {shard.shard for shard in finished(store, run, shards)}
    return [shard.shard for shard in shards if shard.shard not in done]
