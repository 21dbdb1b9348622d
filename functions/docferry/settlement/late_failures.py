"""What the last job turns out to have failed after its run was committed."""

from collections.abc import Iterator

from msgspec import structs

from docferry.changes import quarantine
from docferry.indexes import Index, SyncJob
from docferry.model import Outcome
from docferry.runtime.wiring import Wired
from docferry.settlement import settling
from docferry.settlement.outcomes import Left, missing
from docferry.settlement.settle import commit, with_parts
from docferry.settlement.settling import Listing, Remaining, Settling
from docferry.settlement.statuses import SMALL_RUN, Statuses
from docferry.settlement.steps import Steps, failed_prefix
from docferry.settlement.verify import has_ended, is_clean, verdict
from docferry.state import lines, manifest
from docferry.state.keys import CHANGES, FAILED, run_key
from docferry.state.manifest import Pointer
from docferry.state.merge import Ascending, align
from docferry.state.runs import shards
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.sync_job.job import SyncJobRecord

TAKEN_BACK = "-failed"
"""How the name of a manifest ends that takes back what failed late."""


def is_taken_back(base: Pointer) -> bool:
    """Whether a manifest is one that takes back what failed late: then documents are due that no event names."""
    return f"{TAKEN_BACK}/" in base.key


def look_again(wired: Wired, remaining: Remaining) -> int:
    """Take back what the last job turns out to have failed after its run was committed. Returns how many documents.

    The metrics of a job may grow after it has SUCCEEDED. Where they count other failures than those that the manifest
    accounts for, each document of the run is looked up; those that failed become doubtful. May be repeated. Raises
    ManifestInvalid and ChangeSetInvalid, and Unfinished when time runs short.
    """
    store = wired.store
    record = sync_job.read(store)
    if record is None or record.state != "settled" or record.execution_id is None:
        return 0
    job = sync_job.find(wired.index, record.execution_id)
    if job is None or not has_ended(job) or job.metrics.failed == record.failed:
        return 0
    failing, committed = 0, None
    if store.exists(run_key(record.run, CHANGES)):
        failing, committed = _take_back(wired, record, job, remaining)
    sync_job.note(store, record.run, failed=job.metrics.failed, committed=committed)
    return failing


def _take_back(wired: Wired, record: SyncJobRecord, job: SyncJob, remaining: Remaining) -> tuple[int, Pointer | None]:
    """Commit a manifest in which what failed late is doubtful, and count it as failures of the run.

    Returns how many documents that are, and the manifest; None when there are none. The manifest comes first: once the
    run knows of the failures, nobody looks for them again.
    """
    store, run = wired.store, record.run
    name = f"{run}-{job.metrics.failed}{TAKEN_BACK}"
    key = settling.key_of_failed(run, job.metrics.failed)
    current = manifest.pointer(store)
    now = current.value if current else None
    moved = manifest.is_of(store, now, name)
    sent = shards(store, run)
    state = settling.read(store, key)
    if state is None or not (moved or state.base == now):
        state = Settling(base=now, job=job, missing=tuple(missing(store, run, sent)))
    if not state.done:
        state, old = with_parts(store, name, state, only_counts=moved)
        small = sum(shard.documents for shard in sent) <= SMALL_RUN
        statuses = Statuses(wired, run, job, remaining, state, small=small)
        judge = Again(wired.index, job, statuses, _ids(quarantine.of_run(store, run, after=state.after)))
        with Left(store, sent, frozenset(state.missing), state.after, state.reached) as left:
            state = Steps(store, run, name, state, old, left, judge).go_on(key, remaining)
    if not state.tally.failed:
        return 0, None
    committed = commit(store, name, state, current, record.committed)
    _note_failures(store, run, name, state)
    return state.tally.failed, committed


class Again:
    """Finds the documents that the index has acknowledged, and turns out not to hold. The others are left out.

    ``known`` are the ids of those whose failure is known.
    """

    def __init__(self, index: Index, job: SyncJob, statuses: Statuses, known: Ascending) -> None:
        self._statuses = statuses
        self._lenient = is_clean(job) and index.verify != "all"
        self._known = known

    @property
    def listed(self) -> Listing:
        """See Judge."""
        return self._statuses.listed

    def asks(self, outcome: Outcome) -> bool:
        """See Judge."""
        return outcome.state == "acknowledged"

    def judge(self, outcomes: list[Outcome]) -> list[Outcome]:
        """See Judge."""
        about = [outcome for outcome in outcomes if outcome.id not in self._known and self.asks(outcome)]
        said = self._statuses.of_documents(about)
        found = (verdict(outcome, said.get(outcome.id), lenient=self._lenient) for outcome in about)
        return [structs.replace(outcome, state="doubtful") for outcome in found if outcome.state != "acknowledged"]


def _note_failures(store: Store, run: str, name: str, state: Settling) -> None:
    """Add documents that failed late to the failures of the run."""

    def found() -> Iterator[Outcome]:
        return (lines.decode(line, Outcome) for line in store.lines_of(state.failed))

    writer = store.part_writer(f"{failed_prefix(run, name)}all-")
    for known, new in align(quarantine.of_run(store, run), found(), lambda one: one.id, lambda one: one.id):
        writer.add(new or known)
    writer.end_part()
    store.write_parts(run_key(run, FAILED), writer.parts)
    quarantine.update(store, run, unseen=lambda: _ids(found()))


def _ids(outcomes: Iterator[Outcome]) -> Ascending:
    return Ascending(outcome.id for outcome in outcomes)
