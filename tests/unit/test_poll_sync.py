"""PollSync: one look at the job, and how long to wait until the next."""

import pytest

from docferry.indexes import JobStatus
from docferry.store import Store
from docferry.workflow.poll_sync import DEADLINE, FIRST_WAIT, LONGEST_WAIT, Polled, Request, poll_sync
from tests.unit.fakes import FakeIndex, wired


def look(store: Store, index: FakeIndex, before: Polled) -> Polled:
    """Look once."""
    return poll_sync(wired(store, index), Request(run="run-1", execution="arn", polled=before))


@pytest.mark.parametrize("status", ["SYNCING", "STOPPING", "SYNCING_INDEXING"])
def test_a_job_that_has_not_ended_is_waited_for(store: Store, status: JobStatus) -> None:
    """Indexing takes an hour or more; Stop is not the end of it."""
    index = FakeIndex()
    index.open("e", status)

    found = look(store, index, Polled(execution_id="e"))

    assert (found.status, found.done, found.execution_id, found.waited) == (status, False, "e", FIRST_WAIT)


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "INCOMPLETE", "ABORTED"])
def test_a_job_that_has_ended_is_done(store: Store, status: JobStatus) -> None:
    """However it ended: Commit judges."""
    index = FakeIndex()
    index.open("e", status)

    found = look(store, index, Polled(execution_id="e"))

    assert (found.status, found.done) == (status, True)


def test_it_looks_at_the_job_of_the_run(store: Store) -> None:
    """Not at the newest."""
    index = FakeIndex()
    index.open("e", "SUCCEEDED")
    index.open("stranger")

    assert look(store, index, Polled(execution_id="e")).done


@pytest.mark.parametrize("execution_id", [None, "gone"])
def test_a_job_that_does_not_exist_is_not_waited_for(store: Store, execution_id: str | None) -> None:
    """It will not come."""
    found = look(store, FakeIndex(), Polled(execution_id=execution_id))

    assert (found.status, found.done) == ("NONE", True)


def test_the_waits_grow_to_a_limit_and_end_at_the_deadline(store: Store) -> None:
    """Few looks at a long job, and not for ever: far below the 25,000 events of an execution."""
    index = FakeIndex()
    index.open("e", "SYNCING_INDEXING")
    polled, waits = Polled(execution_id="e"), []

    while not polled.done:
        waits.append(polled.wait)
        polled = look(store, index, polled)

    assert waits[0] == FIRST_WAIT
    assert waits == sorted(waits)
    assert max(waits) == LONGEST_WAIT
    assert DEADLINE <= sum(waits) == polled.waited < DEADLINE + LONGEST_WAIT
    assert len(waits) < 500
