"""Batching: documents and their content into requests that the service takes. Pure."""

from collections.abc import Iterable, Iterator

from docferry.indexes import Limits
from docferry.model import Content, Document
from docferry.state import lines

Put = tuple[Document, Content]


def requests(puts: Iterable[Put], limits: Limits) -> Iterator[list[Put]]:
    """Group documents, in order, into requests of at most ``limits.documents`` and ``limits.inline_bytes``.

    A document is measured before it is added. Each one must fit alone: larger content goes by reference.
    """
    request: list[Put] = []
    size = 0
    for put in puts:
        weight = inline_bytes(put)
        if request and (len(request) == limits.documents or size + weight > limits.inline_bytes):
            yield request
            request, size = [], 0
        request.append(put)
        size += weight
    if request:
        yield request


def too_large(document: Document, size: int, limits: Limits, *, inline: bool) -> str | None:
    """Why content of ``size`` bytes cannot be sent, in words, or None when it can. ``inline``: it cannot go by S3."""
    if size > limits.document_bytes:
        return f"{size:,} bytes; the index takes documents of up to {limits.document_bytes:,}"
    if inline and len(lines.encode(document)) + size > limits.inline_bytes:
        return f"{size:,} bytes are too many to send inline; give the connector an index.role_arn that reads S3"
    return None


def inline_bytes(put: Put) -> int:
    """What a document adds to its request: its description, and its content when that is sent inline."""
    document, content = put
    return len(lines.encode(document)) + (len(content) if isinstance(content, bytes) else 0)
