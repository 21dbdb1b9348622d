"""Stages that find documents which have lost an id of their own with their access control (changes/access.py).

Usually the first ends it: no part of the manifest has a document with an id of its own. Else both sides are sorted by
place, and joined.
"""

from collections.abc import Iterator

from msgspec import Struct, structs

from docferry.changes import access
from docferry.changes.access import Placed, Renamed
from docferry.state import lines, sorting
from docferry.state.merge import Ascending
from docferry.state.sorting import Chunk, Chunks
from docferry.state.windows import Steps, split
from docferry.workflow.comparison import inputs
from docferry.workflow.comparison.progress import Progress, Work


class Named(Struct, frozen=True):
    """A document, by its id."""

    id: str


def secret(work: Work, progress: Progress) -> Iterator[Progress]:
    """Note the place of each document that has access control under an id of its own."""
    if work.wired.settings.connector.access == "public":
        yield structs.replace(progress, stage="sort")
        return
    steps = Steps(inputs.own_ids(work, progress.after), ())
    found = _chunks(work, "secret", progress.secret)
    while True:
        for window in steps.step():
            for placed in access.secret(window.left, work.wired.settings.connector.name):
                found.add(placed)
        found.end()
        progress = structs.replace(progress, secret=tuple(found.written), after=steps.after)
        if not steps.left:
            break
        yield progress
    yield structs.replace(progress, stage="bare" if found.written else "sort", after="")


def bare(work: Work, progress: Progress) -> Iterator[Progress]:
    """Note the place of each new document without access control."""
    after = progress.after
    steps = Steps(inputs.known(work, after), inputs.listed(work, after))
    found, approved = _chunks(work, "bare", progress.bare), work.approved(after)
    while True:
        for window in steps.step():
            for placed in access.bare(split(window.left), split(window.right), approved):
                found.add(placed)
        found.end()
        progress = structs.replace(progress, bare=tuple(found.written), after=steps.after)
        if not steps.left:
            break
        yield progress
    yield structs.replace(progress, stage="gather" if found.written else "sort", after="")


def rename(work: Work, progress: Progress) -> Iterator[Progress]:
    """Join both by place: note the ids that the documents were indexed under, and those they are listed under."""
    before, now = (sorting.merge(work.store, side, after=progress.after) for side in (progress.secret, progress.bare))
    steps = Steps(before, now)
    kept, listed = _chunks(work, "kept", progress.kept), _chunks(work, "listed", progress.listed)
    while True:
        for window in steps.step():
            sides = ([lines.decode(line, Placed) for line in split(side)] for side in (window.left, window.right))
            for ids, noted in zip(access.renamed(*sides), (kept, listed), strict=True):
                for id_ in ids:
                    noted.add(Named(id_))
        kept.end()
        listed.end()
        progress = structs.replace(progress, kept=tuple(kept.written), listed=tuple(listed.written), after=steps.after)
        if not steps.left:
            break
        yield progress
    yield structs.replace(progress, stage="settle", after="")


def found(work: Work, progress: Progress, after: str) -> Renamed:
    """What these stages have found, of documents whose ids come after another one."""
    kept, listed = (
        Ascending(map(lines.line_id, sorting.merge(work.store, chunks, after=after)))
        for chunks in (progress.kept, progress.listed)
    )
    return Renamed(kept, listed)


def _chunks(work: Work, name: str, before: tuple[Chunk, ...]) -> Chunks:
    return Chunks(work.store, lambda number: work.key(f"{name}-{number:05}"), before)
