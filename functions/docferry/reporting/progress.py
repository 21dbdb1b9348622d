"""How far a run has come, read from its traces on S3 and from its sync job: the same on a laptop and in AWS."""

from msgspec import Struct

from docferry.delivery.shards import finished
from docferry.indexes import ENDED, Index
from docferry.state.keys import CHECKPOINT, run_key
from docferry.state.runs import Checkpoint, Operation, Shard, shards
from docferry.state.store import Store
from docferry.sync_job import job as sync_job


class Phase(Struct, frozen=True):
    """One phase, in documents. ``total`` is None while it is not known."""

    done: int = 0
    total: int | None = None


class Progress(Struct, frozen=True, kw_only=True):
    """The phases of a run, in their order."""

    crawl: Phase = Phase()
    put: Phase = Phase()
    delete: Phase = Phase()
    indexing: Phase = Phase()


def progress(store: Store, index: Index | None, run: str) -> Progress:
    """Look how far a run has come. Without an index it is not known how far the index is."""
    record = store.read(run_key(run, CHECKPOINT), Checkpoint)
    if record is None:
        return Progress()
    listed = record.value.listed
    crawl = Phase(listed, listed if record.value.complete else None)
    parts = shards(store, run)
    if not parts:
        return Progress(crawl=crawl)
    done = finished(store, run, parts)
    return Progress(
        crawl=crawl,
        put=_sent(parts, done, "put"),
        delete=_sent(parts, done, "delete"),
        indexing=_indexed(store, index, run, sum(shard.documents for shard in parts)),
    )


def _sent(parts: list[Shard], done: list[Shard], operation: Operation) -> Phase:
    sent, total = (sum(shard.documents for shard in some if shard.operation == operation) for some in (done, parts))
    return Phase(sent, total)


def _indexed(store: Store, index: Index | None, run: str, total: int) -> Phase:
    record = sync_job.of_run(store, run) if index is not None else None
    job = sync_job.find(index, record.execution_id) if index and record and record.execution_id else None
    if job is None:
        return Phase(0, total)
    counted = job.metrics.added + job.metrics.modified + job.metrics.deleted + job.metrics.failed
    return Phase(total if job.status in ENDED else min(counted, total), total)
