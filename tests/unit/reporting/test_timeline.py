"""Timeline: when a run did what, from its traces."""

from datetime import UTC, datetime, timedelta
from typing import Any

from docferry.delivery.shards import write_result
from docferry.reporting import timeline as tested
from docferry.reporting.ledger import Entry
from docferry.reporting.timeline import timeline
from docferry.state.keys import BATCHES, REPORT, run_key
from docferry.state.objects import Object
from docferry.state.runs import Shard
from docferry.state.store import Store
from tests.unit.fakes import NOON

SHARDS = [Shard("run-1", "put", f"put-{number:05}", 500, "1") for number in range(3)]
SHARDS.append(Shard("run-1", "delete", "delete-00000", 20, "1"))
ENTRY = Entry(number=1, run="run-1", previous=None, began=NOON)


class Dated(Store):
    """A store whose objects were written at the given times, by a part of their key."""

    times: dict[str, datetime]

    def objects(self, prefix: str) -> Any:
        """The objects, with their times."""
        for found in super().objects(prefix):
            when = next(time for part, time in self.times.items() if part in found.key)
            yield Object(found.key, found.etag, when, found.size)


def at(seconds: float) -> datetime:
    """A time after noon."""
    return NOON + timedelta(seconds=seconds)


def test_a_run_has_phases_and_a_throughput(store: Store, s3: Any) -> None:
    """Each phase goes on from the one before it; documents add up."""
    store.write(run_key("run-1", BATCHES), SHARDS)
    store.write(run_key("run-1", REPORT), {})
    for shard in SHARDS:
        write_result(store, shard, [])
    dated = Dated(store.bucket, s3, store.data_source)
    dated.times = {
        BATCHES: at(10),
        "put-00000": at(15),
        "put-00001": at(20),
        "put-00002": at(20),
        "delete-": at(25),
        REPORT: at(60),
    }

    found = timeline(dated, ENTRY)

    assert [(one.phase, one.seconds) for one in found.phases] == [
        ("crawl", 10),
        ("sending", 15),
        ("indexing and commit", 35),
    ]
    assert [(one.at, one.put, one.deleted) for one in found.throughput] == [
        (at(15), 500, 0),
        (at(20), 1500, 0),
        (at(25), 1500, 20),
    ]


def test_a_run_that_left_nothing_has_no_phases(store: Store) -> None:
    """Nor has one whose beginning is not known."""
    assert timeline(store, ENTRY) == tested.Timeline()


def test_a_long_run_is_told_in_few_points() -> None:
    """And its end is among them."""
    points = [tested.Point(datetime.now(UTC), number, 0) for number in range(1001)]

    thinned = tested._thinned(points)

    assert len(thinned) <= tested.POINTS
    assert thinned[-1] is points[-1]
    assert tested._thinned([]) == []
