"""A run that events have started looks at the keys that they name, and at nothing else.

It compares the documents that are, or were, at these keys with what the manifest has of them, as a crawl compares all.
It leaves every other document as it is. When something may have changed that no key names, the run crawls the whole
source instead.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from msgspec import Struct, field

from docferry.changes import quarantine, scope
from docferry.groups import snapshot
from docferry.model import Document, Listed, Skipped
from docferry.reporting import ledger
from docferry.reporting.ledger import Entry
from docferry.runtime.wiring import Wired, watched
from docferry.settlement.late_failures import is_taken_back
from docferry.sources import Look
from docferry.state import lines, sorting
from docferry.state.chunks import chunks
from docferry.state.keys import CHECKPOINT, EVENTS, KEPT_FAILURES, new_listing_key, run_key
from docferry.state.lines import Placed
from docferry.state.lookup import Lookup
from docferry.state.manifest import Pointer
from docferry.state.runs import Checkpoint, Events, Input, Looked, Run
from docferry.state.sorting import Chunk
from docferry.state.store import Store
from docferry.workflow import handed_in, signals
from docferry.workflow.admission import checked

PLANS = 20
"""Plans change nothing, so the run before them counts. After more of them in a row nothing is looked for."""


class Seen(Struct):
    """What the looks have shown."""

    listed: set[str] = field(default_factory=set)
    """The places of documents."""
    gone: set[str] = field(default_factory=set)
    """The places where nothing is, or nothing that the index may hold."""
    passed: set[str] = field(default_factory=set)
    """The places that are left as they are."""
    claimed: set[str] = field(default_factory=set)
    """The ids that are listed, of documents and of what is skipped."""
    uncertain: set[str] = field(default_factory=set)

    def note(self, look: Look, entry: Listed | None) -> None:
        """Note what is at a place."""
        if isinstance(entry, Document):
            self.listed.add(look.locator)
        elif look.gone or (isinstance(entry, Skipped) and entry.access_control):
            self.gone.add(look.locator)
        else:
            self.passed.add(look.locator)
        if entry is not None:
            self.claimed.add(entry.id)
        if isinstance(entry, Skipped) and entry.locator is not None:
            self.uncertain.add(entry.locator)

    def known(self, place: str) -> bool:
        """Whether a place was looked at."""
        return place in self.listed or place in self.gone or place in self.passed

    def is_compared(self, held: Placed) -> bool:
        """Whether a document of the manifest is compared: it has an id that is claimed, or was where we looked.

        Where we looked in vain, or may not look, it is left as it is.
        """
        place = held.locator if held.origin == "source" else None
        return held.id in self.claimed or place in self.listed or place in self.gone


def look(wired: Wired, run: Run, asked: Input, base: Pointer | None, *, sound: bool) -> Checkpoint | str:
    """Look at the keys of the events. The listing that comes of it is whole; or say why the source has to be crawled.

    ``sound``: nothing that runs before this one have told the index turned out to have failed. May be repeated. Raises
    what the source raises, and ManifestInvalid.
    """
    store = wired.store
    record = store.read(run_key(run.run, CHECKPOINT), Checkpoint)
    before = record.value if record else None
    places = _places(wired, run, asked, base, sound=sound)
    if before is not None and before.looked is None:
        return places if isinstance(places, str) else "an invocation before this one has begun to"
    if before is not None and before.looked is not None and not isinstance(places, str):
        if before.looked.base == base:
            return before
        places = "the manifest has moved since the keys were looked at"
    found = places if isinstance(places, str) else _looked_at(wired, run, places, base)
    if isinstance(found, Checkpoint):
        store.write(run_key(run.run, CHECKPOINT), found)
        return found
    if store.exists(run_key(run.run, KEPT_FAILURES)):
        with store.writing(run_key(run.run, KEPT_FAILURES)):
            pass  # the crawl looks at every document, so it keeps no record unseen
    if before is not None:
        store.write(run_key(run.run, CHECKPOINT), Checkpoint())
    return found


def held(store: Store, looked: Looked, after: str) -> Iterator[bytes]:
    """The lines of the manifest that are compared with what the looks have shown, sorted by id, ``after`` an id."""
    for _, same in groupby(sorting.merge(store, looked.held, after=after), key=lines.line_id):
        yield next(same)


def _places(wired: Wired, run: Run, asked: Input, base: Pointer | None, *, sound: bool) -> list[str] | str:
    """The places that the events concern, or why the whole source has to be crawled."""
    because = next(_against(wired, run, base, sound=sound), None)
    if because is not None:
        return because
    source = watched(wired.source)
    assert source is not None, "or that would speak against it"
    assert asked.events is not None, "asked for by events"
    record = wired.store.read(run_key(asked.events, EVENTS), Events)
    if record is None:
        return f"the keys of run {asked.events} are gone"
    keys = record.value.keys
    if (key := next(filter(source.concerns_all, keys), None)) is not None:
        return f"{key} has changed, which concerns every document"
    return sorted({place for key in keys if (place := source.concerned(key)) is not None})


def _against(wired: Wired, run: Run, base: Pointer | None, *, sound: bool) -> Iterator[str]:
    """What speaks against a look at a few keys, whichever they are."""
    if watched(wired.source) is None:
        yield "the source does not look at single places"
    if base is None:
        yield "nothing is known to be in the index"
    if not sound or (base is not None and is_taken_back(base)):
        yield "documents of the run before have failed"
    if not scope.is_crawled_with(wired.store, wired.settings.connector):
        yield "with these settings it was not crawled before"
    before = (entry for entry in ledger.newest(wired.store) if entry.run != run.run)
    last = next((entry for entry in islice(before, PLANS) if entry.mode != "plan"), None)
    if last is None:
        yield "no run is known before it"
    elif (because := _left_over(wired.store, last)) is not None:
        yield because
    elif wired.expansion is not None and wired.membership is not None and not _same_groups(wired.store, run, last):
        yield f"since run {last.run} somebody has joined or left a group, or its members could not be read"


def _same_groups(store: Store, run: Run, last: Entry) -> bool:
    """Whether groups have the members that they had in the last run: else documents have changed that no key names."""
    now, before = snapshot.progress(store, run.run), snapshot.progress(store, last.run)
    return now is not None and before is not None and bool(now.digest) and now.digest == before.digest


def _left_over(store: Store, last: Entry) -> str | None:
    """What the last run has left to be done, which only a crawl of the whole source finds. Plans do not count."""
    if last.data_source != store.data_source:
        return f"run {last.run} before it was of another data source"
    if last.status != "SUCCEEDED" or last.mode == "rebuild":
        return f"run {last.run} before it has not succeeded, or was a rebuild"
    if last.failed or last.withheld or last.exposed:
        return f"run {last.run} before it has left documents that failed, or that are held back"
    return None


def _looked_at(wired: Wired, run: Run, places: list[str], base: Pointer | None) -> Checkpoint | str:
    """Look at places, and at those of documents whose id a place claims, and find in the manifest what is compared."""
    store = wired.store
    seen, found = Seen(), _Found(wired, run, base)
    listed, left, asked = list[Chunk](), places, 0
    while left:
        asked += len(left)
        if asked > signals.KEYS:
            return f"more than {signals.KEYS:,} keys would have to be looked at"
        for entries in chunks(_entries(wired, left, seen), sorting.CHUNK_LINES):
            listed.append(sorting.write_chunk(store, new_listing_key(run.run, f"{len(listed):05}"), entries))
        left = found.of(left, seen)
    ids = seen.claimed | found.compared
    if others := handed_in.those_of(wired, ids):
        listed.append(sorting.write_chunk(store, new_listing_key(run.run, "inbox"), others))
    with store.writing(run_key(run.run, KEPT_FAILURES)) as kept:
        for failing in quarantine.read(store):
            if failing.id not in ids:
                kept.add(failing)
    return Checkpoint(
        chunks=tuple(listed),
        complete=True,
        collected=True,
        listed=asked,
        documents=len(seen.listed),
        uncertain=frozenset(seen.uncertain),
        looked=Looked(keys=asked, held=tuple(found.chunks), base=base),
    )


def _entries(wired: Wired, places: Iterable[str], seen: Seen) -> Iterator[Listed]:
    """What is listed at places, or why the index or the connector does not take it; notes all that is seen."""
    source = watched(wired.source)
    assert source is not None, "decided before"
    for one in source.look(places):
        entry = one.listed
        if entry is not None:
            entry = checked(wired, entry)
            yield entry
        seen.note(one, entry)


class _Found:
    """What of the manifest is compared: ``chunks`` of its lines, and their ids."""

    def __init__(self, wired: Wired, run: Run, base: Pointer | None) -> None:
        self._store = wired.store
        self._run = run
        self._connector = wired.settings.connector.name
        self._lookup = Lookup(wired.store, base)
        self._asked = set[str]()
        self._accounted = set[str]()
        self.chunks: list[Chunk] = []
        self.compared: set[str] = set()

    def of(self, places: list[str], seen: Seen) -> list[str]:
        """Find what the manifest has of places that were just looked at.

        Returns the places that have to be looked at, too: of documents whose id one of these places claims.
        """
        rivals = set[str]()
        ids = (seen.claimed | {f"{self._connector}/{place}" for place in places}) - self._asked
        self._asked |= ids
        self._keep(self._lookup.of_ids(ids), seen, rivals)
        # A document that is not known by its id may be known by another one: its sidecar has named another before.
        elsewhere = {place for place in places if place in seen.listed or place in seen.gone} - self._accounted
        self._keep(self._lookup.of_places(elsewhere), seen, rivals)
        return sorted(rivals)

    def _keep(self, found: Iterator[bytes], seen: Seen, rivals: set[str]) -> None:
        """Set aside what is compared."""
        first = last = ""
        key = new_listing_key(self._run.run, f"manifest-{len(self.chunks):05}")
        with self._store.writing(key) as stream:
            for line in found:
                one = lines.placed(line)
                if one.origin == "source" and one.locator is not None:
                    self._accounted.add(one.locator)
                    if one.id in seen.claimed and not seen.known(one.locator):
                        rivals.add(one.locator)
                if seen.is_compared(one):
                    first, last = first or one.id, one.id
                    self.compared.add(one.id)
                    stream.add_line(line)
        if stream.count:
            self.chunks.append(Chunk(key, first, last))
