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
        return Skipped(fitting.id, reason)
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
    documents.sort(key=lambda document: document.origin != "source")
    skipped = [line for line in group if not lines.is_document(line)]
    # The inbox has one entry an id: what is skipped beside its document is the source's, and the id with it.
    taken = None if skipped and documents[:1] and documents[0].origin == "inbox" else next(iter(documents), None)
    # The document comes before what is skipped: detection takes the first line of an id for what the source holds.
    if taken is not None:
        yield lines.encode(taken)
    for refused in documents[taken is not None :]:
        other = f"{_place(taken)}, which is indexed under it" if taken else "one of the source that is skipped"
        yield lines.encode(Skipped(id_, f"{_place(refused)} has the same document id as {other}"))
    yield from skipped


def _place(document: Document) -> str:
    return document.locator if document.origin == "source" else "the document in the inbox"
