"""Whether a service would take a document, known from its description alone. Pure.

Asked before anything is sent: one bad member makes the services refuse the whole request, with the nine other
documents in it.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from docferry.indexes import Limits
from docferry.model import Document

# Each adapter adds _data_source_id, _data_source_sync_job_execution_id and _last_updated_at.
ADDED_ATTRIBUTES = 3

# DocumentAttributeKey of both services.
ATTRIBUTE_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]*")


def reason_to_skip(document: Document, limits: Limits) -> str | None:
    """Why the service would refuse the document, in words, or None when it would not."""
    return next(_reasons(document, limits), None)


def _reasons(document: Document, limits: Limits) -> Iterator[str]:
    if len(document.id) > limits.id_length:
        yield f"the document id has {len(document.id):,} characters; the index takes {limits.id_length:,}"
    if not limits.id_controls and has_controls(document.id):
        yield "the document id has a control or format character, which the index refuses"
    if document.size > limits.document_bytes:
        yield f"{document.size:,} bytes; the index takes documents of up to {limits.document_bytes:,}"
    if document.content_type not in limits.content_types:
        yield f"is of type {document.content_type}, which the index does not take"
    if len(document.title) > limits.title_length:
        yield f"the title has {len(document.title):,} characters; the index takes {limits.title_length:,}"
    yield from _attribute_reasons(document, limits)
    if len(document.access_control) > limits.principals:
        yield f"{len(document.access_control)} access control entries; the index takes {limits.principals}"
    for principal in document.access_control:
        if not 0 < len(principal.name) <= limits.principal_name or has_controls(principal.name):
            yield (
                f"access control names {principal.name!r}; the index takes names of 1 to {limits.principal_name} "
                "characters, none of them a control character"
            )


def _attribute_reasons(document: Document, limits: Limits) -> Iterator[str]:
    if len(document.attributes) + ADDED_ATTRIBUTES > limits.attributes:
        yield f"{len(document.attributes)} attributes; there is room for {limits.attributes - ADDED_ATTRIBUTES}"
    for name, value in document.attributes.items():
        if not _is_name(name, limits.attribute_name):
            yield (
                f"attribute {name!r}: a name has up to {limits.attribute_name} characters, letters, digits, _ and -, "
                "and does not begin with -"
            )
        if isinstance(value, str) and 0 < len(value) <= limits.string_length:
            continue
        strings = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
        if isinstance(value, tuple) and not 0 < len(value) <= limits.string_list:
            yield f"attribute {name!r} lists {len(value)} strings; the index takes 1 to {limits.string_list}"
        if any(not 0 < len(string) <= limits.string_length for string in strings):
            yield f"attribute {name!r}: the index takes strings of 1 to {limits.string_length:,} characters"


@lru_cache(1_000)  # an index has at most 500 fields, and every document may have a value of each
def _is_name(name: str, longest: int) -> bool:
    return len(name) <= longest and ATTRIBUTE_NAME.fullmatch(name) is not None


def has_controls(text: str) -> bool:
    r"""Whether a text has a character of category C: the services' patterns say \P{C}."""
    # Of what cannot be printed some are separators, such as U+2028.
    return not text.isprintable() and any(unicodedata.category(character)[0] == "C" for character in text)
