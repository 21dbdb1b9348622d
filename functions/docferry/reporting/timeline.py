"""When a run did what, read from its traces on S3: the time of each phase, and documents over time.

The times are those of S3, to the second: the clocks of the functions and of the index service differ from it. So a
phase that took less than a second has no length.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

from docferry.delivery.shards import finished_when
from docferry.reporting.ledger import Entry
from docferry.state.keys import BATCHES, CHECKPOINT, GROUPS_REPORT, REPORT, run_key
from docferry.state.runs import shards
from docferry.state.store import Store

POINTS = 200
"""How many points of a run's throughput are told: more than that no drawing shows."""

Phase = Literal["crawl", "groups", "sending", "indexing and commit"]


class PhaseTime(Struct, frozen=True):
    """A phase of a run: when it began and ended, and its length in seconds."""

    phase: Phase
    began: datetime
    ended: datetime
    seconds: float


class Point(Struct, frozen=True):
    """How many documents were put and deleted until then, those that the index did not take among them."""

    at: datetime
    put: int
    deleted: int


class Timeline(Struct, frozen=True):
    """The phases that a run has come through, in their order, and its throughput."""

    phases: tuple[PhaseTime, ...] = ()
    throughput: tuple[Point, ...] = ()


def timeline(store: Store, entry: Entry) -> Timeline:
    """Read when a run did what. A run that has left no trace of a phase has no such phase. Raises StateInvalid."""
    sent = sorted(finished_when(store, entry.run, shards(store, entry.run)), key=lambda one: one[1])
    points = list(_points([(when, shard.operation == "put", shard.documents) for shard, when in sent]))
    crawled = store.modified(run_key(entry.run, BATCHES)) or store.modified(run_key(entry.run, CHECKPOINT))
    ends: list[tuple[Phase, datetime | None]] = [
        ("crawl", crawled),
        ("groups", store.modified(run_key(entry.run, GROUPS_REPORT))),
        ("sending", points[-1].at if points else None),
        ("indexing and commit", store.modified(run_key(entry.run, REPORT))),
    ]
    return Timeline(tuple(_phases(entry.began, ends)), tuple(_thinned(points)))


def _phases(began: datetime | None, ends: list[tuple[Phase, datetime | None]]) -> Iterator[PhaseTime]:
    for name, end in ends:
        if began is None or end is None:
            continue
        end = max(began, end)  # noqa: PLW2901  # S3 says whole seconds, the ledger fractions of them
        yield PhaseTime(name, began, end, (end - began).total_seconds())
        began = end


def _points(sent: list[tuple[datetime, bool, int]]) -> Iterator[Point]:
    """Add up what was sent, with one point a moment."""
    put = deleted = 0
    for number, (when, is_put, documents) in enumerate(sent):
        put, deleted = (put + documents, deleted) if is_put else (put, deleted + documents)
        if number + 1 == len(sent) or sent[number + 1][0] != when:
            yield Point(when, put, deleted)


def _thinned(points: list[Point]) -> list[Point]:
    """Leave out points evenly, and keep the last."""
    step = -(-len(points) // POINTS) if points else 1
    kept = points[::-step]
    return kept[::-1]
