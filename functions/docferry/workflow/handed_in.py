"""What other crawlers have handed in is listed after the source.

It is checked anew in every crawl, as what the source lists is: since it was taken, the settings of the connector may
have changed, and who is in its groups.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from msgspec import structs

from docferry.crawl import inbox
from docferry.crawl.found import Found
from docferry.model import Listed, Skipped
from docferry.runtime.wiring import Wired
from docferry.state import sorting
from docferry.state.keys import CHECKPOINT, new_listing_key, run_key
from docferry.state.runs import Checkpoint, HandedIn, Run
from docferry.workflow.admission import checked

InTime = Callable[[], bool]
"""Whether the invocation has time for another step."""
LOOK_LINES = 1_000
"""Lines that are checked between two looks at the clock: as many as a page of a source."""


def collect(wired: Wired, run: Run, before: Checkpoint, in_time: InTime) -> Checkpoint:
    """Once the source is listed, list what is in the inbox. May end before the end of it, and be called again."""
    if before.collected or not before.complete:
        return before
    taken = before if before.handed_in is not None else _taken(wired, run, before, in_time)
    return taken if taken.handed_in is None else _listed(wired, run, taken, taken.handed_in, in_time)


def those_of(wired: Wired, ids: AbstractSet[str]) -> list[Listed]:
    """What was handed in under some ids, as a crawl lists it. Raises ManifestInvalid."""
    return [_checked(wired, entry) for entry in inbox.those_of(wired.store, ids)]


def _taken(wired: Wired, run: Run, before: Checkpoint, in_time: InTime) -> Checkpoint:
    """Take what has come into the inbox."""
    store = wired.store
    found = inbox.collect(store, connector=wired.settings.connector.name, until=before.inbox_until, in_time=in_time)
    if found.more:
        waiting = structs.replace(before, inbox_until=found.until)
        store.write(run_key(run.run, CHECKPOINT), waiting)
        return waiting
    chunks = before.chunks
    if found.refused:
        chunks = (*chunks, sorting.write_chunk(store, new_listing_key(run.run, "inbox"), found.refused))
    taken = structs.replace(before, chunks=chunks, listed=before.listed + len(found.refused))
    if found.listing:
        return structs.replace(taken, handed_in=HandedIn(found.listing))
    whole = structs.replace(taken, collected=True)
    store.write(run_key(run.run, CHECKPOINT), whole)
    return whole


def _listed(wired: Wired, run: Run, before: Checkpoint, left: HandedIn, in_time: InTime) -> Checkpoint:
    """List what was taken, in chunks; a crash repeats the one that it was at."""
    found, checkpoint = Found(), before
    for line in sorting.merge(wired.store, [left.listing], after=left.after):
        short = found.listed and not len(found.listed) % LOOK_LINES and not in_time()
        if found.enough or short:
            checkpoint, found = _with(wired, run, checkpoint, found), Found()
            wired.store.write(run_key(run.run, CHECKPOINT), checkpoint)
            if short or not in_time():
                return checkpoint
        found.extend([_checked(wired, inbox.entry(line))])
    whole = structs.replace(_with(wired, run, checkpoint, found), handed_in=None, collected=True)
    wired.store.write(run_key(run.run, CHECKPOINT), whole)
    return whole


def _with(wired: Wired, run: Run, before: Checkpoint, found: Found) -> Checkpoint:
    """The checkpoint with another chunk of what was handed in, which is written."""
    if not found.listed:
        return before
    assert before.handed_in is not None, "it is what is listed"
    last = found.listed[-1][0]
    key = new_listing_key(run.run, f"inbox-{len(before.chunks):05}")
    chunk = sorting.write_lines(wired.store, key, found.listed)
    return structs.replace(
        before,
        chunks=(*before.chunks, chunk),
        listed=before.listed + len(found.listed),
        handed_in=structs.replace(before.handed_in, after=last),
    )


def _checked(wired: Wired, entry: Listed) -> Listed:
    """What was handed in, or why it is skipped: then it says, too, that it is not of the source."""
    found = checked(wired, entry)
    return structs.replace(found, origin="inbox") if isinstance(found, Skipped) else found
