"""Crawl: list the source and the inbox, and write down what has to change in the index.

A listing longer than one invocation goes on in the next from its checkpoint. Nothing is compared before it is whole.
"""

from collections.abc import Callable

from msgspec import Struct, structs

from docferry.changes import access, approvals, plans
from docferry.crawl import inbox
from docferry.indexes import limits
from docferry.model import Document, Listed, Skipped
from docferry.reporting import ledger
from docferry.runtime.wiring import Wired
from docferry.settlement import adoption
from docferry.settlement.previous import settle_previous
from docferry.settlement.settle import look_again
from docferry.state import sorting
from docferry.state.keys import BATCHES, CHECKPOINT, listing_key, run_key
from docferry.state.runs import Checkpoint, Counts, Input, Run
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry.workflow.change_set import Task, base_manifest, write_change_set

# The comparison takes about a minute for a million documents, so five are kept for it.
RESERVE_MS = 300_000
# Past so many documents of an uncertain id they are not remembered one by one: the listing counts as incomplete.
UNCERTAIN = 1_000

Remaining = Callable[[], int]
"""Milliseconds that the invocation has left."""


class Crawled(Struct, frozen=True, kw_only=True):
    """What the state machine goes on with.

    ``changes`` is how many documents have to be put or deleted. ``groups`` says whether groups have to be looked at.
    """

    complete: bool
    listed: int
    changes: int = 0
    groups: bool = False
    counts: Counts = Counts()
    batches: str = ""


class Request(Run, frozen=True):
    """The event of Crawl."""

    input: Input = Input()


def crawl(wired: Wired, run: Request, remaining: Remaining) -> Crawled:
    """Take the lease and list the source while time is left. When the listing is whole, write the change set.

    Raises AlreadyRunning, SourceUnavailable, ManifestInvalid, LeaseLost, ConfigurationError, ApprovalRefused,
    PlanRefused, PlanMoved, StateInvalid.
    """
    ledger.register(wired.store, run, run.input)
    over = lease.take(wired.store, wired.step_functions, execution=run.execution, run=run.run)
    if over is not None:
        ledger.abandon(wired.store, over)
    task = prepare(wired, run)
    checkpoint = collect(wired, run, walk(wired, run, remaining), remaining)
    if not checkpoint.collected or remaining() < RESERVE_MS:
        return Crawled(complete=False, listed=checkpoint.listed)
    counts = write_change_set(wired, run.run, checkpoint, task)
    return Crawled(
        complete=True,
        listed=checkpoint.listed,
        changes=counts.added + counts.modified + counts.deleted if task.input.sends else 0,
        groups=task.input.sends and wired.membership is not None,
        counts=counts,
        batches=run_key(run.run, BATCHES),
    )


def prepare(wired: Wired, run: Request) -> Task:
    """Refuse what cannot be done, before anything is listed; then account for what the runs before this one did.

    Raises ApprovalRefused, PlanRefused, PlanMoved and ManifestInvalid.
    """
    store, wanted = wired.store, run.input
    if wanted.apply is not None:
        wanted = plans.asked(store, wanted.apply)
    if wanted.approve is not None:
        approvals.check(store, wanted.approve, by=run.run)
        wanted = approvals.asked(store, wanted.approve, wanted)
    rebuild = wanted.compares == "rebuild"
    adoption.adopt(store, wired.index, rebuild=rebuild)
    strangers = sync_job.strangers(store, wired.index)
    settle_previous(wired, run, rebuild=rebuild)
    base_manifest(store, wanted)
    notes = []
    if not rebuild and (failed := look_again(wired)):
        notes.append(f"{failed:,} documents of the last run failed after it had ended; they are due again")
    if run.input.apply is not None:
        plans.check_manifest(store, run.input.apply, base_manifest(store, wanted))
    return Task(input=wanted, plan=run.input.apply, strangers=len(strangers.jobs), notes=tuple(notes))


def walk(wired: Wired, run: Run, remaining: Remaining) -> Checkpoint:
    """List the source from the last checkpoint on, in sorted chunks, until it ends or time runs short."""
    record = wired.store.read(run_key(run.run, CHECKPOINT), Checkpoint)
    checkpoint = record.value if record else Checkpoint()
    if checkpoint.complete:
        return checkpoint
    found: list[Listed] = []
    for page in wired.source.pages(checkpoint.source):
        found += (checked(wired, entry) for entry in page.listed)
        if len(found) >= sorting.CHUNK_LINES or remaining() < RESERVE_MS:
            checkpoint = save(wired, run, checkpoint, found, page.checkpoint)
            found = []
            if remaining() < RESERVE_MS:
                return checkpoint
    return save(wired, run, checkpoint, found, None)


def collect(wired: Wired, run: Run, before: Checkpoint, remaining: Remaining) -> Checkpoint:
    """Once the source is listed, list what other crawlers have handed in."""
    if before.collected or not before.complete:
        return before
    found = inbox.collect(
        wired.store,
        connector=wired.settings.connector.name,
        until=before.inbox_until,
        check=lambda entry: checked(wired, entry),
        in_time=lambda: remaining() >= RESERVE_MS,
    )
    if found.more:
        waiting = structs.replace(before, inbox_until=found.until)
        wired.store.write(run_key(run.run, CHECKPOINT), waiting)
        return waiting
    chunks = before.chunks
    if found.listing:
        chunks = (*chunks, found.listing)
    if found.refused:
        chunks = (*chunks, sorting.write_chunk(wired.store, listing_key(run.run, "inbox"), found.refused))
    checkpoint = structs.replace(
        before, chunks=chunks, collected=True, listed=before.listed + found.documents + len(found.refused)
    )
    wired.store.write(run_key(run.run, CHECKPOINT), checkpoint)
    return checkpoint


def checked(wired: Wired, entry: Listed) -> Listed:
    """A listed document, or, when the index or the connector would refuse it, why it is skipped."""
    if isinstance(entry, Document) and (reason := limits.reason_to_skip(entry, wired.index.limits)):
        return Skipped(entry.id, reason)
    return access.required(entry, wired.settings.connector.access)


def save(wired: Wired, run: Run, before: Checkpoint, found: list[Listed], source: str | None) -> Checkpoint:
    """Write a chunk of the listing, then the checkpoint after it: a crash between the two repeats the chunk.

    ``source`` is the checkpoint of the source, None at its end.
    """
    chunks = before.chunks
    if found:
        key = listing_key(run.run, f"{len(chunks):05}")
        chunks = (*chunks, sorting.write_chunk(wired.store, key, found))
    skipped = [entry for entry in found if isinstance(entry, Skipped)]
    uncertain = before.uncertain | {entry.locator for entry in skipped if entry.locator is not None}
    incomplete = before.incomplete or next((f"{e.id}: {e.skipped}" for e in skipped if e.incomplete), None)
    if len(uncertain) > UNCERTAIN:
        incomplete = incomplete or f"more than {UNCERTAIN:,} sidecars are broken"
        uncertain = frozenset()
    checkpoint = Checkpoint(
        chunks=chunks,
        source=source,
        complete=source is None,
        listed=before.listed + len(found),
        documents=before.documents + len(found) - len(skipped),
        uncertain=uncertain,
        incomplete=incomplete,
    )
    wired.store.write(run_key(run.run, CHECKPOINT), checkpoint)
    return checkpoint
