"""Sync jobs of a service that has none: one at a time, and ended when its documents are."""

from datetime import UTC, datetime, timedelta

import pytest

from docferry.errors import ConfigurationError, Conflict
from docferry.indexes.own_jobs import KEPT, LONGEST, NEVER_ENDS, JobKeeper, Look
from docferry.state.store import Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Documents:
    """What the looks find, one after the other. ``asked`` has what each was asked with."""

    def __init__(self, *looks: Look) -> None:
        self.looks = list(looks)
        self.asked: list[tuple[datetime, str | None, int]] = []

    def __call__(self, began: datetime, cursor: str | None, failed: int) -> Look:
        """See Inspect."""
        self.asked.append((began, cursor, failed))
        return self.looks.pop(0)


def look(*, after: timedelta = timedelta(0), done: bool = False, cursor: str | None = None, failed: int = 0) -> Look:
    """What a look finds."""
    return Look(at=NOON + after, done=done, cursor=cursor, failed=failed)


def test_one_job_at_a_time(store: Store) -> None:
    """The next may start when the last has ended; only the open one takes documents."""
    keeper = JobKeeper(store, Documents(look(done=True)))
    first = keeper.start(NOON)
    with pytest.raises(Conflict, match=f"{first} is SYNCING"):
        keeper.start(NOON)
    assert keeper.takes(first)

    keeper.stop()
    assert not keeper.takes(first)
    with pytest.raises(Conflict, match="no sync job is open"):
        keeper.stop()
    assert [job.status for job in keeper.jobs()] == ["SUCCEEDED"]

    second = keeper.start(NOON)
    assert [job.execution_id for job in keeper.jobs()] == [second, first]


def test_of_two_that_start_one_gets_the_job(store: Store) -> None:
    """The other is told of a conflict, and leaves nothing."""
    keeper, other = JobKeeper(store, Documents()), JobKeeper(store, Documents())
    read = keeper._read
    before = read()
    won = other.start(NOON)
    keeper._read = lambda: before  # type: ignore[method-assign]  # it has read before the other has written

    with pytest.raises(Conflict, match="at the same time"):
        keeper.start(NOON)
    assert [job.execution_id for job in other.jobs()] == [won]


def test_a_look_goes_on_where_the_last_one_was(store: Store) -> None:
    """With the failures that were counted before; a job with failures is INCOMPLETE."""
    documents = Documents(look(cursor="page 2", failed=1), look(cursor="page 2", failed=1), look(done=True, failed=3))
    keeper = JobKeeper(store, documents)
    keeper.start(NOON)
    keeper.stop()

    statuses = [next(keeper.jobs()).status for _ in range(4)]

    assert statuses == ["SYNCING_INDEXING", "SYNCING_INDEXING", "INCOMPLETE", "INCOMPLETE"]
    assert documents.asked == [(NOON, None, 0), (NOON, "page 2", 1), (NOON, "page 2", 1)]
    assert next(keeper.jobs()).metrics.failed == 3


def test_documents_that_are_under_way_for_ever_end_the_job(store: Store) -> None:
    """After a day since the first look, as a failure: so that the next run can start."""
    keeper = JobKeeper(store, Documents(look(), look(after=LONGEST), look(after=LONGEST + timedelta(seconds=1))))
    keeper.start(NOON - timedelta(days=3))
    keeper.stop()

    jobs = [next(keeper.jobs()) for _ in range(3)]

    assert [job.status for job in jobs] == ["SYNCING_INDEXING", "SYNCING_INDEXING", "FAILED"]
    assert jobs[-1].error == NEVER_ENDS
    keeper.start(NOON)


def test_what_a_job_changes_after_its_end_counts_as_a_failure_of_the_newest(store: Store) -> None:
    """Until the next one starts, before which it is accounted for. What is changed in time is not noted."""
    keeper = JobKeeper(store, Documents(look(done=True), look(done=True)))
    first = keeper.start(NOON)
    keeper.note(first, ["in time"])
    keeper.stop()
    keeper.note(first, ["a", "b"])
    keeper.note(first, ["b"])

    (job,) = keeper.jobs()
    assert keeper.late() == {"a", "b"}
    assert (job.status, job.metrics.failed) == ("INCOMPLETE", 2)
    keeper.start(NOON)
    assert keeper.late() == set()


def test_only_the_newest_jobs_are_kept(store: Store) -> None:
    """The record does not grow."""
    keeper = JobKeeper(store, Documents(*[look(done=True)] * (KEPT + 3)))
    for _ in range(KEPT + 3):
        last = keeper.start(NOON)
        keeper.stop()
        list(keeper.jobs())

    jobs = list(keeper.jobs())
    assert (len(jobs), jobs[0].execution_id) == (KEPT, last)


def test_without_a_state_bucket_there_are_no_jobs() -> None:
    """The error says what is missing."""
    with pytest.raises(ConfigurationError, match="state bucket"):
        JobKeeper(None, Documents()).jobs()
