"""Drift: what the manifest says that the index holds, against what the index itself says."""

import heapq
from collections.abc import Iterable, Iterator
from operator import itemgetter

from msgspec import structs

from docferry.indexes import DocumentStatus, Index
from docferry.model import Document
from docferry.state import lines
from docferry.state.chunks import chunks

HELD = frozenset({"INDEXED", "PROCESSING"})


def mark_doubtful(manifest: Iterable[bytes]) -> Iterator[bytes]:
    """The manifest with every document doubtful: all that is in the source is put again, the rest deleted."""
    return map(_doubtful, manifest)


def asked(index: Index, manifest: Iterable[bytes]) -> Iterator[bytes]:
    """Correct the manifest by what an index reports that answers by id. Documents that it lacks become doubtful.

    Each call asks about the next lines of the manifest; such a service cannot name documents that it has beside them.
    """
    for some in chunks(manifest, index.limits.statuses):
        said = index.statuses(None, map(lines.line_id, some))
        held = {status.id for status in said if status.status in HELD}
        yield from (line if lines.line_id(line) in held else _doubtful(line) for line in some)


def compared(manifest: Iterable[bytes], statuses: Iterable[bytes], namespace: str) -> Iterator[bytes]:
    """Correct the manifest by all that the index reports of its data source. Both are lines sorted by id. Pure.

    Documents that the index lacks, and documents that it has and the manifest does not know, become doubtful. Those in
    the connector's ``namespace`` are its own, left by a run without an account.
    """
    said = ((lines.line_id(line), 1, line) for line in statuses)
    known = ((lines.line_id(line), 0, line) for line in manifest)
    held: bytes | None = None
    held_id = ""
    for id_, is_status, line in heapq.merge(known, said, key=itemgetter(0, 1)):
        if not is_status:
            if held is not None:
                yield _doubtful(held)
            held, held_id = line, id_
            continue
        status = lines.decode(line, DocumentStatus)
        if held is not None and held_id == id_:
            yield held if status.status in HELD else _doubtful(held)
            held = None
        elif status.status in HELD and id_.startswith(f"{namespace}/") and id_ != held_id:
            if held is not None:
                yield _doubtful(held)
                held = None
            held_id = id_  # a list that is read page by page may show it twice
            yield lines.encode(orphan(id_))
    if held is not None:
        yield _doubtful(held)


def orphan(id_: str) -> Document:
    """A document of which nothing is known but that the index holds it."""
    return Document(id_, version="", size=0, locator="", content_type="PLAIN_TEXT")


def _doubtful(line: bytes) -> bytes:
    return lines.encode(structs.replace(lines.decode(line, Document), version=""))
