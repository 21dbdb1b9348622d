"""The sync job: opened once a run, adopted when the reply was lost, and never a stranger's."""

import pytest
from msgspec import structs

from docferry.errors import (
    AccessDenied,
    Conflict,
    DocferryError,
    QuotaExceeded,
    RequestRefused,
    ResourceNotFound,
    ServiceUnavailable,
    SyncJobBusy,
    Throttled,
)
from docferry.indexes import ENDED, JobStatus
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.sync_job.job import LOOKS, SyncJobRecord
from tests.unit.fakes import FakeIndex

LIVE: tuple[JobStatus, ...] = ("SYNCING", "STOPPING", "SYNCING_INDEXING")


def opened(*execution_ids: str, run: str = "run-1") -> SyncJobRecord:
    """The record of a job that is open, after others of this connector."""
    return SyncJobRecord(run=run, state="open", execution_id=execution_ids[0], ours=execution_ids)


def settled(*execution_ids: str, run: str = "run-1") -> SyncJobRecord:
    """The record of a job that the manifest accounts for."""
    return structs.replace(opened(*execution_ids, run=run), state="settled")


@pytest.fixture
def index() -> FakeIndex:
    """A data source without jobs."""
    return FakeIndex()


def test_a_run_opens_a_job_and_records_it(store: Store, index: FakeIndex) -> None:
    """The record is there before the first put, so that whoever cleans up knows what to stop."""
    assert sync_job.start(store, index, "run-1") == "execution-1"

    assert sync_job.of_run(store, "run-1") == opened("execution-1")
    assert sync_job.of_run(store, "run-2") is None


def test_a_start_that_is_repeated_finds_its_job(store: Store, index: FakeIndex) -> None:
    """Lambda retries: there is one job all the same."""
    sync_job.start(store, index, "run-1")

    assert sync_job.start(store, index, "run-1") == "execution-1"
    assert index.calls == ["start"]


def test_a_start_that_is_repeated_after_the_job_ended_opens_no_second(store: Store, index: FakeIndex) -> None:
    """A run has one job; what is sent to one that has ended is rejected, and that is recorded."""
    sync_job.start(store, index, "run-1")
    index.end("SUCCEEDED")

    assert sync_job.start(store, index, "run-1") == "execution-1"
    assert index.calls == ["start"]


def test_the_next_run_opens_its_own(store: Store, index: FakeIndex) -> None:
    """The record of a job that is over does not keep another from being opened."""
    sync_job.start(store, index, "run-1")
    index.end("SUCCEEDED")
    sync_job.settle(store, "run-1")

    assert sync_job.start(store, index, "run-2") == "execution-2"


def test_a_job_whose_reply_was_lost_is_adopted(store: Store, index: FakeIndex) -> None:
    """The job is open and nobody else's: its id is in the list of jobs."""
    index.open("execution-1", "SUCCEEDED")
    index.start_error, index.opens_nevertheless = ServiceUnavailable("reply lost"), True

    assert sync_job.start(store, index, "run-1") == "execution-2"
    assert sync_job.of_run(store, "run-1") == opened("execution-2")


def test_a_job_is_adopted_after_a_crash_between_start_and_record(store: Store, index: FakeIndex) -> None:
    """The process died with the reply: the retry, or who cleans up, finds the job."""
    with pytest.raises(RuntimeError):
        sync_job.start(store, _Crashing(index), "run-1")

    assert sync_job.start(store, index, "run-1") == "execution-1"
    assert index.calls == ["start"]


class _Crashing(FakeIndex):
    """Dies right after the service opened the job."""

    def __init__(self, index: FakeIndex) -> None:
        super().__init__()
        self._index = index
        self.history = index.history

    def start(self) -> str:
        """Open the job, and die."""
        self._index.calls.append("start")
        self._index.open("execution-1")
        raise RuntimeError("killed")


