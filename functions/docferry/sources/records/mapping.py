"""How a row or a JSON object becomes a record: one JMESPath expression for each part of a document. Pure.

https://jmespath.org/specification.html. Who may see a document is never guessed: an expression that fails, or that
gives anything else than names, keeps the document back.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote
from uuid import UUID

import jmespath
import jmespath.functions
import msgspec
from jmespath.exceptions import JMESPathError
from msgspec import Meta, Struct

from docferry.errors import DocumentError
from docferry.model import ContentType, Principal
from docferry.sources.describing.content_types import CONTENT_TYPES
from docferry.sources.records.record import Record, Skip

Expression = Annotated[str, Meta(min_length=1, description="a JMESPath expression, such as a column's name")]
ACCESS: dict[str, tuple[Literal["USER", "GROUP"], Literal["ALLOW", "DENY"]]] = {
    "allow_users": ("USER", "ALLOW"),
    "allow_groups": ("GROUP", "ALLOW"),
    "deny_users": ("USER", "DENY"),
    "deny_groups": ("GROUP", "DENY"),
}


class _Functions(jmespath.functions.Functions):  # type: ignore[misc]  # it has no types
    """JMESPath's functions, and ours."""

    @jmespath.functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_url_quote(self, text: str) -> str:
        """A text as a part of an address: every character that means something there is escaped, slashes too."""
        return quote(text, safe="")


OPTIONS = jmespath.Options(custom_functions=_Functions())


class DocumentMapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``document`` of a source: where each part of a document is in a row, or in an object of an API.

    ``content_type`` is one of the services' words, or an expression that gives one.
    """

    id: Expression
    content: Expression | None = None
    content_type: Annotated[str, Meta(min_length=1, description="a content type, or an expression that gives one")]
    version: Expression | None = None
    title: Expression | None = None
    uri: Expression | None = None
    updated_at: Expression | None = None
    attributes: dict[str, Expression] = {}
    allow_users: Expression | None = None
    allow_groups: Expression | None = None
    deny_users: Expression | None = None
    deny_groups: Expression | None = None

    def __post_init__(self) -> None:
        """Refuse what is no expression. Raises ValueError, which names it."""
        for name, expression in expressions(self):
            try:
                compiled(expression)
            except JMESPathError as error:
                reason = str(error).partition("\n")[0]
                raise ValueError(f"document.{name}: {expression!r} is not a JMESPath expression: {reason}") from error


def expressions(mapping: DocumentMapping) -> Iterator[tuple[str, str]]:
    """The expressions of a mapping, with the name of the part that each of them gives."""
    for name in mapping.__struct_fields__:
        written = getattr(mapping, name)
        if name == "attributes":
            yield from ((f"attributes.{attribute}", expression) for attribute, expression in written.items())
        elif written is not None and not (name == "content_type" and written in CONTENT_TYPES):
            yield name, written


def fields(expression: str) -> set[str]:
    """The members of a row that an expression may look at; a set with "*" when that cannot be told."""
    return set(_fields(compiled(expression).parsed))


def record(
    mapping: DocumentMapping,
    row: Mapping[str, Any],
    *,
    open: Callable[[], bytes] | None = None,  # noqa: A002  # as Record calls it
    checkpoint: str | None = None,
    place: str = "a row",
) -> Record | Skip:
    """The record of a row. With ``open``, the row has no content of its own. ``place`` names the row in messages."""
    row = {name: plain(value) for name, value in row.items()}
    try:
        id_ = _id(found(mapping.id, row))
    except DocumentError as error:
        # Nobody knows which document this is, so nobody knows which one is not missing.
        return Skip(id=place, reason=f"document.id: {error}", incomplete=True)
    try:
        return Record(
            id=id_,
            content=None if open else content(mapping, row),
            open=open,
            content_type=_content_type(mapping, row),
            version=_text("version", mapping.version, row),
            title=_text("title", mapping.title, row),
            uri=_text("uri", mapping.uri, row) or None,
            updated_at=_moment(mapping.updated_at, row),
            attributes=_attributes(mapping, row),
            access_control=_access_control(mapping, row),
            checkpoint=checkpoint,
        )
    except DocumentError as error:
        return Skip(id=id_, reason=str(error))


def content(mapping: DocumentMapping, row: Mapping[str, Any]) -> bytes:
    """The content of a row. Raises DocumentError."""
    value = found(mapping.content, row) if mapping.content else None
    match value:
        case None:
            return b""
        case bytes() | bytearray() | memoryview():
            return bytes(value)
        case str():
            return value.encode(errors="surrogatepass")
        case dict() | list():
            return msgspec.json.encode(value, order="deterministic")
    raise DocumentError(f"document.content: is {value!r:.80}, which is neither text nor bytes")


def found(expression: str, row: Mapping[str, Any]) -> Any:
    """What an expression finds in a row. Raises DocumentError when it fails."""
    try:
        return compiled(expression).search(row, OPTIONS)
    except (JMESPathError, TypeError, ValueError, AttributeError) as error:
        raise DocumentError(f"{expression!r} fails: {str(error).partition(chr(10))[0]}") from error


@cache
def compiled(expression: str) -> Any:
    """An expression ready to be used. Raises JMESPathError."""
    return jmespath.compile(expression)


def plain(value: Any) -> Any:
    """A value of a database as JMESPath knows values: numbers, texts, lists, and dates, which it passes on."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case UUID():
            return str(value)
        case tuple() | set() | frozenset():
            return [plain(one) for one in value]
    return value


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise DocumentError(f"is {value!r:.80}; an id is a text or a whole number")
    return str(value)


