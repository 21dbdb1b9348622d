"""The inbox: documents that other crawlers hand in, as change sets dropped under ``inbox/`` of the state bucket.

What was handed in so far is *collected*: a listing sorted by id (``collected/``), with the contents beside it. A crawl
takes new change sets into it, in the order of their upload, and lists it after the source. So a document of the inbox
is compared, guarded, retried and deleted as one of the source is.

A change set is taken whole or not at all. It leaves the inbox after the pointer to the listing that has it was written;
a crash between the two leaves a note in the pointer, and the next crawl removes it without taking it again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec import Struct, structs

from docferry.crawl import change_set_lines
from docferry.crawl.change_set_lines import Edit
from docferry.errors import ChangeSetInvalid, DocumentVanished, LeaseLost, ManifestInvalid, StateInvalid
from docferry.model import Document, Listed, Opened, Skipped
from docferry.state import lines, sorting
from docferry.state.keys import COLLECTED, INBOX, collected_key, content_key
from docferry.state.lines import is_document
from docferry.state.objects import Moved, Object, Record
from docferry.state.sorting import Chunk
from docferry.state.store import Store

SUFFIX = ".jsonl"
MAX_BYTES = 250_000_000
"""Half of the disk that Lambda gives a function: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
# Change sets are taken together as long as they are so few, with so few lines: each time the whole listing is written
# anew, but 10,000 contents are minutes of work, which a crash repeats.
TOGETHER = change_set_lines.MAX_LINES
SETS = 1_000

Entries = dict[str, Listed | None]
"""What is to be listed under an id; None: nothing."""


class Collected(Struct, frozen=True, kw_only=True):
    """What was handed in so far (``collected/current.json``).

    ``taken`` are change sets in it that may still be in the inbox. ``garbage`` are keys of objects that it does not
    need any more.
    """

    listing: Chunk | None = None
    documents: int = 0
    taken: tuple[Object, ...] = ()
    garbage: tuple[str, ...] = ()


class _Batch(Struct):
    """Change sets that are taken together: their edits, which they are, and contents that only they knew."""

    entries: Entries = {}
    taken: list[Object] = []
    garbage: list[str] = []


class Inbox(Struct, frozen=True, kw_only=True):
    """What there is to be listed: the listing, the number of its lines, and the change sets that cannot be taken.

    ``more`` says that time ran short: there are change sets left to be taken, uploaded ``until`` then.
    """

    listing: Chunk | None
    documents: int
    refused: tuple[Skipped, ...]
    until: datetime | None = None
    more: bool = False


def collect(
    store: Store,
    *,
    connector: str,
    until: datetime | None,
    in_time: Callable[[], bool],
) -> Inbox:
    """Take the change sets that are in the inbox, as long as it is ``in_time``; say what is to be listed.

    ``until`` is what an invocation before this one has said: what was uploaded later is the next run's, or steady
    uploads would keep this one from its end. Whether the index can take a document is not asked: each listing asks that
    anew. Raises ManifestInvalid when what was collected before is lost, and LeaseLost when another run takes change
    sets, too.
    """
    current = sweep(store, pointer(store))
    arrived = sorted(_arrived(store, until), key=_order)
    until = until or max((one.modified for one in arrived), default=None)
    refused: list[Skipped] = []
    left = deque(arrived)
    while left and in_time():
        batch = _next_batch(store, connector, left, refused, in_time)
        if batch.taken:
            current = sweep(store, _write_listing(store, current, batch))
    return Inbox(
        listing=current.value.listing,
        documents=current.value.documents,
        refused=tuple(refused),
        until=until,
        more=bool(left),
    )


def content(store: Store, document: Document) -> Opened:
    """The content of a document of the inbox. Raises DocumentVanished."""
    found = store.content(document.locator)
    if found is None:
        raise DocumentVanished(f"its content {document.locator} is gone; hand the document in again")
    return Opened(found, document.version)


def pointer(store: Store) -> Record[Collected]:
    """What was collected so far. Raises ManifestInvalid when it is not there any more, or not ours."""
    try:
        record = store.read(COLLECTED, Collected)
    except StateInvalid as error:
        raise ManifestInvalid(str(error)) from error
    if record is None:
        return Record(Collected(), "")
    if record.value.listing and not store.exists(record.value.listing.key):
        raise ManifestInvalid(f"{record.value.listing.key} is missing, which {COLLECTED} points to; restore it")
    return record


def handed_in(store: Store, id_: str) -> Listed | None:
    """What was handed in under an id, and is not deleted since. Raises ManifestInvalid."""
    return next(iter(those_of(store, {id_})), None)


def those_of(store: Store, ids: AbstractSet[str]) -> list[Listed]:
    """What was handed in under some ids, and is not deleted since. Raises ManifestInvalid."""
    chunk = pointer(store).value.listing
    if chunk is None or not any(chunk.first <= id_ <= chunk.last for id_ in ids):
        return []
    found = (line for line in store.lines(chunk.key) if lines.line_id(line) in ids)
    return list(map(entry, found))


def entry(line: bytes) -> Listed:
    """What a line of the listing says."""
    return lines.decode(line, Document) if is_document(line) else lines.decode(line, Skipped)


