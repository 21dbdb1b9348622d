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


def inline_bytes(put: Put) -> int:
    """What a document adds to its request: its description, and its content when that is sent inline."""
    document, content = put
    return len(lines.encode(document)) + (len(content) if isinstance(content, bytes) else 0)
