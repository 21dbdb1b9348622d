"""Progress: how far a run has come, from its traces."""

import pytest
from msgspec import structs

from docferry.delivery.shards import write_result
from docferry.indexes import JobStatus, Metrics
from docferry.reporting.progress import Phase, Progress, progress
from docferry.state.keys import BATCHES, CHECKPOINT, run_key
from docferry.state.runs import Checkpoint, Shard
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from tests.unit.fakes import FakeIndex, job

SHARDS = [
    Shard("run-1", "put", "put-00000", 500, "1"),
    Shard("run-1", "put", "put-00001", 20, "2"),
    Shard("run-1", "delete", "delete-00000", 3, "3"),
]


def crawled(store: Store, *, complete: bool) -> None:
    """Let the crawl come so far."""
    store.write(run_key("run-1", CHECKPOINT), Checkpoint(listed=700, complete=complete))


def sent(store: Store, *names: str) -> None:
    """Let these shards have results."""
    store.write(run_key("run-1", BATCHES), SHARDS)
    for name in names:
        write_result(store, next(shard for shard in SHARDS if shard.shard == name), [])


def test_a_run_that_has_left_no_trace_has_not_come_far(store: Store) -> None:
    """Nothing is known, not even a total."""
    assert progress(store, FakeIndex(), "run-1") == Progress()


@pytest.mark.parametrize(("complete", "total"), [(False, None), (True, 700)])
def test_a_crawl_counts_what_it_listed(store: Store, *, complete: bool, total: int | None) -> None:
    """How much there is, is known only at the end of it."""
    crawled(store, complete=complete)

    assert progress(store, FakeIndex(), "run-1") == Progress(crawl=Phase(700, total))


def test_puts_and_deletes_count_by_finished_shard(store: Store) -> None:
    """A shard counts as a whole, once its result is there."""
    crawled(store, complete=True)
    sent(store, "put-00001", "delete-00000")

    found = progress(store, FakeIndex(), "run-1")

    assert (found.put, found.delete, found.indexing) == (Phase(20, 520), Phase(3, 3), Phase(0, 523))


@pytest.mark.parametrize(
    ("status", "metrics", "done"),
    [
        ("SYNCING", Metrics(), 0),
        ("SYNCING_INDEXING", Metrics(added=100, modified=20, deleted=3, failed=1), 124),
        ("SYNCING_INDEXING", Metrics(added=600), 523),  # documents of an earlier attempt are counted, too
        ("SUCCEEDED", Metrics(added=5), 523),
        ("FAILED", Metrics(), 523),
    ],
)
def test_indexing_counts_what_the_job_counts(store: Store, status: JobStatus, metrics: Metrics, done: int) -> None:
    """Never more than there is, and all of it once the job has ended."""
    crawled(store, complete=True)
    sent(store, "put-00000", "put-00001", "delete-00000")
    index = FakeIndex()
    execution_id = sync_job.start(store, index, "run-1")
    index.history = [job(execution_id, status, **structs.asdict(metrics))]

    assert progress(store, index, "run-1").indexing == Phase(done, 523)


def test_the_job_of_another_run_does_not_count(store: Store) -> None:
    """Before this run has opened its own."""
    crawled(store, complete=True)
    sent(store)
    index = FakeIndex()
    index.history = [job(sync_job.start(store, index, "run-0"), "SYNCING_INDEXING", added=400)]

    assert progress(store, index, "run-1").indexing == Phase(0, 523)
