"""The manifest: what the index is known to hold. An immutable stream, and a pointer that moves by compare-and-swap."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec import Struct, structs

from docferry import lines
from docferry.changes import Outcome
from docferry.errors import ManifestInvalid
from docferry.store import MANIFEST, Moved, Record, Store, Written, manifest_key

FORMAT = 1
UPGRADES: dict[int, Callable[[Iterator[bytes]], Iterator[bytes]]] = {}
"""How the lines of an older format become those of the next; the first commit after an update writes them so."""

# A rebuild deletes nothing, so what the old manifest knew of documents that are gone from the source is worth keeping.
CURE = "restore its last version, or put everything again with `docferry rebuild`"


class Pointer(Struct, frozen=True):
    """Which stream is the manifest: its key, how many documents it has, and the digest of the object.

    ``before`` is the key of the manifest before it, which is kept for a person to go back to.
    """

    format: int
    key: str
    documents: int
    sha256: str
    before: str = ""


def pointer(store: Store) -> Record[Pointer] | None:
    """The pointer now, or None before the first commit. Raises ManifestInvalid when it is no pointer of ours."""
    try:
        record = store.read(MANIFEST, Pointer)
    except msgspec.DecodeError as error:
        raise ManifestInvalid(f"{MANIFEST} is not a pointer to a manifest ({error}); {CURE}") from error
    if record is not None and record.value.format not in {FORMAT, *UPGRADES}:
        raise ManifestInvalid(
            f"{MANIFEST} has format {record.value.format}; this version reads formats up to {FORMAT}; {CURE}"
        )
    return record


def documents(store: Store, current: Pointer | None) -> Iterator[bytes]:
    """The lines of a manifest, sorted by id, in the newest format.

    Raises ManifestInvalid when it is not the stream that was committed.
    """
    if current is None:
        return iter(())
    found = _committed(store, current)
    for older in range(current.format, FORMAT):
        found = UPGRADES[older](found)
    return found


def _committed(store: Store, current: Pointer) -> Iterator[bytes]:
    if not store.exists(current.key):
        raise ManifestInvalid(f"{current.key} is missing, which {MANIFEST} points to; {CURE}")
    count = 0
    try:
        for line in store.lines(current.key, current.sha256):
            count += 1
            yield line
    except ValueError as error:
        raise ManifestInvalid(f"the manifest is corrupt: {error}; {CURE}") from error
    if count != current.documents:
        raise ManifestInvalid(f"{current.key} has {count} documents, not {current.documents}; {CURE}")


def write(store: Store, run: str, old: Iterable[bytes], outcomes: Iterable[Outcome]) -> Written:
    """Write the manifest after a run: the old one with the acknowledged changes. Both must be sorted by id."""
    with store.writing(manifest_key(run)) as stream:
        for line in after(old, outcomes):
            stream.add_line(line)
    return stream.written


def after(old: Iterable[bytes], outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """The lines of a manifest with outcomes applied. Pure; both must be sorted by id.

    A doubtful document stays in the manifest without a version, whatever it was: no listing equals such a line, so the
    next run puts the document again, or deletes it when it is gone from the source.
    """
    changes = iter(outcomes)
    outcome = next(changes, None)
    for line in old:
        id_ = lines.line_id(line) if outcome is not None else ""
        while outcome is not None and outcome.id < id_:
            yield from _line_of(outcome, None)
            outcome = next(changes, None)
        if outcome is not None and outcome.id == id_:
            yield from _line_of(outcome, line)
            outcome = next(changes, None)
        else:
            yield line
    while outcome is not None:
        yield from _line_of(outcome, None)
        outcome = next(changes, None)


def _line_of(outcome: Outcome, before: bytes | None) -> Iterator[bytes]:
    if outcome.state == "doubtful":
        yield lines.encode(structs.replace(outcome.document, version=""))
    elif outcome.state == "rejected":
        if before is not None:
            yield before
    elif outcome.kind != "deleted":
        yield lines.encode(outcome.document)


def move(store: Store, before: str | None, written: Written, *, base: Pointer | None = None) -> None:
    """Point to a new manifest, in the place of the pointer with the ETag ``before``, or of none.

    ``base`` is what that pointer says, if anybody can read it: the manifest before it goes, for nothing points there.
    Raises ManifestInvalid when another run has moved the pointer meanwhile.
    """
    moved = Pointer(FORMAT, written.key, written.lines, written.sha256, base.key if base else "")
    try:
        store.swap(MANIFEST, moved, before)
    except Moved as error:
        raise ManifestInvalid(f"{MANIFEST} was moved by another run; nothing was committed") from error
    if base is not None and base.before:
        store.delete(base.before)
