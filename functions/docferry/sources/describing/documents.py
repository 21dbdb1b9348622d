"""What every source says of a document in the same way: its id, what keeps it out of an index, its listing."""

from datetime import datetime
from pathlib import PurePosixPath

from docferry.model import ContentType, Document, Skipped
from docferry.sources.describing.content_types import content_type
from docferry.sources.describing.sidecar import NOTHING_SAID, SUFFIX, Sidecar

MAX_BYTES = 50_000_000
"""The most that Kendra takes of one document (quotas page: 50 MB from S3)."""


def skipped(
    connector: str,
    path: str,
    reason: str,
    *,
    sidecar: Sidecar | None = None,
    uncertain: bool = False,
    incomplete: bool = False,
) -> Skipped:
    """Report what is at ``path`` as not indexable.

    ``uncertain``: its sidecar could not be read, so the document may be indexed under another id.
    """
    said = sidecar or NOTHING_SAID
    return Skipped(
        id=f"{connector}/{said.document_id or path}",
        skipped=reason,
        locator=path if uncertain else None,
        incomplete=incomplete,
        bare=path if sidecar and not said.document_id and not said.access_control else None,
        access_control=said.access_control,
        place=path if said.access_control else None,
    )


def inside(path: str) -> bool:
    """Whether a text can be a path below the root of a source at all."""
    parts = path.split("/")
    return bool(parts[0]) and "\0" not in path and ".." not in parts


def no_document(path: str, acl: str | None) -> str | None:
    """Return why a path is never a document: it is a sidecar, or the file that ``acl`` names. None when it may be."""
    if path.endswith(SUFFIX):
        return "it is a sidecar: it describes a document, and is none"
    return "it is the file that source.acl names" if path == acl else None


def obstacle(path: str, size: int, sidecar: Sidecar) -> str | None:
    """Return why a document of ``size`` bytes cannot be indexed; None when it can."""
    if path.lower().endswith(SUFFIX):
        return f"looks like a sidecar, but its name does not end in {SUFFIX!r} letter by letter; rename it"
    return unindexable(path, size, sidecar, cure="name a ContentType in its sidecar")


def unindexable(name: str, size: int, said: Sidecar, *, cure: str) -> str | None:
    """Return why content of ``size`` bytes under a name cannot be indexed; ``cure`` is what to do about its type."""
    if type_of(name, said) is None:
        extension = PurePosixPath(name).suffix
        what = f"{extension} is not a type" if extension else "no extension: not a type"
        return f"{what} that the services index; {cure}"
    if not size:
        return "is empty"
    if size > MAX_BYTES:
        return f"is larger than {MAX_BYTES // 1_000_000} MB, the most a service takes"
    return None


def type_of(path: str, sidecar: Sidecar) -> ContentType | None:
    """Return the content type: the sidecar's word counts before the extension's."""
    return sidecar.content_type or content_type(path)


def document(
    connector: str,
    path: str,
    *,
    version: str,
    size: int,
    updated_at: datetime | None,
    uri: str | None,
    sidecar: Sidecar,
) -> Document:
    """List a document that has no obstacle; ``path`` is its locator, and its id unless the sidecar has one."""
    kind = type_of(path, sidecar)
    assert kind is not None
    return Document(
        id=f"{connector}/{sidecar.document_id or path}",
        version=version,
        size=size,
        locator=path,
        content_type=kind,
        title=sidecar.title or path.rpartition("/")[2],
        attributes={**({"_source_uri": uri} if uri else {}), **sidecar.attributes},
        access_control=sidecar.access_control,
        updated_at=updated_at,
    )
