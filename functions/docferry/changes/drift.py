"""Drift: what the manifest says that the index holds, against what the index itself says."""

import heapq
from collections.abc import Iterable, Iterator
from operator import itemgetter

from msgspec import structs

from docferry.indexes import DocumentStatus, Index
from docferry.model import Document
from docferry.state import lines, sorting
from docferry.state.chunks import chunks
from docferry.state.keys import statuses_key
from docferry.state.store import Store

HELD = frozenset({"INDEXED", "PROCESSING"})


def mark_doubtful(manifest: Iterable[bytes]) -> Iterator[bytes]:
    """The manifest with every document doubtful: all that is in the source is put again, the rest deleted."""
    for line in manifest:
        yield lines.encode(structs.replace(lines.decode(line, Document), version=""))


def reconcile(
    store: Store, run: str, index: Index, namespace: str, manifest: Iterable[bytes], ids: Iterable[str]
) -> Iterator[bytes]:
    """Correct the manifest by what the index reports.

    Documents that the index lacks, and documents that it has and the manifest does not know, become doubtful.

    ``ids`` are those of the manifest, to ask about. A service that lists the whole data source also names documents
    that the manifest does not have; those in the connector's ``namespace`` are its own, left by a run that nobody
    accounted for. A service that answers by id, as Kendra does, cannot name them.
    """
    found = [
        sorting.write_chunk(store, statuses_key(run, f"drift-{number:05}"), chunk)
        for number, chunk in enumerate(chunks(index.statuses(None, ids, strays=True), sorting.CHUNK_LINES))
    ]
    said = ((lines.line_id(line), 1, line) for line in sorting.merge(store, found))
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
            yield lines.encode(orphan(id_))
    if held is not None:
        yield _doubtful(held)


def orphan(id_: str) -> Document:
    """A document of which nothing is known but that the index holds it."""
    return Document(id_, version="", size=0, locator="", content_type="PLAIN_TEXT")


def _doubtful(line: bytes) -> bytes:
    return lines.encode(structs.replace(lines.decode(line, Document), version=""))