def _content_type(mapping: DocumentMapping, row: Mapping[str, Any]) -> ContentType:
    written = mapping.content_type
    value = written if written in CONTENT_TYPES else _found("content_type", written, row)
    if value not in CONTENT_TYPES:
        raise DocumentError(f"document.content_type: is {value!r:.80}; allowed: {', '.join(sorted(CONTENT_TYPES))}")
    return cast("ContentType", value)


def _text(part: str, expression: str | None, row: Mapping[str, Any]) -> str:
    """A text, a number or a date as a text; empty for nothing."""
    value = _found(part, expression, row)
    match value:
        case None:
            return ""
        case bool() | dict() | list() | bytes():
            raise DocumentError(f"document.{part}: is {value!r:.80}; wanted is a text")
        case date():
            return value.isoformat()
    return str(value)


def _moment(expression: str | None, row: Mapping[str, Any]) -> datetime | None:
    """A moment, of a date, an ISO 8601 text, or seconds since 1970."""
    value = _found("updated_at", expression, row)
    try:
        match value:
            case None | datetime():
                return value
            case date():
                return datetime(value.year, value.month, value.day, tzinfo=UTC)
            case str():
                return datetime.fromisoformat(value)
            case int() | float():
                return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise DocumentError(f"document.updated_at: is {value!r:.80}; wanted is a date, such as 2026-01-31T10:30:00+02:00")


def _attributes(mapping: DocumentMapping, row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: _found(f"attributes.{name}", written, row) for name, written in mapping.attributes.items()}
    as_text = {True: "true", False: "false"}
    return {name: as_text[value] if isinstance(value, bool) else value for name, value in values.items()}


def _access_control(mapping: DocumentMapping, row: Mapping[str, Any]) -> tuple[Principal, ...]:
    principals: list[Principal] = []
    allows = [part for part in ("allow_users", "allow_groups") if getattr(mapping, part)]
    for part, (kind, access) in ACCESS.items():
        if expression := getattr(mapping, part):
            names = _names(part, _found(part, expression, row))
            principals += (Principal(name, kind, access) for name in names)
    if allows and not any(one.access == "ALLOW" for one in principals):
        raise DocumentError(
            f"document.{allows[0]}: names nobody, and a document without access control is shown to everybody; "
            "it is kept back"
        )
    return tuple(dict.fromkeys(principals))


def _names(part: str, value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        raise DocumentError(
            f"document.{part}: is {value!r:.80}, which is neither a name nor a list of names; the document is kept "
            "back. Where nothing stands for nobody, write: EXPRESSION || `[]`"
        )
    return names


def _found(part: str, expression: str | None, row: Mapping[str, Any]) -> Any:
    try:
        return found(expression, row) if expression else None
    except DocumentError as error:
        raise DocumentError(f"document.{part}: {error}") from error


def _fields(node: dict[str, Any]) -> Iterator[str]:
    """The names at the top of a row that a parsed expression begins with."""
    match node["type"]:
        case "field":
            yield node["value"]
        case "subexpression" | "index_expression" | "projection" | "value_projection" | "filter_projection" | "flatten":
            # Only the left side sees the row; a filter's condition and the right side see what is left of it.
            yield from _fields(node["children"][0])
        case "pipe":
            yield from _fields(node["children"][0])
        case "literal":
            return
        case "function_expression" | "or_expression" | "and_expression" | "not_expression" | "comparator":
            for child in node["children"]:
                yield from _fields(child)
        case "multi_select_list" | "multi_select_dict" | "key_val_pair":
            for child in node["children"]:
                yield from _fields(child)
        case _:
            yield "*"
