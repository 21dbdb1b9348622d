"""The sidecar of a document: ``<name>.metadata.json``, the format that the S3 connectors of both services read.

https://docs.aws.amazon.com/kendra/latest/dg/s3-metadata.html

Any mistake in a sidecar refuses the whole of it: it may hold the only statement of who may see the document, and
both services take a document without one for public.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from msgspec import Struct, field

from docferry.errors import DocumentError
from docferry.model import AttributeValue, ContentType, Date, Principal
from docferry.sources.describing.content_types import CONTENT_TYPES

SUFFIX = ".metadata.json"
MAX_BYTES = 1_000_000
"""200 principals and 500 attributes with values of 2,048 characters, the most a service takes, still fit."""

_TEXT, _NUMBER, _LIST, _DATE = "a text", "a whole number", "a list of texts", "an ISO 8601 date"
_RESERVED = {
    "_authors": _LIST,
    "_category": _TEXT,
    "_created_at": _DATE,
    "_file_type": _TEXT,
    "_language_code": _TEXT,
    "_last_updated_at": _DATE,
    "_source_uri": _TEXT,
    "_version": _TEXT,
    "_view_count": _NUMBER,
}
_SET_ELSEWHERE = {
    "_data_source_id": "the sync sets it",
    "_data_source_sync_job_execution_id": "the sync sets it",
    "_document_body": "it is the content of the document",
    "_document_id": "use DocumentId",
    "_document_title": "use Title",
}
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII)
_LONG = 2**63


class SidecarError(DocumentError):
    """The sidecar is broken; the text says what is wrong and where."""


class Sidecar(Struct, frozen=True):
    """What a sidecar says about its document. Left out: None, or empty. Empty access control means public."""

    document_id: str | None = None
    title: str | None = None
    content_type: ContentType | None = None
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    access_control: tuple[Principal, ...] = ()


NOTHING_SAID = Sidecar()


def read(data: bytes) -> Sidecar:
    """Read the bytes of a sidecar. Raises SidecarError for anything not understood in full."""
    if len(data) > MAX_BYTES:
        raise SidecarError(f"is larger than {MAX_BYTES:,} bytes")
    return understood(parse(data))


def understood(value: Any, *, others: tuple[str, ...] = ()) -> Sidecar:
    """Read the JSON value of a sidecar; members in ``others`` are somebody else's. Raises SidecarError."""
    said = {}
    for key, member in _members(value, "", (*_KEYS, *others)).items():
        if key in _KEYS:
            name, reader = _KEYS[key]
            said[name] = reader(member)
    return Sidecar(**said)


def parse(data: bytes) -> Any:
    """Parse JSON in which no key is given twice. Raises SidecarError."""
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise SidecarError(f"is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise SidecarError(f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise SidecarError(f"cannot be parsed: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key given twice: json would keep the last, which may be an empty AccessControlList."""
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise SidecarError(f"gives {key!r} twice")
        members[key] = value
    return members


def _no_constant(constant: str) -> Any:
    raise SidecarError(f"is not JSON: {constant}")


def _members(value: Any, where: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    """Return an object's members; an unknown one is refused, since it may be a misspelt AccessControlList."""
    if not isinstance(value, dict):
        raise SidecarError(f"{where}must be an object, not {_kind(value)}")
    for key in value:
        if key not in allowed:
            raise SidecarError(f"{where}has the unknown key {key!r}; allowed: {', '.join(allowed)}")
    return value


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise SidecarError(f"{key} must be a text, not {_kind(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:  # JSON can write half of a surrogate pair: "\ud800"
            raise SidecarError(f"{key} holds half a character at {error.start}") from error
    return value


def _choice(key: str, value: Any, allowed: tuple[str, ...]) -> Any:
    if not isinstance(value, str) or value not in allowed:
        raise SidecarError(f"{key} must be one of {', '.join(allowed)}, not {json.dumps(value)[:80]}")
    return value


def _content_type(value: Any) -> ContentType:
    return cast("ContentType", _choice("ContentType", value, tuple(sorted(CONTENT_TYPES))))


def _attributes(value: Any) -> dict[str, AttributeValue]:
    if not isinstance(value, dict):
        raise SidecarError(f"Attributes must be an object, not {_kind(value)}")
    return {_text("a name in Attributes", name): _attribute(name, member) for name, member in value.items()}


def _attribute(name: str, value: Any) -> AttributeValue:
    key = f"Attributes.{name}"
    if name in _SET_ELSEWHERE:
        raise SidecarError(f"{key} cannot be given: {_SET_ELSEWHERE[name]}")
    wanted = _RESERVED.get(name)
    typed = _typed(key, value, dates=wanted in (_DATE, None))
    if wanted and not isinstance(typed, {_TEXT: str, _NUMBER: int, _LIST: tuple, _DATE: Date}[wanted]):
        raise SidecarError(f"{key} must be {wanted}, not {json.dumps(value)[:80]}")
    return typed


def _typed(key: str, value: Any, *, dates: bool) -> AttributeValue:
    match value:
        case bool() | float() | None | dict():
            raise SidecarError(f"{key} must be a text, a whole number or a list of texts, not {_kind(value)}")
        case int():
            if not -_LONG <= value < _LONG:
                raise SidecarError(f"{key} does not fit into 64 bits")
            return value
        case list():
            return tuple(_text(f"{key}[{position}]", member) for position, member in enumerate(value))
    text = _text(key, value)
    return (_date(text) if dates else None) or text


def _date(text: str) -> Date | None:
    """Return the date that a text is from its first to its last character, in UTC."""
    if not _ISO_DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return Date(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):  # 2026-02-30; year 1 east of Greenwich
        return None


def _access_control(value: Any) -> tuple[Principal, ...]:
    if not isinstance(value, list):
        raise SidecarError(f"AccessControlList must be a list, not {_kind(value)}")
    if not value:
        raise SidecarError("AccessControlList is empty: name who may see the document, or leave it out for everyone")
    return tuple(_principal(f"AccessControlList[{position}]", entry) for position, entry in enumerate(value))


def _principal(where: str, value: Any) -> Principal:
    members = _members(value, f"{where} ", ("Name", "Type", "Access"))
    return Principal(
        name=_text(f"{where}.Name", members.get("Name")),
        type=_choice(f"{where}.Type", members.get("Type"), ("USER", "GROUP")),
        access=_choice(f"{where}.Access", members.get("Access"), ("ALLOW", "DENY")),
    )


def _kind(value: Any) -> str:
    kinds = {type(None): "null", bool: "true or false", int: "a number", float: "a number with a point", list: "a list"}
    kinds[str] = "a text" if value else "an empty text"
    return kinds.get(type(value), "an object")


_KEYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "DocumentId": ("document_id", lambda value: _text("DocumentId", value)),
    "Title": ("title", lambda value: _text("Title", value)),
    "ContentType": ("content_type", _content_type),
    "Attributes": ("attributes", _attributes),
    "AccessControlList": ("access_control", _access_control),
}
