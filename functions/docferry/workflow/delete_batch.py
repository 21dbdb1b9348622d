"""DeleteBatch: delete the documents of one shard, and record what became of each."""

from collections.abc import Iterator
from functools import partial

from docferry.delivery.progress import Progress
from docferry.delivery.sending import deliver
from docferry.model import Change, Outcome
from docferry.runtime.wiring import Wired
from docferry.state.chunks import chunks
from docferry.state.runs import Shard
from docferry.workflow.shard import Applied, Remaining, Request, apply_shard, verdict


def delete_batch(wired: Wired, shard: Shard, remaining: Remaining) -> Applied:
    """Delete the documents of a shard. Deleting them again, after a crash or a timeout, does no harm.

    Raises ShardUnfinished when another invocation has to go on; Throttled and ServiceUnavailable when nothing got
    through.
    """
    return apply_shard(wired, shard, delete_requests, remaining)


def delete_requests(
    wired: Wired,
    shard: Shard,  # noqa: ARG001  # the same shape as put_requests
    execution_id: str,
    changes: Iterator[Change],
    progress: Progress,  # noqa: ARG001  # as above
) -> Iterator[Request]:
    """Make requests of what is to be deleted."""
    for request in chunks(changes, wired.index.limits.documents):
        yield Request(partial(_delete, wired, execution_id, request))


def _delete(wired: Wired, execution_id: str, request: list[Change]) -> list[Outcome]:
    """Delete documents; give the outcome of each. A rejected one may be gone all the same: Commit finds out."""
    reasons = deliver(
        request,
        lambda gone: wired.index.delete(execution_id, [change.id for change in gone]),
        lambda change: change.id,
    )
    return [Outcome(one.id, one.kind, one.document, *verdict(reasons.get(one.id))) for one in request]
