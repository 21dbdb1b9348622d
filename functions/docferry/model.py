"""What moves through a sync: documents, changes to them, and what became of each change.

``gc=False``: made by the million, and none can hold itself, so the garbage collector need not look at them.
https://jcristharif.com/msgspec/structs.html
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

ContentType = Literal[
    "PDF", "HTML", "MS_WORD", "PLAIN_TEXT", "PPT", "RTF", "XML", "XSLT", "MS_EXCEL", "CSV", "JSON", "MD"
]
"""The content types that both services take (BatchPutDocument, ContentType / contentType)."""

SUFFIXES: dict[ContentType, str] = {
    "PDF": ".pdf",
    "HTML": ".html",
    "MS_WORD": ".docx",
    "PLAIN_TEXT": ".txt",
    "PPT": ".pptx",
    "RTF": ".rtf",
    "XML": ".txt",
    "XSLT": ".txt",
    "MS_EXCEL": ".xlsx",
    "CSV": ".csv",
    "JSON": ".txt",
    "MD": ".md",
}
"""The end of a key under which content is put on S3: Bedrock takes its type from there. What is text counts as text."""


class Date(Struct, frozen=True):
    """An attribute value that is a date; a struct, so that it is told from a string in JSON."""

    date: datetime


AttributeValue = str | int | tuple[str, ...] | Date


class Principal(Struct, frozen=True, gc=False):
    """A user or group that may, or may not, see a document."""

    name: str
    type: Literal["USER", "GROUP"]
    access: Literal["ALLOW", "DENY"]


class Member(Struct, frozen=True):
    """One member of a group: a user, or another group."""

    group: str
    member: str
    kind: Literal["user", "group"]


class Group(Struct, frozen=True):
    """A group with all of its direct members, sorted. ``id`` is its name."""

    id: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class Document(Struct, frozen=True, omit_defaults=True, gc=False):
    """A document as its source lists it: everything but the content.

    Its JSON encoding is its line in the manifest, so two documents with equal lines are equal.

    ``id`` is unique in the index and stable over runs. ``version`` identifies the content: a digest or an ETag.
    ``size`` is in bytes. ``origin`` says where the content is, source or inbox; ``locator`` is its path or key
    there. ``access_control`` empty means public, in services that do not say otherwise. ``members``, of an index that
    knows no groups, is a digest of the users that the access control stands for: who joins or leaves a group changes
    its documents. ``updated_at`` is sent, but a document that differs only in it is unchanged.
    """

    id: str
    version: str
    size: int
    locator: str
    content_type: ContentType
    title: str = ""
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    access_control: tuple[Principal, ...] = ()
    members: str = ""
    updated_at: datetime | None = None
    origin: Literal["source", "inbox"] = "source"


class Skipped(Struct, frozen=True, omit_defaults=True, gc=False):
    """Something the source holds that cannot be indexed as it is. It is reported, and stays as it is indexed.

    ``locator`` is given when the id is not certain (its sidecar is broken): an indexed document with this locator
    is then kept. ``incomplete`` says that documents may be hidden behind it, such as a folder that cannot be
    listed: then the whole listing deletes nothing. ``bare`` is the locator of a document that lacks access control:
    perhaps it has lost an id of its own with it, and is kept under that. ``access_control`` is what the document at
    ``place``, its locator, has now: where the index shows that document to others as well, it is deleted. ``origin``:
    as of Document.
    """

    id: str
    skipped: str
    locator: str | None = None
    incomplete: bool = False
    bare: str | None = None
    access_control: tuple[Principal, ...] = ()
    place: str | None = None
    origin: Literal["source", "inbox"] = "source"


Listed = Document | Skipped


class S3Object(Struct, frozen=True):
    """Content that the service reads from S3 itself. ``size`` is in bytes."""

    bucket: str
    key: str
    size: int


Content = bytes | S3Object


class Opened(Struct, frozen=True):
    """The content of a document now, and the version that it is: not always the version that was listed."""

    content: Content
    version: str


Kind = Literal["added", "modified", "deleted"]


class Change(Struct, frozen=True, omit_defaults=True, gc=False):
    """One document to put (added, modified) or to delete. ``id`` comes first: it is the sort key of the line.

    ``why`` says what of a modified document differs, as ``differences`` has it, or why one is deleted that the source
    lists. ``exposes``: the index has access
    control for the document, and this change would take it away.
    """

    id: str
    kind: Kind
    document: Document
    why: tuple[str, ...] = ()
    exposes: bool = False


Acceptance = Literal["acknowledged", "rejected", "doubtful"]


class Outcome(Struct, frozen=True, omit_defaults=True, gc=False):
    """One document of the change set, after it was sent to the index.

    ``acknowledged``: the index took the change. ``rejected``: it did not, and holds what it held before.
    ``doubtful``: it may hold the document as it was, as it is, or not at all.
    ``document`` is what was sent; for a delete, what was to be deleted. ``reason`` says why it is not acknowledged,
    ``poison`` that the document itself is to blame: sent again as it is, it fails again. ``late``: the index had
    accepted the change, and says now that it failed.
    """

    id: str
    kind: Kind
    document: Document
    state: Acceptance = "acknowledged"
    reason: str = ""
    poison: bool = False
    late: bool = False
