"""Crawl: list the source and the inbox, and write down what has to change in the index.

A listing longer than one invocation goes on in the next from its checkpoint. Nothing is compared before it is whole;
the comparison goes on in the next invocation, too.
"""

from collections.abc import Callable
from functools import partial

from msgspec import Struct, structs

from docferry.changes import approvals, plans
from docferry.crawl import known
from docferry.crawl.found import Found
from docferry.delivery import carried, shards
from docferry.errors import ListingTooLong
from docferry.reporting import ledger
from docferry.runtime import messenger
from docferry.runtime.wiring import Wired
from docferry.settlement import adoption
from docferry.settlement.late_failures import look_again
from docferry.settlement.previous import settle_previous
from docferry.settlement.settling import Unfinished
from docferry.sources import NOTHING, Known
from docferry.state import manifest, sorting
from docferry.state.keys import BATCHES, CHECKPOINT, listing_key, new_listing_key, notes_key, run_key
from docferry.state.runs import Checkpoint, Counts, Input, Run
from docferry.state.store import Store
from docferry.state.stream import Written
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry.workflow import handed_in, looking
from docferry.workflow.admission import checked, expanding
from docferry.workflow.change_set import base_manifest, write_change_set
from docferry.workflow.comparison.progress import Task
from docferry.workflow.handed_in import InTime

# What is begun is ended: a step of the comparison (state/windows.py), of a few seconds, or some 100 s where its lines
# are of 100 KB, or where a slow index is asked about each document; at last the fields of the index, which take up to
# two minutes to be declared. So five minutes are left when a step begins.
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

    ``changes`` is how many documents have to be put or deleted, ``workers`` how many shards of them are sent at a time.
    ``groups`` says whether groups have to be looked at.
    """

    complete: bool
    listed: int
    changes: int = 0
    groups: bool = False
    counts: Counts = Counts()
    batches: str = ""
    workers: int = shards.WORKERS


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

    def in_time() -> bool:
        return remaining() >= RESERVE_MS

    try:
        task = prepare(wired, run, remaining)
    except Unfinished:
        return Crawled(complete=False, listed=0)
    wired = expanding(wired, run.run)
    task, found = listed(wired, run, task, in_time)
    checkpoint = merged(wired, run, found.now, in_time)
    if not checkpoint.collected or not in_time():
        return Crawled(complete=False, listed=checkpoint.listed)
    counts = write_change_set(wired, run.run, checkpoint, task, begun=found.before, in_time=in_time)
    if counts is None:
        return Crawled(complete=False, listed=checkpoint.listed)
    return Crawled(
        complete=True,
        listed=checkpoint.listed,
        changes=counts.added + counts.modified + counts.deleted if task.input.sends else 0,
        groups=task.input.sends and wired.tells_groups,
        counts=counts,
        batches=run_key(run.run, BATCHES),
        workers=wired.index.concurrency or shards.workers(counts.added + counts.modified + counts.deleted),
    )


def prepare(wired: Wired, run: Request, remaining: Remaining) -> Task:
    """Refuse what cannot be done, before anything is listed; then account for what the runs before this one did.

    Raises ApprovalRefused, PlanRefused, PlanMoved and ManifestInvalid, and Unfinished when that takes more than the
    time of an invocation.
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
    expired = settle_previous(wired, run, remaining, rebuild=rebuild)
    base_manifest(store, wanted)
    notes = [expired] if expired else []
    failed = 0 if rebuild else look_again(wired, remaining)
    if failed:
        notes.append(f"{failed:,} documents of the last run failed after it had ended; they are due again")
    if run.input.apply is not None:
        plans.check_manifest(store, run.input.apply, base_manifest(store, wanted))
    return Task(input=wanted, plan=run.input.apply, strangers=len(strangers.jobs), failed=failed, notes=tuple(notes))


class Listing(Struct, frozen=True):
    """How far the listing is ``now``. ``before``: an invocation before this one may have found it whole."""

    now: Checkpoint
    before: bool


def listed(wired: Wired, run: Request, task: Task, in_time: InTime) -> tuple[Task, Listing]:
    """List what the run is to compare: what its events name, if that is enough, or the whole source and the inbox.

    Raises what ``looking.look`` and ``walk`` raise.
    """
    if task.input.events is not None:
        base = base_manifest(wired.store, task.input)
        found = looking.look(wired, run, task.input, base, sound=not task.failed)
        if isinstance(found, Checkpoint):
            return task, Listing(found, before=True)
        task = structs.replace(task, notes=(*task.notes, f"the whole source was crawled: {found}"))
    walked = walk(wired, run, in_time)
    return task, Listing(handed_in.collect(wired, run, walked, in_time), before=walked.collected)


def walk(wired: Wired, run: Request, in_time: InTime) -> Checkpoint:
    """List the source from the last checkpoint on, in sorted chunks, until it ends or time runs short.

    Raises SourceUnavailable, SourceInvalid and, when the source cannot go on in another invocation, ListingTooLong.
    """
    record = wired.store.read(run_key(run.run, CHECKPOINT), Checkpoint)
    checkpoint = record.value if record else Checkpoint()
    if checkpoint.complete:
        return checkpoint
    found = Found()
    for page in wired.source.pages(checkpoint.source, known_before(wired, run)):
        found.extend([checked(wired, entry) for entry in page.listed])
        found.spans += carried.put_aside(wired.store, run.run, page.contents)
        found.notes += page.notes
        short = not in_time()
        if short and page.checkpoint is None:
            raise ListingTooLong(TOO_LONG)
        if found.enough or short:
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


def merged(wired: Wired, run: Run, listed: Checkpoint, in_time: InTime) -> Checkpoint:
    """Merge the chunks of a whole listing, some at a time, until they are few enough to be read side by side."""
    store, name = wired.store, partial(listing_key, run.run)
    while listed.collected and any(map(sorting.many, (listed.chunks, listed.contents))) and in_time():
        listed = structs.replace(
            listed,
            chunks=sorting.fewer(store, name, listed.chunks) or listed.chunks,
            contents=sorting.fewer(store, name, listed.contents) or listed.contents,
        )
        store.write(run_key(run.run, CHECKPOINT), listed)
    return listed


def save(
    wired: Wired, run: Run, before: Checkpoint, found: Found, source: str | None, *, complete: bool = False
) -> Checkpoint:
    """Write a chunk of the listing, then the checkpoint after it: a crash between the two repeats the chunk.

    ``source`` is the checkpoint of the source; None when it is ``complete``, or when it cannot go on: then nothing is
    remembered before the end. No key is used twice.
    """
    store, listed, skipped = wired.store, found.listed, found.skipped
    goes_on = source is not None or complete
    name = f"{len(before.chunks):05}"
    chunks, contents, notes = before.chunks, before.contents, before.notes
    if found.spans:
        contents = (*contents, sorting.write_chunk(store, new_listing_key(run.run, f"contents-{name}"), found.spans))
    if found.notes:
        notes = (*notes, _write_notes(store, run, found.notes))
    if listed:
        chunks = (*chunks, sorting.write_lines(store, new_listing_key(run.run, name), listed))
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
