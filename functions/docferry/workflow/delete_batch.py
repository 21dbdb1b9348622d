"""DeleteBatch: delete the documents of one shard, and record what became of each."""

from collections.abc import Iterator

from docferry.delivery.sending import deliver
from docferry.model import Change, Outcome
from docferry.runtime.wiring import Wired
from docferry.state.chunks import chunks
from docferry.state.runs import Shard
from docferry.workflow.shard import Applied, apply_shard, verdict


def delete_batch(wired: Wired, shard: Shard) -> Applied:
    """Delete the documents of a shard. Deleting them again, after a crash or a timeout, does no harm.

    Raises Throttled and ServiceUnavailable when the service does not take the whole shard.
    """
    return apply_shard(wired, shard, delete_all)


def delete_all(wired: Wired, shard: Shard, execution_id: str, changes: Iterator[Change]) -> Iterator[Outcome]:  # noqa: ARG001  # the same shape as put_all
    """Delete documents; yield an outcome each. A rejected one may be gone all the same: Commit finds out."""
    for request in chunks(changes, wired.index.limits.documents):
        reasons = deliver(
            request,
            lambda gone: wired.index.delete(execution_id, [change.id for change in gone]),
            lambda change: change.id,
        )
        for change in request:
            yield Outcome(change.id, change.kind, change.document, *verdict(reasons.get(change.id)))
