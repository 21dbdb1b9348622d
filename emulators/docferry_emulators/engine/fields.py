"""The fields of an index, and whether a value fits them."""

from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["STRING", "STRING_LIST", "LONG", "DATE", "NUMBER", "BOOLEAN"]
"""The last two are only in an index without declared fields."""

EXECUTION_ID = "_data_source_sync_job_execution_id"
"""A put may have this attribute, although no list of fields in the services' documentation has it."""
DATA_SOURCE_ID = "_data_source_id"

RESERVED_KENDRA: dict[str, tuple[Kind, str]] = {
    # name: type, flags (Facetable, Searchable, Displayable, sOrtable)
    "_authors": ("STRING_LIST", ""),
    "_category": ("STRING", "O"),
    "_created_at": ("DATE", "O"),
    "_data_source_id": ("STRING", "O"),
    "_document_title": ("STRING", "SDO"),
    "_excerpt_page_number": ("LONG", ""),
    "_faq_id": ("STRING", "O"),
    "_file_type": ("STRING", "O"),
    "_language_code": ("STRING", "O"),
    "_last_updated_at": ("DATE", "O"),
    "_source_uri": ("STRING", "D"),
    "_tenant_id": ("STRING", "O"),
    "_version": ("STRING", "O"),
    "_view_count": ("LONG", "O"),
}
RESERVED_QBUSINESS: dict[str, Kind] = {
    "_authors": "STRING_LIST",
    "_category": "STRING",
    "_created_at": "DATE",
    "_data_source_id": "STRING",
    "_document_title": "STRING",
    "_file_type": "STRING",
    "_language_code": "STRING",
    "_last_updated_at": "DATE",
    "_source_uri": "STRING",
    "_version": "STRING",
    "_view_count": "LONG",
}


class Value(Struct, frozen=True):
    """An attribute value, with its type on the wire. Dates are epoch seconds."""

    kind: Kind
    data: Any


class IndexField(Struct, omit_defaults=True):
    """One field of an index. ``relevance`` is kept as the request to Kendra gave it."""

    kind: Kind
    facetable: bool = False
    searchable: bool = False
    displayable: bool = False
    sortable: bool = False
    relevance: dict[str, Any] = {}


def kendra_fields() -> dict[str, IndexField]:
    """Return the fields of a new Kendra index."""
    return {
        name: IndexField(
            kind, facetable="F" in flags, searchable="S" in flags, displayable="D" in flags, sortable="O" in flags
        )
        for name, (kind, flags) in RESERVED_KENDRA.items()
    }


def qbusiness_fields() -> dict[str, IndexField]:
    """Return the fields of a new Q Business index."""
    return {name: IndexField(kind, searchable=True) for name, kind in RESERVED_QBUSINESS.items()}


def dated(value: Value, field: IndexField | None) -> Value:
    """Turn a string in ISO 8601 into a date if its field is a DATE. Return any other value unchanged."""
    if field is None or field.kind != "DATE" or value.kind != "STRING":
        return value
    try:
        moment = datetime.fromisoformat(value.data)
    except ValueError:
        return value
    return Value("DATE", (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def problem_of(name: str, value: Value, field: IndexField | None, longest_list: int) -> str | None:
    """Return a text that says what is wrong with an attribute of a document. None: it is right.

    The text for an unknown field is that of Kendra's CloudWatch log samples, with its two spaces.
    """
    if field is None:
        return f"No document metadata configuration found for document attribute key  {name}."
    if value.kind != field.kind:
        return f"Document attribute {name} is a {value.kind}, but the field of the index is a {field.kind}."
    if value.kind == "STRING_LIST" and len(value.data) > longest_list:
        return f"Document attribute {name} has {len(value.data)} strings; at most {longest_list} are allowed."
    return None
