"""Content that a listing has carried: put aside on S3 while the source is listed, and read from there by the shards.

The contents of a page are one object, sorted by document id. A shard holds documents that follow each other by id, so
what it needs of such an object lies side by side, and is read with few calls.
"""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct, structs

from docferry.errors import DocumentUnreadable
from docferry.model import Document, Opened
from docferry.state import lines
from docferry.state.ahead import Behind
from docferry.state.keys import carried_key, contents_key
from docferry.state.store import Store

BUFFERED_BYTES = 32_000_000
"""How much of the contents of a shard is held in memory at most, beside the one that is being sent."""


class Span(Struct, frozen=True):
    """Where the content of a document is. ``line`` is the digest of it as the source listed it: ids may come twice."""

    id: str
    line: str
    key: str
    offset: int
    size: int


def put_aside(store: Store, run: str, contents: Iterable[tuple[Document, bytes]]) -> list[Span]:
    """Write contents to one object; return where each of them is."""
    key, spans, offset = carried_key(run), [], 0
    ordered = sorted(contents, key=lambda one: one[0].id)
    for document, content in ordered:
        spans.append(Span(document.id, _line_digest(document), key, offset, len(content)))
        offset += len(content)
    if spans:
        store.put_content(key, b"".join(content for _, content in ordered))
    return spans


class Spans:
    """The spans of a listing, asked for in ascending order of id. Memory holds those of one id."""

    def __init__(self, sorted_lines: Iterable[bytes]) -> None:
        self._rest = (lines.decode(line, Span) for line in sorted_lines)
        self._next = next(self._rest, None)
        self._same: list[Span] = []

    def of(self, document: Document) -> Span | None:
        """Where the content of a document is; None when the listing has not carried it."""
        self._same = [span for span in self._same if span.id == document.id]
        while self._next is not None and self._next.id <= document.id:
            if self._next.id == document.id:
                self._same.append(self._next)
            self._next = next(self._rest, None)
        if not self._same:
            return None
        digest = _line_digest(document)
        return next((span for span in self._same if span.line == digest), None)


class Contents:
    """The carried contents of one shard, asked for in order of the documents."""

    def __init__(self, store: Store, run: str, shard: str) -> None:
        self._store = store
        key = contents_key(run, shard)
        found = [lines.decode(line, Span) for line in store.lines_if_any(key)]
        self._spans = {span.id: span for span in found}
        self._ends: dict[str, list[Span]] = defaultdict(list)
        for span in found:
            self._ends[span.key].append(span)
        self._buffers: dict[str, tuple[int, bytes]] = {}

    def __len__(self) -> int:
        """How many contents of the shard were carried."""
        return len(self._spans)

    def __contains__(self, id_: str) -> bool:
        """Whether the content of a document was carried."""
        return id_ in self._spans

    def open(self, document: Document) -> Opened:
        """The content of a document as it was listed, and its version. Raises DocumentUnreadable."""
        span = self._spans[document.id]
        start, buffer = self._buffers.get(span.key, (0, b""))
        if not start <= span.offset <= span.offset + span.size <= start + len(buffer):
            start, buffer = span.offset, self._read(span)
            self._buffers[span.key] = start, buffer
        content = buffer[span.offset - start : span.offset - start + span.size]
        if len(content) != span.size:
            raise DocumentUnreadable("its content, which the listing had kept, is gone; the next run sends it")
        return Opened(content, document.version)

    def _read(self, span: Span) -> bytes:
        """Read a span, and what comes after it for the documents that follow."""
        most = max(BUFFERED_BYTES // len(self._ends), span.size)
        end = max(one.offset + one.size for one in self._ends[span.key] if one.offset + one.size <= span.offset + most)
        return self._store.content_part(span.key, span.offset, end - span.offset) or b""


def write_spans(store: Store, run: str, shard: str, spans: Iterable[Span], *, behind: Behind | None = None) -> None:
    """Say where the contents of a shard are. It is there once ``behind`` has waited for it."""
    with store.writing(contents_key(run, shard), behind=behind) as stream:
        for span in spans:
            stream.add(span)


def _line_digest(document: Document) -> str:
    as_listed = structs.replace(document, members="")
    return sha256(lines.encode(as_listed)).hexdigest()[:32]
