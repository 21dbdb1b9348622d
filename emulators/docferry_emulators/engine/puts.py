"""What a put brings, what is kept of it until it is indexed, and by which rules it is accepted."""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from docferry_emulators.engine.access import Tree
from docferry_emulators.engine.fields import DATA_SOURCE_ID, EXECUTION_ID, Value
from docferry_emulators.engine.resources import Resource

Code = Literal["InternalError", "InvalidRequest", "ResourceInactive", "ResourceNotFound"]


class Rejection(Struct, frozen=True):
    """A document that is not accepted. It is listed in FailedDocuments and counts in no metric."""

    id: str
    code: Code
    message: str
    data_source: str | None = None


class S3Object(Struct, frozen=True):
    """Where the content is on S3."""

    bucket: str
    key: str


class Put(Struct, kw_only=True):
    """One document of a put. ``problem`` says what the mapping from the wire has found wrong with it."""

    id: str
    title: str | None = None
    blob: bytes | None = None
    s3: S3Object | None = None
    content_type: str | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    acl: Tree | None = None
    data_source: str | None = None
    execution_id: str | None = None
    problem: str | None = None


class Payload(Struct, omit_defaults=True):
    """The data of an accepted put that indexing needs, without the content."""

    account: str
    title: str | None = None
    s3: S3Object | None = None
    content_type: str | None = None
    attributes: dict[str, Any] = {}
    acl: Tree | None = None
    text_bytes: int | None = None
    ignore_unchanged: bool = False


class Rules(Struct, frozen=True, kw_only=True):
    """The limits and answers in which the services differ."""

    document_bytes: int
    request_bytes: int | None
    unknown_delete: Rejection | None
    """The answer to a delete of a document that does not exist (the id is filled in). None accepts the delete."""
    documents: int | None = None
    """How many documents fit into the index."""
    text: int | None = None
    attributes: int | None = None
    principals: int
    """How many entries the access control of one document may have."""
    text_bytes: int | None = None
    """How much text one document may have, in bytes. None: no limit."""
    ignore_unchanged: bool = False
    """Whether a put that changes nothing ends as IGNORED."""
    deletes_failed: bool = False
    """Whether a document that has failed, and so is listed and not found, counts as one that exists for a delete."""


def payload_of(index: Resource, put: Put, rules: Rules, *, declared: bool) -> bytes:
    """Return the data of an accepted put that indexing needs.

    In an index with ``declared`` fields, two attributes name the data source and the job of a document: they are not
    kept.
    """
    ties = {EXECUTION_ID, DATA_SOURCE_ID} if declared else set()
    attributes = {name: value.data for name, value in put.attributes.items() if name not in ties}
    payload = Payload(
        account=index.account,
        title=put.title,
        s3=put.s3,
        content_type=put.content_type,
        attributes=attributes,
        acl=put.acl,
        text_bytes=rules.text_bytes,
        ignore_unchanged=rules.ignore_unchanged,
    )
    return msgspec.json.encode(payload)
