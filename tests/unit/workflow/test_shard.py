"""A shard is continued, not repeated: wherever its invocations are cut, every document comes to the same end."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, cast
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from docferry.delivery import progress, shards
from docferry.delivery.shards import ShardWriter
from docferry.errors import (
    AccessDenied,
    DocferryError,
    DocumentVanished,
    ServiceUnavailable,
    ShardUnfinished,
    Throttled,
)
from docferry.indexes import Rejection
from docferry.model import Change, Content, Document, Kind, Opened, Outcome
from docferry.runtime.wiring import Wired
from docferry.settlement.outcomes import Left, missing
from docferry.sources import Ability, Source
from docferry.state.keys import PROGRESS, RESULTS, run_key
from docferry.state.runs import Operation, Shard
from docferry.state.store import Store
from docferry.sync_job.job import SyncJobRecord
from docferry.workflow import put_batch as module
from docferry.workflow.delete_batch import delete_batch
from docferry.workflow.put_batch import put_batch
from docferry.workflow.shard import REQUESTS_AT_ONCE, RESERVE_MS, Applied
from tests.unit.fakes import LIMITS, FakeIndex, document, wired

PLENTY = 900_000
SECOND = 1_000
GONE = frozenset({"d0007", "d0031"})
"""Documents that vanish between the crawl and the put."""
REFUSED = frozenset({"d0011"})
"""Documents that the index rejects."""


class Died(BaseException):
    """The end of a process: no ``except Exception`` sees it."""


class Clock:
    """What an invocation has left: each look takes a second."""

    def __init__(self, left: int = PLENTY, step: int = 0) -> None:
        self.left = left
        self.step = step

    def __call__(self) -> int:
        """Look."""
        self.left -= self.step
        return self.left


class Sending(FakeIndex):
    """Takes documents, up to the call that ``cut`` names; ``sent`` counts how often each was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Counter[str] = Counter()
        self.requests: list[list[str]] = []
        self.cut: tuple[int, BaseException] | None = None
        self.most = 0
        self._calls = count()
        self._under_way = 0
        self._lock = threading.Lock()
        self.meet: threading.Barrier | None = None

    def put(self, execution_id: str, documents: Sequence[tuple[Document, Content]]) -> list[Rejection]:
        """See Index.put."""
        assert execution_id == "execution-1"
        return self._taken([one.id for one, _ in documents])

    def delete(self, execution_id: str, ids: Sequence[str]) -> list[Rejection]:
        """See Index.delete."""
        assert execution_id == "execution-1"
        return self._taken(list(ids))

    def _taken(self, ids: list[str]) -> list[Rejection]:
        with self._lock:
            number = next(self._calls)
            if self.cut is not None and number >= self.cut[0]:
                raise self.cut[1]
            self.sent.update(ids)
            self.requests.append(ids)
        if self.meet is not None:
            self.meet.wait(60)
        return [Rejection(id_, "Bad", "no") for id_ in ids if id_ in REFUSED]

    def begin(self, cut: tuple[int, BaseException] | None) -> None:
        """A new invocation begins."""
        self._calls, self.cut = count(), cut


class Repository:
    """Gives contents; ``most`` is how many were asked for at a time, ``threads`` in how many threads."""

    Settings: Any = None
    presentation: frozenset[str] = frozenset()

    def __init__(self, *abilities: Ability) -> None:
        self.abilities: frozenset[Ability] = frozenset(abilities)
        self.threads: set[int] = set()
        self.opened: Counter[str] = Counter()

    def open(self, document: Document) -> Opened:
        """See Source.open."""
        self.threads.add(threading.get_ident())
        self.opened[document.id] += 1
        if document.id in GONE:
            raise DocumentVanished("is gone")
        return Opened(b"content", "v2")


