"""Commit: it comes again until the run is settled and cleared, and then it reports once."""

from docferry.delivery.shards import write_result
from docferry.model import Change, Outcome
from docferry.reporting import report
from docferry.reporting.report import Report
from docferry.settlement import settling
from docferry.state.keys import BATCHES, CHANGES, LEASE, LISTING, SYNC_JOB, run_key, shard_key, staging_key
from docferry.state.runs import ChangeSet, Counts, Shard
from docferry.state.store import Store
from docferry.sync_job import lease
from docferry.sync_job.job import SyncJobRecord
from docferry.workflow.commit import Request, Unsettled, commit
from docferry.workflow.events import Polled
from tests.unit.fakes import FakeIndex, FakeStepFunctions, document, job, wired
from tests.unit.s3_calls import in_memory

RUN = Request("run-1", "arn:run-1", Polled(execution_id="execution-1", status="SUCCEEDED", done=True))
PLENTY = 900_000


def sent(store: Store, *ids: str) -> FakeIndex:
    """Let a run have put these documents, in a job that has ended."""
    lease.take(store, FakeStepFunctions(), execution=RUN.execution, run=RUN.run)
    outcomes = [Outcome(id_, "added", document(id_)) for id_ in ids]
    with store.writing(shard_key(RUN.run, "put-00000")) as stream:
        for one in outcomes:
            stream.add(Change(one.id, one.kind, one.document))
    shard = Shard(RUN.run, "put", "put-00000", len(ids), stream.written.sha256)
    write_result(store, shard, outcomes)
    store.write(run_key(RUN.run, BATCHES), [shard])
    store.write(run_key(RUN.run, CHANGES), ChangeSet(counts=Counts(added=len(ids)), manifest=None))
    store.write(store.held(SYNC_JOB), SyncJobRecord(run=RUN.run, state="open", execution_id="execution-1"))
    index = FakeIndex()
    index.history.append(job("execution-1", "SUCCEEDED", added=len(ids)))
    return index


def test_a_run_that_is_too_much_for_one_invocation_is_reported_by_another() -> None:
    """Until then there is no report, and the lease is held."""
    store = in_memory()
    index = sent(store, "a", "b")

    assert commit(wired(store, index), RUN, lambda: 0) == Unsettled()
    assert report.read(store, RUN.run) is None
    assert store.exists(LEASE)

    ended = commit(wired(store, index), RUN, lambda: PLENTY)

    assert isinstance(ended, Report)
    assert (ended.status, ended.added) == ("SUCCEEDED", 2)
    assert report.read(store, RUN.run) == ended
    assert not store.exists(LEASE)


def test_what_the_run_has_staged_is_deleted_in_as_many_invocations_as_it_takes() -> None:
    """A thousand objects at least in each; the run is over when nothing is left."""
    store = in_memory()
    index = sent(store, "a")
    for number in range(2_500):
        store.put_content(staging_key(RUN.run, f"{number:05}"), b"content")
    store.put_content(run_key(RUN.run, f"{LISTING}00000.jsonl.zst"), b"")
    settle_first = iter([settling.RESERVE_MS])

    left = []
    while isinstance(commit(wired(store, index), RUN, lambda: next(settle_first, 0)), Unsettled):
        left.append(len(list(store.keys(staging_key(RUN.run, "")))))

    assert left == [1_500, 500]
    assert not list(store.keys(staging_key(RUN.run, "")))
    assert not list(store.keys(run_key(RUN.run, LISTING)))
    assert report.read(store, RUN.run) is not None


def test_a_report_names_some_of_many_shards_without_a_result() -> None:
    """The state machine hands on 256 KiB at most."""
    store = in_memory()
    index = sent(store)
    shards = []
    for number in range(3_000):
        with store.writing(shard_key(RUN.run, f"put-{number:05}")) as stream:
            id_ = f"d{number:05}"
            stream.add(Change(id_, "added", document(id_)))
        shards.append(Shard(RUN.run, "put", f"put-{number:05}", 1, stream.written.sha256))
    store.write(run_key(RUN.run, BATCHES), shards)
    store.write(run_key(RUN.run, CHANGES), ChangeSet(counts=Counts(added=3_000), manifest=None))

    ended = commit(wired(store, index), RUN, lambda: PLENTY)

    assert isinstance(ended, Report)
    assert ended.failed == 3_000
    assert "put-00019 and 2,980 more" in ended.error
    assert len(ended.error) < 1_000
