"""The manifest: what the index is known to hold. An immutable stream in parts, and a pointer to it.

The pointer moves by compare-and-swap.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct, structs

from docferry.errors import ManifestInvalid, StateInvalid
from docferry.model import Outcome
from docferry.state import blocks, lines
from docferry.state.ahead import behind
from docferry.state.keys import MANIFEST, MANIFESTS
from docferry.state.objects import Moved, Record
from docferry.state.parts import PARTS_AHEAD, Part
from docferry.state.store import Store
from docferry.state.stream import Missing, Written

FORMAT = 2
UPGRADES: dict[int, Callable[[Iterator[bytes]], Iterator[bytes]]] = {1: lambda old: old}
"""How the lines of an older format become those of the next; the first commit after an update writes them so.

Format 1 has the same lines, in one object and not in parts.
"""

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


def documents(store: Store, current: Pointer | None, *, after: str = "") -> Iterator[bytes]:
    """The lines of a manifest, sorted by id, in the newest format; or those whose id comes ``after`` another one.

    Raises ManifestInvalid when it is not the stream that was committed.
    """
    return blocks.split(in_blocks(store, current, after=after))


def in_blocks(store: Store, current: Pointer | None, *, after: str = "") -> Iterator[bytes]:
    """As ``documents``, in blocks."""
    if current is None:
        return iter(())
    found = _committed(store, current, after)
    for older in range(current.format, FORMAT):
        found = UPGRADES[older](blocks.split(found))
    return found


def own_ids(store: Store, current: Pointer | None, connector: str, *, after: str = "") -> Iterator[bytes]:
    """The parts of the manifest in which an id can be one that its place does not tell, in blocks.

    Such parts are counted when they are written; usually there are none. Raises ManifestInvalid.
    """
    found = parts(store, current) if current is None or current.format == FORMAT else None
    if found is None:
        yield from in_blocks(store, current, after=after)
        return
    begin = f"{connector}/"
    told = (part.own_ids == 0 and part.first.startswith(begin) and part.last.startswith(begin) for part in found)
    with _explained(store):
        yield from store.blocks_of(
            [part for part, all_told in zip(found, told, strict=True) if not all_told], after=after
        )


def parts(store: Store, current: Pointer | None) -> tuple[Part, ...] | None:
    """The parts of a manifest. None when it is one object, as up to format 1. Raises ManifestInvalid."""
    if current is None:
        return ()
    with _explained(store):
        return store.parts(current.key, current.sha256)


def lines_of(store: Store, parts: Iterable[Part], *, after: str = "") -> Iterator[bytes]:
    """The lines of some parts of a manifest, or those whose id comes ``after`` another one. Raises ManifestInvalid."""
    with _explained(store):
        yield from store.lines_of(parts, after=after)


def _committed(store: Store, current: Pointer, after: str) -> Iterator[bytes]:
    count = 0
    with _explained(store):
        for block in store.blocks(current.key, current.sha256, after=after):
            count += blocks.count(block)
            yield block
    if count != current.documents and not after:
        raise ManifestInvalid(f"{current.key} has {count} documents, not {current.documents}; {CURE}")


@contextmanager
def _explained(store: Store) -> Iterator[None]:
    """Raise ManifestInvalid for what is missing or another object than was committed."""
    try:
        yield
    except Missing as error:
        raise ManifestInvalid(f"{error} is missing, which {store.held(MANIFEST)} leads to; {CURE}") from error
    except ValueError as error:
        raise ManifestInvalid(f"the manifest is corrupt: {error}; {CURE}") from error


def split(store: Store, name: str, current: Pointer) -> tuple[Part, ...]:
    """Write a manifest that is one object in parts, as a manifest of this ``name``. Raises ManifestInvalid."""
    with behind(PARTS_AHEAD) as sending:
        writer = store.part_writer(prefix(store, name), behind=sending)
        for line in documents(store, current):
            writer.add_line(line)
        writer.end_part()
    return tuple(writer.parts)


def write_list(store: Store, name: str, parts: Sequence[Part]) -> Written:
    """Write which parts are the manifest ``name``. The digest in its key keeps another one from taking its place."""
    digest = hashlib.sha256(lines.encode(parts)).hexdigest()
    return store.write_parts(f"{prefix(store, name)}{digest[:16]}.json", parts)


def is_of(store: Store, current: Pointer | None, name: str) -> bool:
    """Whether a manifest is the one that was written as ``name``."""
    return current is not None and current.key.startswith((prefix(store, name), f"{prefix(store, name)[:-1]}."))


def prefix(store: Store, name: str) -> str:
    """Where the parts of a manifest stand, and their list. Formats up to 1 had one object, with a suffix."""
    return store.held(f"{MANIFESTS}{name}/")


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
    says, if anybody can read it: the manifest before it is deleted ``generation`` is the
    highest that was recorded. Raises ManifestInvalid when another run has moved the pointer meanwhile.
    """
    following = max(generation, base.generation if base else 0) + 1
    moved = Pointer(FORMAT, written.key, written.lines, written.sha256, base.key if base else "", following)
    key = store.held(MANIFEST)
    try:
        store.swap(key, moved, before)
    except Moved as error:
        raise ManifestInvalid(f"{key} was moved by another run; nothing was committed") from error
    if base is not None:
        sweep(store, moved, base)
    return moved


def sweep(store: Store, moved: Pointer, base: Pointer) -> None:
    """Remove what only the manifest before ``base`` needed, and what commits that died have left beside the new one.

    ``moved`` is the manifest now, and came after ``base``. Nothing else is touched: another run may be writing. May be
    repeated.
    """
    needed = {key for pointer in (moved, base) for key in _objects(store, pointer.key)}
    own = moved.key.rpartition("/")[0] + "/"
    found = {*_objects(store, base.before), *store.keys(own)} - needed
    store.delete_all(sorted(found))


def _objects(store: Store, key: str) -> set[str]:
    """The objects that a manifest is made of; none when it is gone."""
    if not key:
        return set()
    try:
        return {key, *(part.key for part in store.parts(key) or ())}
    except Missing:
        return set()