class Place(Struct):
    """A run with one shard, and what it is sent from and to."""

    wired: Wired
    index: Sending
    source: Repository
    shard: Shard

    @classmethod
    def of(cls, store: Store, documents: int, operation: Operation = "put", *abilities: Ability) -> "Place":
        """A run of its own, so that many examples share a bucket."""
        index, source, run = Sending(), Repository(*(abilities or ("opens_at_once",))), str(uuid4())
        kind: Kind = "added" if operation == "put" else "deleted"
        writer = ShardWriter(store, run, operation, exact=False, documents=documents)
        for number in range(documents):
            writer.add(Change(f"d{number:04}", kind, document(f"d{number:04}")))
        (shard,) = writer.close()
        return cls(structs.replace(wired(store, index), source=cast("Source", source)), index, source, shard)

    def apply(self, left: int = PLENTY, step: int = 0) -> Applied:
        """One invocation that has so many milliseconds, and takes so many between two looks at its clock."""
        store = self.wired.store
        job = SyncJobRecord(run=self.shard.run, state="open", execution_id="execution-1")
        store.write(store.held("sync_job.json"), job)
        function = put_batch if self.shard.operation == "put" else delete_batch
        return function(self.wired, self.shard, Clock(left, step))

    def outcomes(self) -> list[Outcome]:
        """What settlement reads."""
        store, sent = self.wired.store, [self.shard]
        with Left(store, sent, missing(store, self.shard.run, sent), "", (0, 0)) as left:
            return left.take(None, lambda _: False)

    def recorded(self) -> set[str]:
        """The documents whose outcome is known to whoever reads the bucket."""
        return set(progress.so_far(self.wired.store, self.shard))

    def keys(self, prefix: str) -> list[str]:
        """The objects of the run under a prefix."""
        return list(self.wired.store.keys(run_key(self.shard.run, prefix)))


CUTS = st.one_of(
    st.tuples(st.integers(0, 12), st.sampled_from([Died(), Throttled("no"), ServiceUnavailable("no")])),
    st.tuples(st.integers(0, 6), st.just(AccessDenied("no"))),
)
LEFT = st.integers(RESERVE_MS, RESERVE_MS + 90 * SECOND)
STEPS = st.integers(0, 3 * SECOND)
INVOCATIONS = st.lists(st.tuples(st.none() | CUTS, LEFT, STEPS), max_size=8)
"""Where each invocation is cut, the time that it has, and the time between two looks at its clock."""


@settings(max_examples=40)
@given(INVOCATIONS, st.sampled_from(["put", "delete"]), st.integers(1, 60))
def test_wherever_invocations_are_cut_every_document_comes_to_the_same_end(
    shared_store: Store,
    invocations: list[tuple[tuple[int, BaseException] | None, int, int]],
    operation: Operation,
    documents: int,
) -> None:
    """Time runs out, the process dies, the service throttles or refuses: the outcomes are those of a shard uncut.

    No document is sent again whose outcome was recorded, and what settlement reads amid it all is true.
    """
    uncut, place = (Place.of(shared_store, documents, operation) for _ in range(2))
    done = False
    for cut, left, step in invocations:
        known = place.recorded()
        place.index.begin(cut)
        before = len(place.index.requests)
        try:
            place.apply(left, step)
        except ShardUnfinished:
            assert place.recorded() > known
        except (DocferryError, Died):
            pass
        else:
            done = True
        assert known.isdisjoint(id_ for ids in place.index.requests[before:] for id_ in ids)
        assert bool(shards.finished(shared_store, place.shard.run, [place.shard])) == done
        if done:
            break
        doubtful = {one.id for one in place.outcomes() if one.state == "doubtful"}
        assert doubtful.isdisjoint(place.recorded())
    if not done:
        place.index.begin(None)
        place.apply()
    uncut.apply()

    assert place.outcomes() == uncut.outcomes()
    assert [one.id for one in place.outcomes()] == sorted(one.id for one in place.outcomes())
    expected = {f"d{number:04}" for number in range(documents)} - (GONE if operation == "put" else frozenset())
    assert set(place.index.sent) == expected