def looked_for(store: Store, index: FakeIndex, run: str = "run-1") -> str:
    """Start until it is certain that the start before has opened nothing."""
    for _ in range(LOOKS - 1):
        with pytest.raises(SyncJobBusy, match="was lost"):
            sync_job.start(store, index, run)
    return sync_job.start(store, index, run)


def test_a_start_that_opened_nothing_is_repeated_when_that_is_certain(store: Store, index: FakeIndex) -> None:
    """The newest job is still the one before; but the list may lag, so it is looked at a few times."""
    index.open("execution-1", "SUCCEEDED")
    index.start_error = ServiceUnavailable("500")
    with pytest.raises(SyncJobBusy, match="was lost"):
        sync_job.start(store, index, "run-1")
    index.start_error = None

    assert looked_for(store, index) == "execution-2"
    assert index.calls == ["start", "start"]


def test_a_strangers_job_that_came_and_went_is_not_adopted(store: Store, index: FakeIndex) -> None:
    """Between a start that failed and the next attempt: what is sent to a job that has ended is lost."""
    index.start_error = ServiceUnavailable("500")
    with pytest.raises(SyncJobBusy):
        sync_job.start(store, index, "run-1")
    index.start_error = None
    index.open("stranger", "SUCCEEDED")

    assert looked_for(store, index) == "execution-2"


@pytest.fixture
def lagging() -> FakeIndex:
    """A data source whose list of jobs does not show the newest one for a while."""
    index = FakeIndex()
    index.unlisted = 1
    return index


def test_a_job_that_is_not_listed_yet_is_stopped_all_the_same(store: Store, lagging: FakeIndex) -> None:
    """Its execution id is known; otherwise it would stay open, and block every later run."""
    execution_id = sync_job.start(store, lagging, "run-1")

    record = sync_job.stop(store, lagging, "run-1")

    assert record is not None
    assert record.execution_id == execution_id
    assert lagging.calls == ["start", "stop"]
    assert lagging.history[0].status == "STOPPING"


def test_a_job_that_is_not_listed_because_another_is_open_is_left_alone(store: Store, index: FakeIndex) -> None:
    """Only one can be open at a time, so ours has ended."""
    sync_job.start(store, index, "run-1")
    index.history.clear()
    index.open("stranger")

    sync_job.stop(store, index, "run-1")

    assert index.calls == ["start"]


def test_a_job_whose_reply_was_lost_is_found_when_the_list_catches_up(store: Store, lagging: FakeIndex) -> None:
    """Until then nothing else is started."""
    lagging.open("before", "SUCCEEDED")
    lagging.unlisted = 0
    lagging.start_error, lagging.opens_nevertheless = ServiceUnavailable("reply lost"), True
    lagging.lag_after_start = True
    for _ in range(3):
        with pytest.raises(SyncJobBusy, match="was lost"):
            sync_job.start(store, lagging, "run-1")
    assert lagging.calls == ["start"]
    lagging.unlisted = 0

    assert sync_job.start(store, lagging, "run-1") == "execution-2"
    assert lagging.calls == ["start"]


def test_a_job_that_a_run_has_lost_is_not_forgotten(store: Store, index: FakeIndex) -> None:
    """The run has ended without finding it; the next one finds, stops and outlives it."""
    index.start_error, index.opens_nevertheless = ServiceUnavailable("reply lost"), True
    index.lag_after_start = True
    with pytest.raises(SyncJobBusy):
        sync_job.start(store, index, "run-1")
    assert sync_job.stop(store, index, "run-1") is None
    sync_job.settle(store, "run-1")
    index.start_error, index.lag_after_start = None, False

    with pytest.raises(SyncJobBusy, match="run run-1"):
        sync_job.start(store, index, "run-2")
    index.unlisted = 0
    with pytest.raises(SyncJobBusy, match="is being stopped"):
        sync_job.start(store, index, "run-2")
    assert index.history[0].status == "STOPPING"
    index.end("SUCCEEDED")

    assert sync_job.start(store, index, "run-2") == "execution-2"


