"""What PutBatch and DeleteBatch share: a shard goes in, a result object comes out, in one invocation or in several."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from docferry.delivery import shards
from docferry.delivery.progress import Progress
from docferry.errors import FatalError, RetriableError, ServiceUnavailable, ShardUnfinished
from docferry.indexes.calls import within
from docferry.model import Acceptance, Change, Outcome
from docferry.runtime.wiring import Wired
from docferry.state.ahead import in_order
from docferry.state.runs import Shard
from docferry.sync_job import job as sync_job

# Of a function's 15 minutes. Nothing begins in the last two: a call that has begun ends after one at most, botocore's
# read timeout, and the other is for what is done with the reply. So an invocation takes 14 minutes at most.
RESERVE_MS = 120_000

# Four workers, which most runs have, have 80 requests under way: at 0.3 s a request they make 267 a second.
REQUESTS_AT_ONCE = 20
# A request of 5 MB is held four times while it is sent: as content, in base64, as JSON, and as the body that is signed.
# So four of the largest take 80 MB; usual ones, of 50 KB a document, are 0.5 MB.
REQUESTS_BYTES = 20_000_000


class Request(Struct, frozen=True):
    """A request that is ready to be sent. ``size`` is what it holds in memory, in bytes.

    ``call`` sends it and gives the outcome of each of its documents. It may be called in any thread.
    """

    call: Callable[[], list[Outcome]]
    size: int = 0


Apply = Callable[[Wired, Shard, str, Iterator[Change], Progress], Iterator[Request]]
"""Makes requests of changes. Adds the outcome of a change that gets into none to the progress itself."""
Remaining = Callable[[], int]
"""Milliseconds that the invocation has left."""


def verdict(reason: str | None) -> tuple[Acceptance, str]:
    """The state of an outcome, and the reason: an answer without a rejection is an acknowledgement."""
    return ("acknowledged", "") if reason is None else ("rejected", reason)


class Applied(Struct, frozen=True):
    """How many documents of a shard the index accepted, by kind of change, and how many not."""

    shard: str
    added: int = 0
    modified: int = 0
    deleted: int = 0
    failed: int = 0


class Deadline:
    """Whether it is too late to begin anything more. ``missed``: something was not begun for that reason."""

    def __init__(self, remaining: Remaining) -> None:
        self._remaining = remaining
        self.missed = False

    def left(self) -> float:
        """The seconds up to it; less than nothing when it is past."""
        return (self._remaining() - RESERVE_MS) / 1000

    def too_late(self) -> bool:
        """Ask before something begins."""
        self.missed = self.missed or self.left() < 0
        return self.missed


def apply_shard(wired: Wired, shard: Shard, apply: Apply, remaining: Remaining) -> Applied:
    """Tell the index of every change of a shard that no invocation before has told it of, and write the outcomes.

    Raises ChangeSetInvalid before the first. Raises ShardUnfinished when a part is done and recorded, and the rest has
    to wait for another invocation; Throttled and ServiceUnavailable when nothing could be done.
    """
    record = sync_job.of_run(wired.store, shard.run)
    if record is None or record.execution_id is None:
        raise FatalError(f"run {shard.run} has no open sync job to send shard {shard.shard} in")
    progress, deadline = Progress(wired.store, shard, remaining), Deadline(remaining)
    changes = _due(wired, shard, progress, deadline)
    try:
        with within(deadline.left):
            _send(apply(wired, shard, record.execution_id, changes, progress), progress, deadline)
    except RetriableError as error:
        progress.record()
        if progress.made:
            raise ShardUnfinished(f"shard {shard.shard} goes on in another invocation: {error}") from error
        raise
    except Exception:
        progress.record()
        raise
    return _applied(shard, progress.finish())


def _due(wired: Wired, shard: Shard, progress: Progress, deadline: Deadline) -> Iterator[Change]:
    """The changes without an outcome, as long as there is time for them."""
    for change in shards.changes(wired.store, shard):
        progress.record_in_time()
        if change.id in progress:
            continue
        if deadline.too_late():
            return
        yield change


def _send(requests: Iterator[Request], progress: Progress, deadline: Deadline) -> None:
    """Send requests, several at a time. Raises ServiceUnavailable when there is no time for all of them."""

    def send(request: Request) -> None:
        if not deadline.too_late():
            progress.add(request.call())

    for _ in in_order(send, requests, REQUESTS_AT_ONCE, weight=lambda request: request.size, most=REQUESTS_BYTES):
        progress.record_in_time()
    if deadline.missed:
        raise ServiceUnavailable("the time of the invocation is over")


def _applied(shard: Shard, outcomes: list[Outcome]) -> Applied:
    accepted = [outcome.kind for outcome in outcomes if outcome.state == "acknowledged"]
    return Applied(
        shard.shard,
        added=accepted.count("added"),
        modified=accepted.count("modified"),
        deleted=accepted.count("deleted"),
        failed=len(outcomes) - len(accepted),
    )
