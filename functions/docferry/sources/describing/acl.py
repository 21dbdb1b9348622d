"""Access control by prefix: one JSON file for a whole source, as the services' own S3 connectors read it. Pure.

https://docs.aws.amazon.com/kendra/latest/dg/s3-acl.html:

    [{"keyPrefix": "s3://BUCKET/contracts/", "aclEntries": [{"Name": "legal", "Type": "GROUP", "Access": "ALLOW"}]}]

That page does not say what happens where prefixes overlap, or where none matches. Docferry reads it in the safest way:
ALLOW comes from the sidecar, or else from the longest prefix that allows anybody, DENY from everywhere, and a document
that nothing covers is kept back.
"""

import json
from typing import Annotated

from msgspec import Meta, Struct, structs

from docferry.errors import ConfigurationError, DocumentError
from docferry.model import Principal
from docferry.sources.describing import sidecar
from docferry.sources.describing.sidecar import Sidecar, SidecarError

AclFile = Annotated[
    str, Meta(min_length=1, description="the file that says who may see what is below each prefix, such as acl.json")
]
MAX_BYTES = 20_000_000
"""The quotas page of Kendra names a limit of the file, 10 MB by default, and lets it be raised."""


class NotCovered(DocumentError):  # noqa: N818  # named after what happened, as docferry.errors are
    """Neither a prefix nor a sidecar says who may see the document."""


class Acl(Struct, frozen=True):
    """Who may see what is below each prefix. ``name`` is that of the file, for messages."""

    name: str
    entries: dict[str, tuple[Principal, ...]]

    def applied(self, path: str, said: Sidecar) -> Sidecar:
        """A sidecar with the access control that holds for its document. Raises NotCovered when there is none."""
        covering = [self.entries[path[:length]] for length in range(len(path) + 1) if path[:length] in self.entries]
        stated = [said.access_control, *reversed(covering)]
        if not any(stated):
            raise NotCovered(f"no keyPrefix of {self.name} covers it: add one, or everybody would see it")
        allowed = next(filter(None, ([one for one in part if one.access == "ALLOW"] for part in stated)), [])
        denied = [one for part in stated for one in part if one.access == "DENY"]
        return structs.replace(said, access_control=tuple(dict.fromkeys((*allowed, *denied))))


def applied(file: Acl | None, path: str, said: Sidecar) -> Sidecar:
    """What a sidecar says, with what the file says where a source has one. Raises NotCovered."""
    return file.applied(path, said) if file else said


def read(data: bytes, name: str, bucket: str = "") -> Acl:
    """Read the file. In a bucket, prefixes may begin with ``s3://<bucket>/``.

    Raises ConfigurationError for anything that is not understood in full: it may be what keeps a document secret.
    """
    try:
        return Acl(name, _entries(data, bucket))
    except SidecarError as error:
        raise ConfigurationError(f"{name} {error}; nothing is sent before it is mended") from error


def _entries(data: bytes, bucket: str) -> dict[str, tuple[Principal, ...]]:
    if len(data) > MAX_BYTES:
        raise SidecarError(f"is larger than {MAX_BYTES:,} bytes")
    listed = sidecar.parse(data)
    if not isinstance(listed, list):
        raise SidecarError('must be a list of {"keyPrefix": ..., "aclEntries": [...]}')
    entries: dict[str, tuple[Principal, ...]] = {}
    for number, written in enumerate(listed):
        prefix, principals = _entry(written, f"[{number}]", bucket)
        if prefix in entries:
            raise SidecarError(f"[{number}] gives the keyPrefix {prefix!r} a second time")
        entries[prefix] = principals
    return entries


def _entry(written: object, where: str, bucket: str) -> tuple[str, tuple[Principal, ...]]:
    if not isinstance(written, dict) or written.keys() != {"keyPrefix", "aclEntries"}:
        raise SidecarError(f"{where} must have a keyPrefix and aclEntries, and nothing else")
    prefix = written["keyPrefix"]
    if not isinstance(prefix, str):
        raise SidecarError(f"{where}.keyPrefix must be a text, not {json.dumps(prefix)[:80]}")
    if prefix.startswith("s3://"):
        named, _, prefix = prefix.removeprefix("s3://").partition("/")
        if named != bucket:
            raise SidecarError(f"{where}.keyPrefix names s3://{named}, which is not the bucket of this source")
    try:
        said = sidecar.understood({"AccessControlList": written["aclEntries"]})
    except SidecarError as error:
        raise SidecarError(f"{where} {error}".replace("AccessControlList", "aclEntries")) from error
    return prefix, said.access_control