def test_a_shard_that_ends_in_one_go_is_one_put(store: Store) -> None:
    """Its result; nothing is recorded on the way, and the index is called as seldom as it can be."""
    place = Place.of(store, 55)

    applied = place.apply()

    assert (applied.added, applied.failed) == (52, 3)
    assert len(place.keys(RESULTS)) == 1
    assert place.keys(PROGRESS) == []
    assert sorted(map(len, place.index.requests)) == [3, 10, 10, 10, 10, 10]


def test_an_invocation_that_goes_on_opens_and_sends_the_rest_only(store: Store) -> None:
    """What is recorded is neither opened nor sent again."""
    place = Place.of(store, 60)
    place.index.begin((3, Throttled("no")))
    with pytest.raises(ShardUnfinished, match="goes on in another invocation"):
        place.apply()
    known = place.recorded()
    place.source.opened.clear()
    place.index.begin(None)

    place.apply()

    assert len(known) >= 30
    assert known.isdisjoint(place.source.opened)
    assert set(place.index.sent.values()) == {1}


def test_outcomes_are_recorded_every_minute(store: Store) -> None:
    """A process that dies loses one minute of its work."""
    place = Place.of(store, 200)
    place.index.begin((15, Died()))

    with pytest.raises(Died):
        place.apply(step=SECOND)

    # 200 documents are at most some 600 looks at the clock.
    assert 1 <= len(place.keys(PROGRESS)) <= 10


@pytest.mark.parametrize("error", [Throttled("no"), ServiceUnavailable("no")])
def test_an_invocation_that_came_to_nothing_says_what_the_service_said(store: Store, error: DocferryError) -> None:
    """The state machine waits longer then than for a shard that goes on."""
    place = Place.of(store, 30, "delete")
    place.index.begin((0, error))

    with pytest.raises(type(error)):
        place.apply()
    assert place.keys(PROGRESS) == []


def test_an_invocation_without_time_for_one_request_is_none(store: Store) -> None:
    """It is no progress: the retries of such a shard are counted."""
    place = Place.of(store, 30, "delete")

    with pytest.raises(ServiceUnavailable, match="time of the invocation is over"):
        place.apply(RESERVE_MS - 1)
    assert place.index.requests == []


def alone(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which is never called in two threads at a time."""
    lock = threading.Lock()

    def call(*args: Any) -> Any:
        assert lock.acquire(blocking=False)
        try:
            return method(*args)
        finally:
            lock.release()

    return call


def test_several_requests_are_under_way_at_a_time(store: Store) -> None:
    """All of them have begun before the first has an answer."""
    place = Place.of(store, REQUESTS_AT_ONCE * LIMITS.documents, "delete")
    place.index.meet = threading.Barrier(REQUESTS_AT_ONCE)

    place.apply()

    assert len(place.index.requests) == REQUESTS_AT_ONCE


def test_requests_under_way_are_bounded_in_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that fill the bound alone are sent one after the other."""
    monkeypatch.setattr("docferry.workflow.shard.REQUESTS_BYTES", 1)
    place = Place.of(store, 60)
    monkeypatch.setattr(place.index, "put", alone(place.index.put))

    place.apply()

    assert len(place.index.requests) == 6


def test_a_source_that_does_not_say_so_is_asked_in_one_thread(store: Store) -> None:
    """A source of one's own need not know of threads; one that declares it is opened ahead."""
    careful, ready = Place.of(store, 40, "put", "resumes"), Place.of(store, 40, "put", "opens_at_once")

    ready.apply()
    careful.apply()

    assert careful.source.threads == {threading.get_ident()}
    assert threading.get_ident() not in ready.source.threads
    assert careful.source.opened == ready.source.opened


def test_contents_that_wait_are_bounded_in_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One document that is as large as the bound is opened alone."""
    monkeypatch.setattr(module, "OPENED_BYTES", 10)  # each of the documents has 10
    place = Place.of(store, 30)
    monkeypatch.setattr(place.source, "open", alone(place.source.open))

    place.apply()

    assert len(place.source.opened) == 30
