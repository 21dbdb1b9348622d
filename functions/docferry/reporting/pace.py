"""How fast a run gets on, from one look at its traces: the phase that it is in, its rate, and the time it may take."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from docferry.indexes import Index
from docferry.reporting.ledger import Entry
from docferry.reporting.progress import progress
from docferry.state.keys import BATCHES, CHECKPOINT, run_key
from docferry.state.store import Store

Name = Literal["crawl", "sending", "indexing"]


class Pace(Struct, frozen=True, kw_only=True):
    """The phase of a run, in documents.

    ``sending`` is puts and deletes together. ``total`` is None while it is not known; ``per_second`` and
    ``seconds_left`` are None when there is nothing to work them out from.
    """

    phase: Name = "crawl"
    done: int = 0
    total: int | None = None
    per_second: float | None = None
    seconds_left: float | None = None


def pace(store: Store, index: Index | None, entry: Entry, now: datetime | None = None) -> Pace:
    """Look how fast a run gets on, by a few calls and one listing of the run's results."""
    now = now or datetime.now(UTC)
    found = progress(store, index, entry.run)
    crawl, done = found.crawl, found.put.done + found.delete.done
    if found.put.total is None or found.delete.total is None:
        seen = store.modified(run_key(entry.run, CHECKPOINT))
        seconds = (seen - entry.began).total_seconds() if seen and entry.began else 0
        return _paced("crawl", crawl.done, crawl.total, seconds)
    total = found.put.total + found.delete.total
    if done < total:
        since = store.modified(run_key(entry.run, BATCHES))
        return _paced("sending", done, total, (now - since).total_seconds() if since else 0)
    # The services say how far they are, and not since when.
    return _paced("indexing", found.indexing.done, found.indexing.total, 0)


def _paced(name: Name, done: int, total: int | None, seconds: float) -> Pace:
    rate = done / seconds if seconds > 0 and done else None
    left = (total - done) / rate if rate and total is not None else None
    return Pace(phase=name, done=done, total=total, per_second=rate, seconds_left=left)
