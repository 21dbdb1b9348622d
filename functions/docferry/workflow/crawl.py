"""Crawl: list the source and the inbox, and write down what has to change in the index.

A listing longer than one invocation goes on in the next from its checkpoint. Nothing is compared before it is whole.
"""

from collections.abc import Callable
from uuid import uuid4

from msgspec import Struct, field, structs

from docferry.changes import approvals, plans
from docferry.crawl import inbox, known, listing
from docferry.delivery import carried
from docferry.delivery.carried import Span
from docferry.errors import ListingTooLong
from docferry.model import Listed, Skipped
from docferry.reporting import ledger
from docferry.runtime import messenger
from docferry.runtime.wiring import Wired
from docferry.settlement import adoption
from docferry.settlement.previous import settle_previous
from docferry.settlement.settle import look_again
from docferry.sources import NOTHING, Known
from docferry.state import manifest, sorting
from docferry.state.keys import BATCHES, CHECKPOINT, listing_key, notes_key, run_key
from docferry.state.runs import Checkpoint, Counts, Input, Run
from docferry.state.store import Store
from docferry.state.stream import Written
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry.workflow.change_set import Task, base_manifest, write_change_set
from docferry.workflow.expanding import expanding

# The comparison takes about a minute for a million documents, so five are kept for it.
RESERVE_MS = 300_000
# Past so many documents of an uncertain id they are not remembered one by one: the listing counts as incomplete.
UNCERTAIN = 1_000

TOO_LONG = (
    "the source is not listed to its end in time, and cannot go on in another invocation: list less of it in one "
    "connector, or choose settings with which it resumes (docs/sources.md, Abilities)"
)

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


class Found(Struct):
    """What was listed since the last chunk: documents, where their contents are, and notes of the source."""

    listed: list[Listed] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)


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
        ledger.abandon(wired.store, over.run)
        messenger.note_died(wired, Run(over.run, over.execution))
    task = prepare(wired, run)
    wired = expanding(wired, run.run)
    checkpoint = collect(wired, run, walk(wired, run, remaining), remaining)
    if not checkpoint.collected or remaining() < RESERVE_MS:
        return Crawled(complete=False, listed=checkpoint.listed)
    counts = write_change_set(wired, run.run, checkpoint, task)
    return Crawled(
        complete=True,
        listed=checkpoint.listed,
        changes=counts.added + counts.modified + counts.deleted if task.input.sends else 0,
        groups=task.input.sends and wired.tells_groups,
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


def walk(wired: Wired, run: Request, remaining: Remaining) -> Checkpoint:
    """List the source from the last checkpoint on, in sorted chunks, until it ends or time runs short.

    Raises SourceUnavailable, SourceInvalid and, when the source cannot go on in another invocation, ListingTooLong.
    """
    record = wired.store.read(run_key(run.run, CHECKPOINT), Checkpoint)
    checkpoint = record.value if record else Checkpoint()
    if checkpoint.complete:
        return checkpoint
    found = Found()
    for page in wired.source.pages(checkpoint.source, known_before(wired, run)):
        found.listed += (checked(wired, entry) for entry in page.listed)
        found.spans += carried.put_aside(wired.store, run.run, page.contents)
        found.notes += page.notes
        short = remaining() < RESERVE_MS
        if short and page.checkpoint is None:
            raise ListingTooLong(TOO_LONG)
        if len(found.listed) >= sorting.CHUNK_LINES or len(found.notes) >= sorting.CHUNK_LINES or short:
            checkpoint = save(wired, run, checkpoint, found, page.checkpoint)
            found = Found()
            if short:
                return checkpoint
    return save(wired, run, checkpoint, found, None, complete=True)


def known_before(wired: Wired, run: Request) -> Known:
    """What the source may ask. Only a sync believes what was known before: the other modes are there to make sure."""
    store, source = wired.store, wired.settings.connector.source
    wanted = plans.asked(store, run.input.apply) if run.input.apply is not None else run.input
    if wanted.compares != "sync":
        return NOTHING
    return known.Known(
        lambda: manifest.documents(store, base_manifest(store, wanted)), lambda: known.notes(store, source), run.run
    )


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
    return listing.admitted(entry, wired.index, wired.settings.connector.access, wired.expansion)


def save(
    wired: Wired, run: Run, before: Checkpoint, found: Found, source: str | None, *, complete: bool = False
) -> Checkpoint:
    """Write a chunk of the listing, then the checkpoint after it: a crash between the two repeats the chunk.

    ``source`` is the checkpoint of the source; None when it is ``complete``, or when it cannot go on: then nothing is
    remembered before the end, and no key is used twice.
    """
    store, listed = wired.store, found.listed
    goes_on = source is not None or complete
    name = f"{len(before.chunks):05}" if goes_on else f"{len(before.chunks):05}-{uuid4()}"
    chunks, contents, notes = before.chunks, before.contents, before.notes
    if found.spans:
        contents = (*contents, sorting.write_chunk(store, listing_key(run.run, f"contents-{name}"), found.spans))
    if found.notes:
        notes = (*notes, _write_notes(store, run, found.notes))
    if listed:
        chunks = (*chunks, sorting.write_chunk(store, listing_key(run.run, name), listed))
    skipped = [entry for entry in listed if isinstance(entry, Skipped)]
    uncertain = before.uncertain | {entry.locator for entry in skipped if entry.locator is not None}
    incomplete = before.incomplete or next((f"{e.id}: {e.skipped}" for e in skipped if e.incomplete), None)
    if len(uncertain) > UNCERTAIN:
        incomplete = incomplete or f"more than {UNCERTAIN:,} sidecars are broken"
        uncertain = frozenset()
    checkpoint = Checkpoint(
        chunks=chunks,
        contents=contents,
        notes=notes,
        source=source,
        complete=complete,
        listed=before.listed + len(listed),
        documents=before.documents + len(listed) - len(skipped),
        uncertain=uncertain,
        incomplete=incomplete,
    )
    if complete and "remembers" in wired.source.abilities:
        known.keep(store, wired.settings.connector.source, notes)
    if goes_on:
        store.write(run_key(run.run, CHECKPOINT), checkpoint)
    return checkpoint


def _write_notes(store: Store, run: Run, notes: list[bytes]) -> Written:
    with store.writing(notes_key(run.run)) as stream:
        for note in notes:
            stream.add_line(note)
    return stream.written
