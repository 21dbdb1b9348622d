r"""The lines of a change set that another crawler hands in: one document each, to be put or to be deleted.

A line is the JSON object that the services' own S3 connectors read as a sidecar, with the content beside it:

    {"DocumentId": "leave.md", "Title": "Leave", "AccessControlList": [...], "Content": "# Leave\n..."}
    {"DocumentId": "logo.pdf", "ContentBase64": "JVBERi0xLjcK..."}
    {"DocumentId": "old.md", "Delete": true}
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

import msgspec
from msgspec import Struct, structs

from docferry.errors import ChangeSetInvalid
from docferry.model import Listed
from docferry.sources.describing import documents, sidecar
from docferry.sources.describing.sidecar import SidecarError

TEXT, BASE64, DELETE = "Content", "ContentBase64", "Delete"

MAX_LINES = 10_000
MAX_LINE_BYTES = 100_000_000
"""50 MB of content, the most that a service takes, in base64 or in JSON's escapes."""


class Edit(Struct, frozen=True):
    """What one line asks for: the document to hold under an id, with its content, or, with None, to hold none."""

    id: str
    entry: Listed | None
    content: bytes = b""


def read(file: IO[bytes], *, connector: str, uploaded: datetime) -> Iterator[Edit]:
    """The edits of a change set, in order; of several with one id the last counts. Raises ChangeSetInvalid."""
    for number in range(1, MAX_LINES + 2):
        line = file.readline(MAX_LINE_BYTES + 1)
        if not line:
            return
        if number > MAX_LINES:
            raise ChangeSetInvalid(f"has more than {MAX_LINES:,} lines; hand them in as several change sets")
        if len(line) > MAX_LINE_BYTES:
            raise ChangeSetInvalid(f"line {number} is longer than {MAX_LINE_BYTES:,} bytes")
        if not line.strip():
            continue
        try:
            yield edit(line, connector=connector, uploaded=uploaded)
        except (SidecarError, ChangeSetInvalid) as error:
            raise ChangeSetInvalid(f"line {number} {error}") from error


def edit(line: bytes, *, connector: str, uploaded: datetime) -> Edit:
    """Read one line; a document has no locator yet. Raises SidecarError and ChangeSetInvalid."""
    _check_size(line)
    members = sidecar.parse(line)
    said = sidecar.understood(members, others=(TEXT, BASE64, DELETE))
    if said.document_id is None:
        raise ChangeSetInvalid("has no DocumentId")
    id_ = f"{connector}/{said.document_id}"
    if DELETE in members:
        if members[DELETE] is not True or len(members) > len(("DocumentId", DELETE)):
            raise ChangeSetInvalid(f"is no delete: that is a DocumentId and {DELETE!r}: true, and nothing else")
        return Edit(id_, None)
    content = _content(members)
    if reason := documents.unindexable(said.document_id, len(content), said, cure="give it a ContentType"):
        return Edit(id_, documents.skipped(connector, said.document_id, reason, sidecar=said))
    entry = documents.document(
        connector,
        said.document_id,
        version=f"sha256:{hashlib.sha256(content).hexdigest()}",
        size=len(content),
        updated_at=uploaded,
        uri=None,
        sidecar=said,
    )
    return Edit(id_, structs.replace(entry, locator="", origin="inbox"), content)


def _check_size(line: bytes) -> None:
    """Refuse a line with much beside its content, before it is taken apart: that takes many times its memory."""
    if len(line) <= sidecar.MAX_BYTES:
        return
    try:
        contents = msgspec.json.decode(line, type=_Contents)
    except msgspec.MsgspecError as error:
        raise ChangeSetInvalid(f"is no document: {error}") from error
    if len(line) - len(bytes(contents.text)) - len(bytes(contents.base64)) > sidecar.MAX_BYTES:
        raise ChangeSetInvalid(f"has more than {sidecar.MAX_BYTES:,} bytes beside its content")


class _Contents(Struct, rename={"text": TEXT, "base64": BASE64}):
    text: msgspec.Raw = msgspec.Raw()
    base64: msgspec.Raw = msgspec.Raw()


def _content(members: dict[str, Any]) -> bytes:
    match members:
        case {"Content": _, "ContentBase64": _}:
            raise ChangeSetInvalid(f"gives both {TEXT} and {BASE64}")
        case {"Content": str(text)}:
            try:
                return text.encode()
            except UnicodeEncodeError as error:  # JSON can write half of a surrogate pair: "\ud800"
                raise ChangeSetInvalid(f"has half a character in {TEXT}, at {error.start}") from error
        case {"ContentBase64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError) as error:
                raise ChangeSetInvalid(f"has a {BASE64} that is not valid: {error}") from error
        case {"Content": _} | {"ContentBase64": _}:
            raise ChangeSetInvalid("has a content that is not a text")
    raise ChangeSetInvalid(f"has neither {TEXT}, nor {BASE64}, nor {DELETE!r}: true")
