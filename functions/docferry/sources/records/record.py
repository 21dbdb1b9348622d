"""A record, and the document that it becomes. Pure, except for the ``open`` of the record."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from msgspec import Struct, field

from docferry.errors import DocumentError, SourceInvalid
from docferry.model import AttributeValue, ContentType, Date, Document, Principal, Skipped
from docferry.sources.describing import sidecar
from docferry.sources.describing.content_types import CONTENT_TYPES
from docferry.sources.describing.documents import MAX_BYTES
from docferry.sources.describing.fingerprint import fingerprint
from docferry.sources.describing.sidecar import Sidecar

Value = str | int | float | date | datetime | Sequence[str] | None


class Record(Struct, frozen=True, kw_only=True):
    """Something that a repository holds, to be indexed as one document.

    ``id`` names it within its source, the same in every crawl. ``content`` are its bytes. ``open`` returns them
    instead, and is called only when the index does not hold the record as it is described. ``version`` says which
    content it is; without one the digest of the content does. ``access_control`` empty means that everybody may see it.
    ``checkpoint`` is where a listing that resumes can go on after this record.
    """

    id: str
    content_type: ContentType
    title: str = ""
    content: bytes | None = None
    open: Callable[[], bytes] | None = None
    version: str = ""
    uri: str | None = None
    updated_at: datetime | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)
    access_control: Sequence[Principal] = ()
    checkpoint: str | None = None


class Skip(Struct, frozen=True, kw_only=True):
    """A record that cannot be indexed, and why. What is indexed of it stays as it is.

    ``incomplete``: other records may be hidden behind it, or it is not known which record it is: the whole crawl
    deletes nothing.
    """

    id: str
    reason: str
    incomplete: bool = False


class Described(Struct, frozen=True):
    """A document, with the content that came with it, or the way to get it."""

    document: Document
    content: bytes | None
    open: Callable[[], bytes]


def described(connector: str, record: object, source: str) -> Described | Skipped:
    """The document of a record, or why there is none. ``source`` names the source in messages.

    Raises SourceInvalid for what is no record at all.
    """
    if isinstance(record, Skip):
        return Skipped(f"{connector}/{record.id}", record.reason, incomplete=record.incomplete)
    if not isinstance(record, Record):
        raise SourceInvalid(f"{source} yielded {record!r:.80}, which is no Record; yield Record(id=..., ...)")
    if not isinstance(record.id, str) or not record.id:
        return Skipped(f"{connector}/", f"a record has the id {record.id!r}; an id is a text", incomplete=True)
    try:
        said = _said(record)
        content = _content(record)
    except DocumentError as error:
        return Skipped(f"{connector}/{record.id}", str(error))
    document = Document(
        id=f"{connector}/{record.id}",
        version=record.version or f"sha256:{hashlib.sha256(content or b'').hexdigest()}",
        # With a version, content is not always read: a size that is known only sometimes would count as a change.
        size=0 if record.version else len(content or b""),
        locator=record.id,
        content_type=record.content_type,
        title=said.title or record.id,
        attributes={**({"_source_uri": record.uri} if record.uri else {}), **said.attributes},
        access_control=said.access_control,
        updated_at=_in_utc(record.updated_at) if record.updated_at else None,
    )
    return Described(document, content, record.open or bytes)


def check_content(content: bytes, content_type: ContentType) -> None:
    """Refuse content that no index takes. Raises DocumentError."""
    _check_bytes(content)
    if not content:
        raise DocumentError("is empty")
    if len(content) > MAX_BYTES:
        raise DocumentError(f"is larger than {MAX_BYTES // 1_000_000} MB, the most a service takes")
    _, problem = fingerprint(io.BytesIO(content), content_type)
    if problem:
        raise DocumentError(problem)


def _content(record: Record) -> bytes | None:
    """The content as it came, or, when nothing else tells whether it has changed, as ``open`` gives it."""
    if record.content is None and record.open is None:
        raise DocumentError("has neither content nor open")
    content = record.open() if record.content is None and record.open and not record.version else record.content
    if content is not None:
        _check_bytes(content)
    return content


def _check_bytes(content: object) -> None:
    if not isinstance(content, bytes | bytearray | memoryview):
        raise DocumentError(f"its content must be bytes, not {type(content).__name__}; encode a text: .encode()")


def _said(record: Record) -> Sidecar:
    """What the record says, by the rules of a sidecar. Raises DocumentError."""
    if record.content_type not in CONTENT_TYPES:
        raise DocumentError(
            f"has the content type {record.content_type!r}; allowed: {', '.join(sorted(CONTENT_TYPES))}"
        )
    members: dict[str, Any] = {"ContentType": record.content_type}
    if record.title:
        members["Title"] = record.title
    dates = {name: _date(value) for name, value in record.attributes.items() if isinstance(value, date)}
    others = {name: _plain(value) for name, value in record.attributes.items() if name not in dates}
    members["Attributes"] = {name: value for name, value in others.items() if value is not None}
    said = sidecar.understood(members)
    attributes: dict[str, AttributeValue] = {**said.attributes, **dates}
    return Sidecar(title=said.title, attributes=attributes, access_control=_principals(record.access_control))


def _principals(access_control: Sequence[Principal]) -> tuple[Principal, ...]:
    """Check who may see a record. What is not understood keeps it back. Raises DocumentError."""
    if isinstance(access_control, str | bytes) or not all(isinstance(one, Principal) for one in access_control):
        raise DocumentError("its access_control must be a list of Principal(name, type, access)")
    for one in access_control:
        if not isinstance(one.name, str) or not one.name.strip():
            raise DocumentError(f"its access_control names nobody: {one!r}")
        if one.type not in ("USER", "GROUP") or one.access not in ("ALLOW", "DENY"):
            raise DocumentError(f"its access_control has an unknown type or access: {one!r}")
    return tuple(access_control)


def _plain(value: Value) -> Any:
    """An attribute as JSON has it: a whole number is one also when a database gives it with a point."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return value


def _date(value: date) -> Date:
    return Date(_in_utc(value if isinstance(value, datetime) else datetime(*value.timetuple()[:3], tzinfo=UTC)))


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
