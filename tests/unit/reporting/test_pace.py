"""Pace: how fast a run gets on, from one look."""

from datetime import UTC, datetime, timedelta

from docferry.delivery.shards import write_result
from docferry.reporting.ledger import Entry
from docferry.reporting.pace import Pace, pace
from docferry.state.keys import BATCHES, CHECKPOINT, run_key
from docferry.state.runs import Checkpoint, Shard
from docferry.state.store import Store
from tests.unit.fakes import FakeIndex

SHARDS = [Shard("run-1", "put", "put-00000", 500, "1"), Shard("run-1", "delete", "delete-00000", 100, "2")]


def began(seconds: float) -> Entry:
    """A run that began so long ago."""
    return Entry(number=1, run="run-1", previous=None, began=datetime.now(UTC) - timedelta(seconds=seconds))


def test_a_run_without_a_trace_has_no_rate(store: Store) -> None:
    """Nor anything else."""
    assert pace(store, FakeIndex(), began(10)) == Pace()


def test_a_crawl_has_a_rate_and_no_end(store: Store) -> None:
    """How much there is, is known when it has ended."""
    store.write(run_key("run-1", CHECKPOINT), Checkpoint(listed=1000))

    found = pace(store, FakeIndex(), began(100))

    assert (found.phase, found.done, found.total, found.seconds_left) == ("crawl", 1000, None, None)
    assert found.per_second is not None
    assert 5 < found.per_second < 20


def test_sending_has_a_rate_and_the_time_that_is_left(store: Store) -> None:
    """Puts and deletes together, since the change set was there."""
    store.write(run_key("run-1", CHECKPOINT), Checkpoint(listed=1000, complete=True))
    store.write(run_key("run-1", BATCHES), SHARDS)
    write_result(store, SHARDS[0], [])

    found = pace(store, None, began(100), datetime.now(UTC) + timedelta(seconds=50))

    assert (found.phase, found.done, found.total) == ("sending", 500, 600)
    assert found.per_second is not None
    assert found.seconds_left is not None
    assert 8 < found.per_second < 12
    assert 8 < found.seconds_left < 12


def test_what_is_sent_is_being_indexed(store: Store) -> None:
    """Since when, the services do not say."""
    store.write(run_key("run-1", CHECKPOINT), Checkpoint(listed=1000, complete=True))
    store.write(run_key("run-1", BATCHES), SHARDS)
    for shard in SHARDS:
        write_result(store, shard, [])

    assert pace(store, None, began(100)) == Pace(phase="indexing", done=0, total=600)
