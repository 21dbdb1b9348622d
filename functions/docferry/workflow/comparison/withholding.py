"""The stage that divides the deletes: those that are sent, in shards, and those that wait for a person."""

from collections.abc import Iterator

from msgspec import structs

from docferry.changes import approvals, guard
from docferry.changes.guard import Verdict
from docferry.delivery.shards import ShardWriter
from docferry.model import Change
from docferry.state import lines
from docferry.state.ahead import behind
from docferry.state.keys import DELETES, WITHHELD, parts_key, run_key
from docferry.state.merge import Ascending
from docferry.state.windows import Steps, split
from docferry.workflow.comparison.progress import Progress, Work


def withhold(work: Work, progress: Progress) -> Iterator[Progress]:
    """Write the shards of the deletes that are sent. A rebuild leaves them all to the next sync."""
    rebuild = work.task.input.compares == "rebuild"
    due = work.store.lines(run_key(work.run, DELETES), after=progress.after) if not rebuild else iter(())
    steps, verdict = Steps(due, ()), judge(work, progress)
    before = progress.streams.get(WITHHELD, ())
    exact = work.task.plan is not None
    with behind() as sending:
        withheld = work.store.part_writer(parts_key(work.run, WITHHELD), before, behind=sending)
        gone = ShardWriter(
            work.store,
            work.run,
            "delete",
            exact=exact,
            documents=work.shard_documents,
            begun=progress.deletes,
            behind=sending,
        )
        count = progress.counts.withheld
        while True:
            for line in (line for window in steps.step() for line in split(window.left)):
                if verdict is not None and verdict.withholds(lines.decode(line, Change)):
                    withheld.add_line(line)
                    count += 1
                else:
                    gone.add_line(line)
            if not steps.left:
                break
            withheld.end_part()
            sending.wait()
            progress = structs.replace(
                progress,
                after=steps.after,
                deletes=gone.begun(),
                streams={**progress.streams, WITHHELD: tuple(withheld.parts)},
                counts=structs.replace(progress.counts, withheld=count),
            )
            yield progress
        gone.close()
        withheld.end(run_key(work.run, WITHHELD))
    sent = progress.counts.deleted - count if not rebuild else 0
    counts = structs.replace(
        progress.counts,
        deleted=sent,
        withheld=count,
        unchanged=progress.counts.unchanged + (progress.counts.deleted if rebuild else 0),
        approved=progress.counts.approved + (sent - progress.withdrawn if work.task.input.approve is not None else 0),
    )
    yield structs.replace(progress, stage="whole", after="", deletes=gone.begun(), counts=counts)


def judge(work: Work, progress: Progress) -> Verdict | None:
    """Which deletes are withheld, of those that come after the last step, and why. The same in every invocation."""
    assert progress.found is not None
    connector = work.wired.settings.connector
    return guard.judge(
        connector.deletes,
        progress.found,
        approved=Ascending(approvals.deletes(work.store, progress.found.approval, after=progress.after)),
        command=f"docferry approve {work.run} --connector {connector.name}",
    )
