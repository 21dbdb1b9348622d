"""Judges what was found out about a connector: what is wrong, and what to do first. Pure."""

from collections.abc import Iterator

from docferry_cli.next_steps import NextSteps
from docferry_cli.status.facts import Problem, Status
from docferry_cli.status.looking import Seen


def judge(target: str, seen: Seen, steps: NextSteps) -> Status:
    """Return the status of a connector."""
    problems = (*problems_of(seen, steps), *seen.told)
    if problems:
        first = problems[0].next
    elif seen.running is not None:
        first = steps.of_run("watch", seen.running.run)
    else:
        first = "nothing to do"
    return Status(
        connector=steps.connector.name,
        target=target,
        index=steps.connector.index.kind,
        health="unhealthy" if problems else "healthy",
        next=first,
        problems=problems,
        running=seen.running,
        last=seen.last,
        success=seen.success,
        waiting=seen.waiting,
        failed=seen.compared.failed if seen.compared else 0,
        quarantined=seen.compared.quarantined if seen.compared else 0,
        job=seen.job,
        lease=seen.lease,
    )


def unreadable(target: str, error: str, steps: NextSteps) -> Status:
    """Return the status of a connector that could not be read."""
    return Status(
        connector=steps.connector.name,
        target=target,
        index=steps.connector.index.kind,
        health="unknown",
        next=steps.about("status"),
        error=error,
    )


def problems_of(seen: Seen, steps: NextSteps) -> Iterator[Problem]:
    """List what is wrong, the most urgent first."""
    yield from _of_runs(seen, steps)
    if (waiting := seen.waiting) is not None:
        counts = {"deletes": waiting.withheld, "documents without access control": waiting.exposed}
        held = [f"{count:,} {what}" for what, count in {**counts, "groups": waiting.groups}.items() if count]
        yield Problem(
            f"{' and '.join(held)} wait for approval; {steps.of_run('report', waiting.run)} lists them", waiting.approve
        )
    if seen.compared is not None and seen.compared.failed:
        yield Problem(f"documents that the index did not take: {seen.compared.failed:,}", steps.about("failures"))
    yield from _of_job(seen, steps)
    if seen.lease is not None and seen.lease.stale:
        yield Problem(f"run {seen.lease.run} has ended and holds the lease; the next sync takes it over", steps.sync())


def _of_runs(seen: Seen, steps: NextSteps) -> Iterator[Problem]:
    if seen.died is not None:
        yield Problem(f"run {seen.died} has ended without a word; the next sync cleans up after it", steps.sync())
    if seen.sync is not None and seen.sync.status != "SUCCEEDED":
        said = f": {seen.sync.error}" if seen.sync.error else ""
        yield Problem(
            f"the last sync, {seen.sync.run}, {seen.sync.status}{said}", steps.of_run("report", seen.sync.run)
        )
    if seen.success is None and seen.runs == 0:
        yield Problem("there was no sync yet", steps.sync())
    elif seen.success is None and (seen.running is None or seen.runs > 1):
        yield Problem(f"none of the last {seen.runs} runs is a sync that succeeded", steps.about("runs"))
    elif seen.success is not None and seen.success.overdue:
        yield Problem(
            f"the last success is older than two intervals of {seen.success.schedule} ({seen.success.timezone})",
            steps.about("runs"),
        )


def _of_job(seen: Seen, steps: NextSteps) -> Iterator[Problem]:
    if seen.job is None:
        return
    if seen.job.foreign:
        yield Problem(
            f"sync job {seen.job.execution_id} is {seen.job.status}, and this connector did not start it: somebody "
            "else writes to the data source, or has left the job open",
            steps.about("history"),
        )
    elif seen.running is None:
        yield Problem(
            f"sync job {seen.job.execution_id} is {seen.job.status}, and no run works on it; the next sync ends it",
            steps.sync(),
        )