def test_a_conflict_after_a_lost_start_may_be_the_lost_job(store: Store, index: FakeIndex) -> None:
    """The list shows it later than after all looks: then it is still found, and not left open."""
    index.start_error, index.opens_nevertheless = ServiceUnavailable("reply lost"), True
    index.lag_after_start = True
    for _ in range(LOOKS):
        with pytest.raises(SyncJobBusy):
            sync_job.start(store, index, "run-1")
    index.start_error = None
    with pytest.raises(SyncJobBusy, match="does not take"):
        sync_job.start(store, index, "run-1")
    index.unlisted = 0

    assert sync_job.start(store, index, "run-1") == "execution-1"


def test_jobs_of_strangers_are_named_once(store: Store, index: FakeIndex) -> None:
    """Those that this connector did not start, since the last report."""
    index.open("before", "SUCCEEDED")
    sync_job.start(store, index, "run-1")
    index.end("SUCCEEDED")
    sync_job.settle(store, "run-1")
    index.open("stranger", "SUCCEEDED")

    named = sync_job.strangers(store, index)
    assert [job.execution_id for job in named.jobs] == ["stranger", "before"]
    sync_job.see(store, "run-1", named)

    assert sync_job.strangers(store, index).jobs == ()
    record = sync_job.read(store)
    assert record is not None
    assert record.foreign == 2


def test_a_job_whose_start_was_lost_is_no_strangers(store: Store, index: FakeIndex) -> None:
    """It is ours as soon as it is found."""
    with pytest.raises(RuntimeError):
        sync_job.start(store, _Crashing(index), "run-1")

    assert sync_job.strangers(store, index).jobs == ()


@pytest.mark.parametrize("status", LIVE)
def test_another_job_is_waited_for(store: Store, index: FakeIndex, status: JobStatus) -> None:
    """Start is not even called, and the other job is neither stopped nor taken for ours."""
    index.open("stranger", status)

    with pytest.raises(SyncJobBusy, match=f"stranger .* is {status}"):
        sync_job.start(store, index, "run-1")

    assert sync_job.stop(store, index, "run-1") is None
    assert index.calls == []


def test_a_conflict_is_a_job_to_wait_for(store: Store, index: FakeIndex) -> None:
    """Somebody was quicker between the look and the start; the job is theirs, also for who cleans up."""
    index.start_error, index.opens_nevertheless = Conflict("in use"), True

    with pytest.raises(SyncJobBusy, match="in use"):
        sync_job.start(store, index, "run-1")

    sync_job.stop(store, index, "run-1")
    assert index.calls == ["start"]
    assert index.history[0].status == "SYNCING"


@pytest.mark.parametrize("error", [Throttled, AccessDenied, QuotaExceeded, RequestRefused, ResourceNotFound])
def test_after_a_refused_start_no_job_is_ours(store: Store, index: FakeIndex, error: type[DocferryError]) -> None:
    """The service said that it opened nothing: a job that is there later is a stranger's."""
    index.start_error = error("refused")
    with pytest.raises(error):
        sync_job.start(store, index, "run-1")

    index.open("stranger")

    with pytest.raises(SyncJobBusy):
        sync_job.start(store, index, "run-1")
    sync_job.stop(store, index, "run-1")
    assert index.calls == ["start"]
    assert index.history[0].status == "SYNCING"


def test_a_start_that_was_refused_may_be_repeated(store: Store, index: FakeIndex) -> None:
    """Throttling passes."""
    index.start_error = Throttled("slow")
    with pytest.raises(Throttled):
        sync_job.start(store, index, "run-1")

    index.start_error = None
    assert sync_job.start(store, index, "run-1") == "execution-1"


def test_a_run_stops_its_job(store: Store, index: FakeIndex) -> None:
    """Stop is the normal end of a job."""
    sync_job.start(store, index, "run-1")

    record = sync_job.stop(store, index, "run-1")

    assert record is not None
    assert record.execution_id == "execution-1"
    assert index.calls == ["start", "stop"]


