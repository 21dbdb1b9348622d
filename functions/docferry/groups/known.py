"""What the index is known to hold of each group: an immutable stream, and a pointer that moves by compare-and-swap."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from msgspec import DecodeError, Struct

from docferry.errors import Conflict, StateInvalid
from docferry.state import lines
from docferry.state.keys import GROUPS, KNOWN_GROUPS
from docferry.state.objects import Moved, Record
from docferry.state.store import Store
from docferry.state.stream import Missing

FORMAT = 1
CURE = "restore its last version, or put everything again with `docferry rebuild`"


class Known(Struct, frozen=True, omit_defaults=True):
    """A group in the index. ``id`` is its name; its JSON encoding is its line.

    ``doubtful``: it may have these members, some of them, or not be there at all; it is put again, or deleted.
    ``refused`` is the run in which the service did not take it.
    """

    id: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    doubtful: bool = False
    refused: str = ""


class Pointer(Struct, frozen=True):
    """Which stream says what the index holds: its key, the number of its groups, and the digest of the object.

    ``ordering`` is the number that the last calls of the service carried. It only grows. ``before`` is the key of the
    stream before it, which is kept: another attempt may be reading it.
    """

    format: int
    key: str
    groups: int
    sha256: str
    ordering: int
    before: str = ""


def read(store: Store) -> Record[Pointer] | None:
    """The pointer now, or None before the first group was sent. Raises StateInvalid."""
    key = store.held(KNOWN_GROUPS)
    record = store.read(key, Pointer)
    if record is not None and record.value.format != FORMAT:
        raise StateInvalid(f"{key} has format {record.value.format}; this version reads format {FORMAT}; {CURE}")
    return record


def groups(store: Store, pointer: Pointer | None) -> Iterator[Known]:
    """The groups that the index is known to hold, sorted by name. Raises StateInvalid when they cannot be read."""
    if pointer is None:
        return
    try:
        for line in store.lines(pointer.key, pointer.sha256):
            yield lines.decode(line, Known)
    except Missing as error:
        raise StateInvalid(f"{pointer.key} is missing, which {store.held(KNOWN_GROUPS)} points to; {CURE}") from error
    except (ValueError, DecodeError) as error:
        raise StateInvalid(f"what is known of groups is corrupt: {error}; {CURE}") from error


def next_ordering(pointer: Pointer | None) -> int:
    """A number above every earlier one, also above those that the service makes itself: milliseconds of the epoch."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    return max(now, pointer.ordering + 1 if pointer else 0)


def move(
    store: Store, name: str, before: Record[Pointer] | None, etag: str | None, now: Iterable[Known], ordering: int
) -> Record[Pointer]:
    """Write what is known now as ``name``, move the pointer to it, and return the pointer.

    ``etag`` is that of the pointer it replaces, None where there is none. Raises Conflict when another invocation has
    moved the pointer since.
    """
    with store.writing(store.held(f"{GROUPS}{name}.jsonl.zst")) as stream:
        for group in now:
            stream.add(group)
    written = stream.written
    key = store.held(KNOWN_GROUPS)
    old = before.value if before is not None else None
    pointer = Pointer(FORMAT, written.key, written.lines, written.sha256, ordering, old.key if old else "")
    try:
        store.swap(key, pointer, etag)
    except Moved as error:
        raise Conflict(f"{key} was moved by another run, or by another attempt of this one") from error
    if old is not None and old.before:
        store.delete(old.before)
    found = store.read(key, Pointer)
    if found is None or found.value != pointer:
        raise Conflict(f"{key} was moved by another run, or by another attempt of this one")
    return found
