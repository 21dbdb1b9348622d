"""The listing of one crawl, as change detection reads it: sorted by id, at most one document an id."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from docferry import lines
from docferry.model import Document, Skipped


def unique(listing: Iterable[bytes]) -> Iterator[bytes]:
    """Of documents with one id the first in order stays; the others become skipped, with the reason."""
    for id_, group in groupby(listing, key=lines.line_id):
        same = list(group)
        yield from same if len(same) == 1 else _only_one(id_, same)


def _only_one(id_: str, group: list[bytes]) -> Iterator[bytes]:
    documents = [line for line in group if is_document(line)]
    yield from documents[:1]
    for line in documents[1:]:
        taken, refused = lines.decode(documents[0], Document), lines.decode(line, Document)
        reason = f"{refused.locator} has the same document id as {taken.locator}, which is indexed under it"
        yield lines.encode(Skipped(id_, reason))
    yield from (line for line in group if not is_document(line))


def is_document(line: bytes) -> bool:
    """Whether a line of a listing is a document: the other lines say why something was skipped."""
    return lines.probe(line).skipped is None