def sweep(store: Store, current: Record[Collected]) -> Record[Collected]:
    """Remove what was taken from the inbox, and what is not needed any more. May be repeated."""
    value = current.value
    if not value.taken and not value.garbage:
        return current
    for taken in value.taken:
        store.delete_as_read(taken)
    store.delete_all(value.garbage)
    return _moved(store, current, structs.replace(value, taken=(), garbage=()))


def _arrived(store: Store, until: datetime | None) -> Iterator[Object]:
    """The objects in the inbox, without the empty ones that consoles show as folders."""
    for found in store.objects(INBOX):
        if not found.key.endswith("/") and (until is None or found.modified <= until):
            yield found


def _order(arrived: Object) -> tuple[object, str]:
    """By time of upload, which S3 tells in whole seconds, then by name."""
    return arrived.modified, arrived.key


def _next_batch(
    store: Store,
    connector: str,
    left: deque[Object],
    refused: list[Skipped],
    in_time: Callable[[], bool],
) -> _Batch:
    """The edits of the next change sets, later ones over earlier ones; what is broken is refused."""
    batch = _Batch()
    lines_taken = 0
    while left and lines_taken < TOGETHER and len(batch.taken) < SETS and (in_time() or not batch.taken):
        one = left.popleft()
        try:
            entries = _read_change_set(store, connector, one)
        except ChangeSetInvalid as error:
            refused.append(Skipped(f"{connector}/{one.key}", f"{error}; nothing of it was taken"))
            continue
        except Moved:
            continue  # another object is under its key by now, which a later run lists
        lines_taken += len(entries)
        before = (batch.entries.get(id_) for id_ in entries)
        batch.garbage += (entry.locator for entry in before if isinstance(entry, Document))
        batch.entries |= entries
        batch.taken.append(one)
    return batch


def _read_change_set(store: Store, connector: str, arrived: Object) -> Entries:
    """Read a change set, and, when all of it is sound, put the contents where they stay."""
    if not arrived.key.endswith(SUFFIX):
        raise ChangeSetInvalid(f"is not a change set: the name of one ends in {SUFFIX}")
    if arrived.size > MAX_BYTES:
        raise ChangeSetInvalid(f"is larger than {MAX_BYTES:,} bytes; hand it in as several change sets")
    with store.fetched(arrived) as file:

        def read() -> Iterator[Edit]:
            file.seek(0)
            return change_set_lines.read(file, connector=connector, uploaded=arrived.modified)

        entries = {edit.id: edit.entry for edit in read()}
        for edit in read():
            held = entries[edit.id]
            if isinstance(held, Document) and held.locator == "" and isinstance(edit.entry, Document):
                if edit.entry.version != held.version:
                    continue  # a later line has other content
                held = entries[edit.id] = structs.replace(held, locator=content_key(edit.id))
                store.put_content(held.locator, edit.content)
    return entries


def _write_listing(store: Store, current: Record[Collected], batch: _Batch) -> Record[Collected]:
    """Write the listing with the edits in it, and move the pointer to it."""
    before = current.value.listing
    parts = store.parts(before.key) if before else ()
    garbage = [*batch.garbage, *(part.key for part in parts or ()), *([before.key] if before else [])]
    old = store.lines(before.key) if before else iter(())
    key = collected_key()
    writer = store.part_writer(f"{key.removesuffix(sorting.SUFFIX)}/")
    first, last, count = "", "", 0
    for count, (last, line) in enumerate(_merged(old, batch.entries, garbage), 1):  # noqa: B007  # read after the loop
        first = first or last
        writer.add_line(line)
    if count:
        writer.end(key)
    value = Collected(
        listing=Chunk(key, first, last, count, distinct=True) if count else None,
        documents=count,
        taken=tuple(batch.taken),
        garbage=tuple(garbage),
    )
    return _moved(store, current, value)


def _merged(old: Iterable[bytes], entries: Entries, garbage: list[str]) -> Iterator[tuple[str, bytes]]:
    """The lines after the edits, with their ids; adds to the garbage the contents that are not needed any more."""
    ids = deque(sorted(entries))
    for line in old:
        id_ = lines.line_id(line)
        while ids and ids[0] < id_:
            yield from _line(entries, ids.popleft())
        if not ids or ids[0] != id_:
            yield id_, line
            continue
        entry = entries[ids[0]]
        if is_document(line):
            before = lines.decode(line, Document)
            if isinstance(entry, Document) and entry.version == before.version:
                # The same content once more: under its old key, or the document would count as modified.
                garbage.append(entry.locator)
                entries[id_] = structs.replace(entry, locator=before.locator)
            else:
                garbage.append(before.locator)
        yield from _line(entries, ids.popleft())
    while ids:
        yield from _line(entries, ids.popleft())


def _line(entries: Entries, id_: str) -> Iterator[tuple[str, bytes]]:
    entry = entries[id_]
    if entry is not None:
        yield id_, lines.encode(entry)


def _moved(store: Store, current: Record[Collected], value: Collected) -> Record[Collected]:
    try:
        store.swap(COLLECTED, value, current.etag or None)
    except Moved as error:
        raise LeaseLost(f"{COLLECTED} was moved by another run; this one takes nothing more") from error
    return pointer(store)
