"""What PutBatch and DeleteBatch share: a shard goes in, a result object comes out."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from docferry.delivery import shards
from docferry.errors import FatalError
from docferry.model import Acceptance, Change, Outcome
from docferry.runtime.wiring import Wired
from docferry.state.runs import Shard
from docferry.sync_job import job as sync_job

Apply = Callable[[Wired, Shard, str, Iterator[Change]], Iterator[Outcome]]


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


def apply_shard(wired: Wired, shard: Shard, apply: Apply) -> Applied:
    """Tell the index of every change of a shard, and write the outcomes. Raises ChangeSetInvalid before the first."""
    record = sync_job.of_run(wired.store, shard.run)
    if record is None or record.execution_id is None:
        raise FatalError(f"run {shard.run} has no open sync job to send shard {shard.shard} in")
    outcomes = list(apply(wired, shard, record.execution_id, shards.changes(wired.store, shard)))
    shards.write_result(wired.store, shard, outcomes)
    accepted = [outcome.kind for outcome in outcomes if outcome.state == "acknowledged"]
    return Applied(
        shard.shard,
        added=accepted.count("added"),
        modified=accepted.count("modified"),
        deleted=accepted.count("deleted"),
        failed=len(outcomes) - len(accepted),
    )