@pytest.mark.parametrize("status", ["STOPPING", "SYNCING_INDEXING", *sorted(ENDED)])
def test_a_job_that_is_stopped_is_not_stopped_again(store: Store, index: FakeIndex, status: JobStatus) -> None:
    """Stop names no job: one call too many could hit the next."""
    sync_job.start(store, index, "run-1")
    index.end(status)

    record = sync_job.stop(store, index, "run-1")

    assert record is not None
    assert record.execution_id == "execution-1"
    assert index.calls == ["start"]


def test_a_strangers_job_after_ours_is_left_alone(store: Store, index: FakeIndex) -> None:
    """Ours was stopped by somebody, and another opened since."""
    sync_job.start(store, index, "run-1")
    index.end("ABORTED")
    index.open("stranger")

    sync_job.stop(store, index, "run-1")

    assert index.calls == ["start"]
    assert index.history[0].status == "SYNCING"


def test_a_run_that_opened_nothing_stops_nothing(store: Store, index: FakeIndex) -> None:
    """It failed before, and cleans up all the same."""
    index.open("stranger")

    assert sync_job.stop(store, index, "run-1") is None
    assert index.calls == []


def test_one_run_does_not_stop_the_job_of_another(store: Store, index: FakeIndex) -> None:
    """A run that was turned away cleans up while the other goes on."""
    sync_job.start(store, index, "run-1")

    assert sync_job.stop(store, index, "run-2") is None
    assert index.calls == ["start"]


def test_a_settled_job_is_not_stopped(store: Store, index: FakeIndex) -> None:
    """The manifest accounts for it already."""
    sync_job.start(store, index, "run-1")
    sync_job.settle(store, "run-1")

    record = sync_job.stop(store, index, "run-1")

    assert record == settled("execution-1")
    assert index.calls == ["start"]


@pytest.mark.parametrize("error", [Conflict, RequestRefused, ResourceNotFound])
def test_a_stop_that_finds_the_job_stopped_is_no_error(
    store: Store, index: FakeIndex, error: type[DocferryError]
) -> None:
    """The services differ in what they say then; the list of jobs decides."""
    sync_job.start(store, index, "run-1")
    index.stop_error, index.stops_nevertheless = error("no job"), True

    record = sync_job.stop(store, index, "run-1")

    assert record is not None
    assert record.execution_id == "execution-1"


@pytest.mark.parametrize("error", [Conflict, RequestRefused, ResourceNotFound, AccessDenied, Throttled])
def test_a_stop_that_did_not_work_is_an_error(store: Store, index: FakeIndex, error: type[DocferryError]) -> None:
    """A job that stays open blocks every later run."""
    sync_job.start(store, index, "run-1")
    index.stop_error = error("no")

    with pytest.raises(error):
        sync_job.stop(store, index, "run-1")


def test_stop_adopts_what_start_could_not_record(store: Store, index: FakeIndex) -> None:
    """The start died after the service opened the job: none stays open."""
    with pytest.raises(RuntimeError):
        sync_job.start(store, _Crashing(index), "run-1")

    record = sync_job.stop(store, index, "run-1")

    assert record == opened("execution-1")
    assert index.calls == ["start", "stop"]


def test_settling_keeps_the_execution_id_and_touches_no_other_run(store: Store, index: FakeIndex) -> None:
    """The report names the job later."""
    sync_job.start(store, index, "run-1")

    sync_job.settle(store, "run-2")
    assert sync_job.of_run(store, "run-1") == opened("execution-1")

    sync_job.settle(store, "run-1")
    assert sync_job.read(store) == settled("execution-1")


def test_a_job_is_found_among_others(index: FakeIndex) -> None:
    """By its execution id, wherever it is in the list."""
    for number in range(3):
        index.open(f"execution-{number}", "SUCCEEDED")

    found = sync_job.find(index, "execution-0")

    assert found is not None
    assert found.execution_id == "execution-0"
    assert sync_job.find(index, "another") is None
