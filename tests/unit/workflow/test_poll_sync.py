"""PollSync: one look at the job, and how long to wait until the next."""

import pytest

from docferry.errors import Conflict
from docferry.indexes import JobStatus
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.workflow.events import FIRST_WAIT, Polled
from docferry.workflow.poll_sync import DEADLINE, LONGEST_WAIT, UNSEEN, Request, poll_sync
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


def test_without_a_job_there_is_nothing_to_wait_for(store: Store) -> None:
    """The run opened none."""
    found = look(store, FakeIndex(), Polled(execution_id=None))

    assert (found.status, found.done) == ("NONE", True)


def test_a_job_that_is_not_listed_is_waited_for_a_while(store: Store) -> None:
    """The list may lag behind Start; a job that it does not show for so long is gone."""
    polled = Polled(execution_id="gone")

    while not polled.done:
        polled = look(store, FakeIndex(), polled)

    assert polled.status == "NONE"
    assert UNSEEN <= polled.waited < UNSEEN + LONGEST_WAIT


def test_a_job_that_nobody_stopped_is_stopped(store: Store) -> None:
    """The Stop before may have come to nothing, or the list may have shown nothing to stop."""
    index = FakeIndex()
    execution_id = sync_job.start(store, index, "run-1")

    found = look(store, index, Polled(execution_id=execution_id))

    assert (found.status, found.done) == ("SYNCING", False)
    assert index.calls == ["start", "stop"]
    assert look(store, index, found).status == "STOPPING"


def test_a_list_that_shows_a_stopped_job_as_syncing_is_only_late(store: Store) -> None:
    """The service refuses a second Stop: the next look tells."""
    index = FakeIndex()
    execution_id = sync_job.start(store, index, "run-1")
    index.stop_error = Conflict("no job is open")

    assert not look(store, index, Polled(execution_id=execution_id)).done


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
