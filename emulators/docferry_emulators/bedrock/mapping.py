"""Translates documents between Bedrock's names and the engine's: content, metadata, access control."""

from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

from docferry_emulators.backend import Wire
from docferry_emulators.engine.access import Control, Principal, Tree
from docferry_emulators.engine.fields import Kind, Value
from docferry_emulators.engine.puts import Put, S3Object
from docferry_emulators.errors import OperationNotImplemented, ValidationFailed

Access = Literal["on", "off", "ignored"]
"""What access control a data source takes: it has it, or it does not and refuses or ignores it."""

# The formats of https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base-ds.html, by MIME type and suffix.
CONTENT_TYPES = {
    "text/plain": "PLAIN_TEXT",
    "text/markdown": "MD",
    "text/html": "HTML",
    "text/csv": "CSV",
    "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "MS_WORD",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "MS_EXCEL",
}
SUFFIXES = {
    ".txt": "PLAIN_TEXT",
    ".md": "MD",
    ".html": "HTML",
    ".csv": "CSV",
    ".pdf": "PDF",
    ".docx": "MS_WORD",
    ".xlsx": "MS_EXCEL",
}
VALUES: dict[str, tuple[str, Kind]] = {
    "BOOLEAN": ("booleanValue", "BOOLEAN"),
    "NUMBER": ("numberValue", "NUMBER"),
    "STRING": ("stringValue", "STRING"),
    "STRING_LIST": ("stringListValue", "STRING_LIST"),
}
"""The member and the engine's kind of each type of attribute."""
HIDDEN = Tree(())
"""The access control of a document that has none, in a data source that has it: nobody sees the document."""


def put_of(number: int, document: Wire, access: Access) -> Put:
    """Read a document of an ingest, the ``number``-th of its request.

    Raises ValidationFailed if a member is missing that its type asks for, and for access control that the data source
    does not take.
    """
    place = f"documents.{number}.member"
    custom = _chosen(document["content"], "custom", f"{place}.content")
    put = Put(id=custom["customDocumentIdentifier"]["id"])
    _read_content(put, custom, f"{place}.content.custom")
    metadata = document.get("metadata", {})
    if metadata.get("type") == "S3_LOCATION":
        raise OperationNotImplemented("Metadata in a file on S3 is not emulated, only IN_LINE_ATTRIBUTE.")
    put.attributes = _attributes(metadata.get("inlineAttributes", []), f"{place}.metadata.inlineAttributes")
    entries = metadata.get("accessControlList")
    if access == "on":
        put.acl = HIDDEN if entries is None else Tree((Control(tuple(_principal(entry) for entry in entries)),))
    elif access == "off" and entries is not None:
        raise ValidationFailed.of(
            f"{place}.metadata.accessControlList", "The data source has no access control (aclEnabled is not true)."
        )
    return put


def id_of(identifier: Wire, place: str) -> str:
    """Return the id of a custom document. Raises ValidationFailed if it is missing."""
    name: str = _chosen(identifier, "custom", place)["id"]
    return name


def acl_to_wire(tree: Tree | None) -> Wire:
    """Write the access control of a document: those who are allowed, and those who are denied."""
    principals = [principal for control in tree.controls for principal in control.principals] if tree else []
    lists = {}
    for member, access in (("allowList", "ALLOW"), ("denyList", "DENY")):
        users = [{"id": one.name, "type": "DATA_SOURCE"} for one in principals if one.access == access]
        if users:
            lists[member] = {"conditions": [{"users": users, "conditionOperator": "OR"}], "memberRelation": "OR"}
    return lists


def _read_content(put: Put, custom: Wire, place: str) -> None:
    if custom["sourceType"] == "S3_LOCATION":
        uri = urlsplit(_chosen(custom, "s3Location", place)["uri"], allow_fragments=False)
        key = uri.path.removeprefix("/") + (f"?{uri.query}" if uri.query else "")
        suffix = PurePosixPath(key).suffix.lower()
        put.s3, put.content_type = S3Object(uri.netloc, key), SUFFIXES.get(suffix, suffix or "without a suffix")
        return
    inline = _chosen(custom, "inlineContent", place)
    if inline["type"] == "TEXT":
        put.blob = _chosen(inline, "textContent", f"{place}.inlineContent")["data"].encode()
        put.content_type = "PLAIN_TEXT"
    else:
        content = _chosen(inline, "byteContent", f"{place}.inlineContent")
        mime = content["mimeType"].partition(";")[0].strip().lower()
        put.blob, put.content_type = content["data"], CONTENT_TYPES.get(mime, mime)


def _attributes(wire: list[Wire], place: str) -> dict[str, Value]:
    attributes: dict[str, Value] = {}
    for number, attribute in enumerate(wire, 1):
        here = f"{place}.{number}.member"
        if attribute["key"] in attributes:
            raise ValidationFailed.of(f"{here}.key", f"The attribute {attribute['key']} is given more than once.")
        member, kind = VALUES[attribute["value"]["type"]]
        attributes[attribute["key"]] = Value(kind, _chosen(attribute["value"], member, f"{here}.value"))
    return attributes


def _principal(wire: Wire) -> Principal:
    return Principal(wire["type"], wire["name"], wire["access"])


def _chosen(wire: Wire, member: str, place: str) -> Any:
    """Return the member that the type of a structure asks for. Raises ValidationFailed if it is missing."""
    if member not in wire:
        raise ValidationFailed.of(f"{place}.{member}", f"The type of {place} asks for {member}.")
    return wire[member]
