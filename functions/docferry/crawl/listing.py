"""The listing of one crawl, as change detection reads it: sorted by id, at most one document an id."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from docferry.changes import access
from docferry.connector import Policy
from docferry.groups.expansion import Expansion
from docferry.indexes import Index, limits
from docferry.model import Document, Listed, Skipped
from docferry.state import lines, sorting
from docferry.state.sorting import Chunk
from docferry.state.store import Store


def admitted(entry: Listed, index: Index, policy: Policy | None, expansion: Expansion | None = None) -> Listed:
    """A listed document, or why it is skipped where the index or the connector would refuse it.

    ``expansion`` knows the groups for an index that does not.
    """
    fitting = access.fitting(access.required(entry, policy), index.unprotected)
    if isinstance(fitting, Document) and (reason := limits.reason_to_skip(fitting, index.limits)):
        bare = None if fitting.access_control else fitting.locator
        return Skipped(fitting.id, reason, bare=bare, access_control=fitting.access_control, place=fitting.locator)
    return expansion.of(fitting) if expansion is not None else fitting


def in_blocks(store: Store, chunks: Sequence[Chunk], *, after: str = "") -> Iterator[bytes]:
    """The listing in sorted chunks, or what comes ``after`` an id, in blocks (state/blocks.py), each document id once.

    Chunks of a source that lists in order need no look at their ids.
    """
    if sorting.distinct(chunks):
        return sorting.merge_blocks(store, chunks, after=after)
    return unique(sorting.merge(store, chunks, after=after))


def unique(listing: Iterable[bytes]) -> Iterator[bytes]:
    """Keep one document per id, the source's before the inbox's. Report the others as skipped."""
    for id_, group in groupby(listing, key=lines.line_id):
        same = list(group)
        yield from same if len(same) == 1 else _only_one(id_, same)


def _only_one(id_: str, group: list[bytes]) -> Iterator[bytes]:
    documents = [lines.decode(line, Document) for line in group if lines.is_document(line)]
    skipped = [lines.decode(line, Skipped) for line in group if not lines.is_document(line)]
    # An id that the source lists is the source's, also where it is skipped; the inbox has one entry an id.
    of_source = [one for one in documents if one.origin == "source"]
    entries: list[Listed] = [*documents, *skipped]
    is_of_source = any(one.origin == "source" for one in entries)
    taken = next(iter(of_source if is_of_source else documents), None)
    # Detection takes the first line of an id for what is held: what is taken, or else what the source skips, which may
    # say that fewer people may see it. What is refused besides says nothing of that.
    if taken is not None:
        yield lines.encode(taken)
    yield from (lines.encode(one) for one in skipped if one.origin == "source" or not is_of_source)
    for refused in documents:
        if refused is not taken:
            other = f"{_place(taken)}, which is indexed under it" if taken else "one of the source that is skipped"
            yield lines.encode(Skipped(id_, f"{_place(refused)} has the same document id as {other}"))
    yield from (lines.encode(Skipped(id_, one.skipped)) for one in skipped if one.origin != "source" and is_of_source)


def _place(document: Document) -> str:
    return document.locator if document.origin == "source" else "the document in the inbox"
