"""Settlement: the manifest after a run holds what the index does, as far as the job can be believed."""

import pytest

from docferry.delivery.shards import write_result
from docferry.errors import ChangeSetInvalid, ManifestInvalid
from docferry.indexes import DocumentStatus, JobStatus, SyncJob
from docferry.model import Acceptance, Change, Document, Kind, Outcome
from docferry.reporting import report
from docferry.settlement import settle, settling
from docferry.settlement.settle import Settled
from docferry.state import lines, manifest
from docferry.state.keys import BATCHES, CHANGES, run_key, shard_key
from docferry.state.runs import ChangeSet, Counts, Operation, Shard
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from tests.unit.fakes import FakeIndex, document, job, wired, write_manifest

RUN = "run-1"


class Ran:
    """A run that has sent its change set, as it lies on S3 when it is to be settled."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.index = FakeIndex()
        self.shards: list[Shard] = []
        self.base: manifest.Pointer | None = None

    def manifest(self, *documents: Document) -> None:
        """Let the index be known to hold these."""
        before = manifest.pointer(self.store)
        outcomes = [Outcome(one.id, "added", one) for one in documents]
        manifest.move(self.store, before.etag if before else None, write_manifest(self.store, "run-0", outcomes))

    def crawled(self) -> None:
        """Let the change set be made against the manifest as it is now."""
        before = manifest.pointer(self.store)
        self.base = before.value if before else None
        self._counted()
        sync_job.start(self.store, self.index, RUN)

    def shard(self, *outcomes: Outcome, done: bool = True) -> None:
        """Let a shard have sent these changes, and recorded them, or not."""
        operation: Operation = "delete" if outcomes[0].kind == "deleted" else "put"
        name = f"{operation}-{len(self.shards):05}"
        with self.store.writing(shard_key(RUN, name)) as stream:
            for one in outcomes:
                stream.add(Change(one.id, one.kind, one.document))
        self.shards.append(Shard(RUN, operation, name, len(outcomes), stream.written.sha256))
        if done:
            write_result(self.store, self.shards[-1], outcomes)
        self.store.write(run_key(RUN, BATCHES), self.shards)
        self._counted()

    def _counted(self) -> None:
        counts = Counts(added=sum(shard.documents for shard in self.shards))
        self.store.write(run_key(RUN, CHANGES), ChangeSet(counts=counts, manifest=self.base))

    def settle(self, found: SyncJob | None) -> Settled:
        """Settle it."""
        return settle.settle(wired(self.store, self.index), RUN, found, lambda: settling.RESERVE_MS)

    def ended(self, status: JobStatus = "SUCCEEDED", **metrics: int) -> Settled:
        """Settle it after its job ended like this."""
        return self.settle(job("execution-1", status, **metrics))

    def held(self) -> dict[str, str]:
        """The version of each document in the manifest."""
        pointer = manifest.pointer(self.store)
        found = manifest.documents(self.store, pointer.value if pointer else None)
        return {one.id: one.version for one in (lines.decode(line, Document) for line in found)}


@pytest.fixture
def ran(store: Store) -> Ran:
    """A run over a manifest of four documents."""
    ran = Ran(store)
    ran.manifest(*map(document, "abcd"))
    ran.crawled()
    return ran


def of(kind: Kind, id_: str, state: Acceptance = "acknowledged", reason: str = "") -> Outcome:
    """An outcome of a second version, or of a delete of the first."""
    return Outcome(id_, kind, document(id_, "v1" if kind == "deleted" else "v2"), state, reason)


def test_acknowledged_changes_of_a_clean_job_are_believed(ran: Ran) -> None:
    """Nothing is looked up: the metrics say that nothing failed."""
    ran.shard(of("added", "A"), of("modified", "a"))
    ran.shard(of("deleted", "b"))

    assert ran.ended(added=1, modified=1, deleted=1) == Settled(added=1, modified=1, deleted=1)
    assert ran.held() == {"A": "v2", "a": "v2", "c": "v1", "d": "v1"}
    assert ran.index.asked == []


def test_a_rejected_put_is_tried_again_by_the_next_run(ran: Ran) -> None:
    """The manifest keeps what the index held before."""
    ran.shard(of("added", "A", "rejected", "bad"), of("modified", "a", "rejected", "bad"))

    assert ran.ended() == Settled(failed=2)
    assert ran.held() == dict.fromkeys("abcd", "v1")
    assert [failure.id for failure in report.failures(ran.store, RUN)] == ["A", "a"]


def test_when_the_job_counts_failures_each_document_is_looked_up(ran: Ran) -> None:
    """Accepted is not indexed: FAILED documents are not recorded as held."""
    ran.shard(of("added", "A"), of("added", "B"), of("modified", "a"), of("modified", "b"))
    ran.index.says(
        DocumentStatus("A", "INDEXED"),
        DocumentStatus("B", "FAILED", "unreadable"),
        DocumentStatus("a", "INDEXED"),
        DocumentStatus("b", "FAILED", "unreadable"),
    )

    assert ran.ended("INCOMPLETE", failed=2) == Settled(added=1, modified=1, failed=2)
    assert ran.held() == {"A": "v2", "a": "v2", "b": "", "c": "v1", "d": "v1"}
    assert ran.index.asked == ["execution-1"]


def test_a_job_that_succeeded_with_failures_is_not_believed(ran: Ran) -> None:
    """Status and metrics have to agree."""
    ran.shard(of("added", "A"))
    ran.index.says(DocumentStatus("A", "FAILED", "unreadable"))

    assert ran.ended("SUCCEEDED", failed=1) == Settled(failed=1)
    assert "A" not in ran.held()


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "INCOMPLETE"])
def test_a_job_that_did_not_end_well_is_not_believed(ran: Ran, status: JobStatus) -> None:
    """Whatever its metrics say, the documents are asked."""
    ran.shard(of("added", "A"), of("modified", "a"))
    ran.shard(of("deleted", "b"))
    ran.index.says(DocumentStatus("a", "INDEXED"), DocumentStatus("b", "INDEXED"))

    assert ran.ended(status) == Settled(modified=1, failed=2)
    assert ran.held() == {"A": "", "a": "v2", "b": "", "c": "v1", "d": "v1"}


def test_a_rejected_delete_of_what_is_gone_counts_as_deleted(ran: Ran) -> None:
    """Otherwise the manifest would keep it for ever."""
    ran.shard(of("deleted", "a", "rejected", "unknown"), of("deleted", "b", "rejected", "locked"))
    ran.index.says(DocumentStatus("b", "INDEXED"))

    assert ran.ended() == Settled(deleted=1, failed=1)
    assert ran.held() == {"b": "", "c": "v1", "d": "v1"}
    assert ran.index.asked == [None]


@pytest.mark.parametrize("status", ["SYNCING", "STOPPING", "SYNCING_INDEXING", None])
def test_what_was_sent_in_a_job_that_was_not_seen_to_end_is_doubtful(ran: Ran, status: JobStatus | None) -> None:
    """The deadline passed, or the job is gone: the next run sends it all again."""
    ran.shard(of("added", "A"), of("added", "B", "rejected", "bad"))
    ran.shard(of("deleted", "a"))

    settled = ran.settle(job("execution-1", status) if status else None)

    assert settled == Settled(failed=3)
    assert ran.held() == {"A": "", "a": "", "b": "v1", "c": "v1", "d": "v1"}


def test_a_shard_without_a_result_is_doubtful_and_named(ran: Ran) -> None:
    """The shards that have one are committed all the same."""
    ran.shard(of("added", "A"))
    ran.shard(of("modified", "a"), of("modified", "b"), done=False)

    assert ran.ended(added=1) == Settled(added=1, failed=2, missing=("put-00001",))
    assert ran.held() == {"A": "v2", "a": "", "b": "", "c": "v1", "d": "v1"}


def test_settling_again_changes_nothing_and_counts_the_same(ran: Ran) -> None:
    """Commit is retried after a timeout that came too late."""
    ran.shard(of("added", "A"), of("modified", "a", "rejected", "bad"))
    first = ran.ended(added=1)
    before = manifest.pointer(ran.store)

    assert ran.ended(added=1) == first == Settled(added=1, failed=1)
    after = manifest.pointer(ran.store)
    assert before is not None
    assert after is not None
    assert after.etag == before.etag
    assert [failure.id for failure in report.failures(ran.store, RUN)] == ["a"]


def test_a_manifest_that_moved_since_the_crawl_is_not_overwritten(ran: Ran) -> None:
    """Two runs cannot both be right about it."""
    ran.shard(of("added", "A"))
    ran.manifest(document("z"))

    with pytest.raises(ManifestInvalid, match="moved since the crawl"):
        ran.ended(added=1)
    assert ran.held() == {"z": "v1"}


def test_the_first_run_makes_the_first_manifest(store: Store) -> None:
    """There is none to compare with."""
    ran = Ran(store)
    ran.crawled()
    ran.shard(of("added", "A"))

    assert ran.ended(added=1) == Settled(added=1)
    assert ran.held() == {"A": "v2"}


def test_a_run_that_opened_no_job_has_changed_nothing(store: Store) -> None:
    """Nothing was sent, so there is nothing to account for."""
    ran = Ran(store)
    ran.manifest(document("a"))

    assert ran.settle(None) == Settled()
    assert ran.held() == {"a": "v1"}


def test_a_settled_run_is_recorded_as_such(ran: Ran) -> None:
    """The next run need not look at it again."""
    ran.shard(of("added", "A"))

    ran.ended(added=1)

    record = sync_job.read(ran.store)
    assert record is not None
    assert record.state == "settled"


def test_a_run_whose_batches_somebody_has_changed_is_not_committed(ran: Ran) -> None:
    """A shard that is left out would be one that nobody misses."""
    ran.shard(Outcome("e", "added", document("e")))
    ran.shard(Outcome("f", "added", document("f")))
    ran.store.write(run_key(RUN, BATCHES), ran.shards[:1])

    with pytest.raises(ChangeSetInvalid, match=r"batches\.json"):
        ran.ended(added=1)
    assert ran.held() == dict.fromkeys("abcd", "v1")


def test_a_change_set_that_was_changed_after_it_was_sent_is_not_guessed(ran: Ran) -> None:
    """The shard left no result, and nobody can say any more which documents were in it."""
    ran.shard(Outcome("e", "added", document("e")), done=False)
    with ran.store.writing(shard_key(RUN, "put-00000")) as stream:
        stream.add(Change("a", "added", document("a")))

    with pytest.raises(ChangeSetInvalid, match="docferry rebuild"):
        ran.ended(added=1)
    assert ran.held() == dict.fromkeys("abcd", "v1")
