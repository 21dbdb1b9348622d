"""The manifest: what the index is known to hold. An immutable stream, and a pointer that moves by compare-and-swap."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, structs

from docferry.errors import ManifestInvalid, StateInvalid
from docferry.model import Outcome
from docferry.state import lines
from docferry.state.keys import MANIFEST
from docferry.state.store import Moved, Record, Store
from docferry.state.stream import Missing, Written

FORMAT = 1
UPGRADES: dict[int, Callable[[Iterator[bytes]], Iterator[bytes]]] = {}
"""How the lines of an older format become those of the next; the first commit after an update writes them so."""

# A rebuild deletes nothing, so what the old manifest knew of documents that are gone from the source is worth keeping.
CURE = "restore its last version, or put everything again with `docferry rebuild`"


class Pointer(Struct, frozen=True):
    """Which stream is the manifest: its key, how many documents it has, and the digest of the object.

    ``before`` is the key of the manifest before it, which is kept for a person to go back to. ``generation`` grows by
    one with each move.
    """

    format: int
    key: str
    documents: int
    sha256: str
    before: str = ""
    generation: int = 0


def pointer(store: Store) -> Record[Pointer] | None:
    """The pointer now, or None before the first commit. Raises ManifestInvalid when it is no pointer of ours."""
    key = store.held(MANIFEST)
    try:
        record = store.read(key, Pointer)
    except StateInvalid as error:
        raise ManifestInvalid(f"{key} is not a pointer to a manifest ({error.__cause__}); {CURE}") from error
    if record is not None and record.value.format not in {FORMAT, *UPGRADES}:
        raise ManifestInvalid(
            f"{key} has format {record.value.format}; this version reads formats up to {FORMAT}; {CURE}"
        )
    return record


def check_last(store: Store, current: Pointer | None, committed: Pointer | None) -> None:
    """Check that the manifest is not older than the one that was ``committed`` last. Raises ManifestInvalid.

    An older manifest says "unchanged" of documents that the index holds otherwise, or no longer. A manifest that is
    newer than the last one that was recorded is that of a run that died before it could record it.
    """
    if committed is None or current == committed or (current and current.generation > committed.generation):
        return
    key = store.held(MANIFEST)
    what = f"{key} is gone" if current is None else f"{key} names an older manifest, {current.key}"
    raise ManifestInvalid(f"{what}; the last one that a run has committed is {committed.key}; {CURE}")


def newest_readable(store: Store, committed: Pointer | None) -> Pointer | None:
    """The newest manifest that can be read to its end, of the one now and the one ``committed`` last; or None."""
    try:
        current = pointer(store)
    except ManifestInvalid:
        current = None
    candidates = [candidate for candidate in (current.value if current else None, committed) if candidate is not None]
    for candidate in sorted(candidates, key=lambda one: one.generation, reverse=True):
        try:
            for _ in documents(store, candidate):
                pass
        except ManifestInvalid:
            continue
        return candidate
    return None


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
    count = 0
    try:
        for line in store.lines(current.key, current.sha256):
            count += 1
            yield line
    except Missing as error:
        raise ManifestInvalid(f"{current.key} is missing, which {store.held(MANIFEST)} points to; {CURE}") from error
    except ValueError as error:
        raise ManifestInvalid(f"the manifest is corrupt: {error}; {CURE}") from error
    if count != current.documents:
        raise ManifestInvalid(f"{current.key} has {count} documents, not {current.documents}; {CURE}")


def write(store: Store, name: str, old: Iterable[bytes], outcomes: Iterable[Outcome]) -> Written:
    """Write the manifest ``name``, after a run: the old one with the acknowledged changes. Both are sorted by id."""
    with store.writing(store.manifest_key(name)) as stream:
        for line in after(old, outcomes):
            stream.add_line(line)
    return stream.written


def after(old: Iterable[bytes], outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """The lines of a manifest with outcomes applied. Pure; both must be sorted by id.

    A doubtful document stays in the manifest without a version. No listing equals such a line, so the next run puts the
    document again, or deletes it when it is gone from the source.
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


def move(
    store: Store, before: str | None, written: Written, *, base: Pointer | None = None, generation: int = 0
) -> Pointer:
    """Move the pointer to a new manifest, and return it.

    ``before`` is the ETag of the pointer it replaces; None means that there is none yet. ``base`` is what that pointer
    says, if anybody can read it: the manifest before it is deleted, for nothing points there. ``generation`` is the
    highest that was recorded. Raises ManifestInvalid when another run has moved the pointer meanwhile.
    """
    following = max(generation, base.generation if base else 0) + 1
    moved = Pointer(FORMAT, written.key, written.lines, written.sha256, base.key if base else "", following)
    key = store.held(MANIFEST)
    try:
        store.swap(key, moved, before)
    except Moved as error:
        raise ManifestInvalid(f"{key} was moved by another run; nothing was committed") from error
    if base is not None and base.before:
        store.delete(base.before)
    return moved
