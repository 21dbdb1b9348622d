"""Whether a service would take a document, known from its description alone. Pure.

Asked before anything is sent: one bad member makes the services refuse the whole request, with the nine other
documents in it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from docferry.indexes import Limits
from docferry.model import AttributeValue, Document, Principal

# Each adapter adds _data_source_id, _data_source_sync_job_execution_id and _last_updated_at.
ADDED_ATTRIBUTES = 3

# DocumentAttributeKey of both services.
ATTRIBUTE_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]*")


def reason_to_skip(document: Document, limits: Limits) -> str | None:
    """Why the service would refuse the document, in words, or None when it would not."""
    return (
        _reason_of_document(document, limits)
        or _reason_of_attributes(document.attributes, limits)
        or _reason_of_access_control(document.access_control, limits)
    )


def _reason_of_document(document: Document, limits: Limits) -> str | None:
    if len(document.id) > limits.id_length:
        return f"the document id has {len(document.id):,} characters; the index takes {limits.id_length:,}"
    if not limits.id_controls and has_controls(document.id):
        return "the document id has a control or format character, which the index refuses"
    if document.size > limits.document_bytes:
        return f"{document.size:,} bytes; the index takes documents of up to {limits.document_bytes:,}"
    if document.content_type not in limits.content_types:
        return f"is of type {document.content_type}, which the index does not take"
    if len(document.title) > limits.title_length:
        return f"the title has {len(document.title):,} characters; the index takes {limits.title_length:,}"
    return None


def _reason_of_attributes(attributes: Mapping[str, AttributeValue], limits: Limits) -> str | None:
    if len(attributes) + ADDED_ATTRIBUTES > limits.attributes:
        return f"{len(attributes)} attributes; there is room for {limits.attributes - ADDED_ATTRIBUTES}"
    for name, value in attributes.items():
        if not _is_name(name, limits.attribute_name):
            return (
                f"attribute {name!r}: a name has up to {limits.attribute_name} characters, letters, digits, _ and -, "
                "and does not begin with -"
            )
        if isinstance(value, str) and 0 < len(value) <= limits.string_length:
            continue
        strings = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
        if isinstance(value, tuple) and not 0 < len(value) <= limits.string_list:
            return f"attribute {name!r} lists {len(value)} strings; the index takes 1 to {limits.string_list}"
        if any(not 0 < len(string) <= limits.string_length for string in strings):
            return f"attribute {name!r}: the index takes strings of 1 to {limits.string_length:,} characters"
    return None


def _reason_of_access_control(entries: Sequence[Principal], limits: Limits) -> str | None:
    if len(entries) > limits.principals:
        return f"{len(entries)} access control entries; the index takes {limits.principals}"
    for principal in entries:
        if not 0 < len(principal.name) <= limits.principal_name or has_controls(principal.name):
            return (
                f"access control names {principal.name!r}; the index takes names of 1 to {limits.principal_name} "
                "characters, none of them a control character"
            )
    return None


@lru_cache(1_000)  # an index has at most 500 fields, and every document may have a value of each
def _is_name(name: str, longest: int) -> bool:
    return len(name) <= longest and ATTRIBUTE_NAME.fullmatch(name) is not None


def has_controls(text: str) -> bool:
    r"""Whether a text has a character of category C: the services' patterns say \P{C}."""
    # Of what cannot be printed some are separators, such as U+2028.
    return not text.isprintable() and any(unicodedata.category(character)[0] == "C" for character in text)
