"""The answer of `docferry why`: what ``--json`` prints."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from docferry.groups.readers import Verdict
from docferry.indexes import Indexed
from docferry.model import Document, Principal

Subject = Literal["source", "inbox", "manifest", "runs"]
Became = Literal["added", "modified", "deleted", "failed", "doubtful", "skipped", "withheld", "exposed", "quarantined"]
"""What a run made of a document, in the words of its report."""

Due = Literal["nothing", "add", "modify", "delete", "keep", "skip", "hold back", "quarantine", "unknown"]
"""What the next sync does with the document. ``keep``: it cannot be described, so it stays as it is indexed."""


class Described(Struct, frozen=True, kw_only=True):
    """A document as a source lists it, or as the manifest has it. ``size`` is in bytes; ``version`` may be empty."""

    id: str
    title: str
    locator: str
    origin: Literal["source", "inbox"]
    uri: str
    content_type: str
    version: str
    size: int
    updated_at: datetime | None
    access_control: tuple[Principal, ...]


class Source(Struct, frozen=True, kw_only=True):
    """What the source says now.

    ``listed``: it lists the document. ``skipped``: it lists it, and it cannot be indexed. ``left out``: it is there,
    and a setting leaves it out. ``absent``: it is not there. ``not asked``: the command was told not to look.
    ``unknown``: it could not be read from here, or not to its end. ``reason`` says more of all but ``listed``.
    """

    state: Literal["listed", "skipped", "left out", "absent", "not asked", "unknown"]
    reason: str = ""
    document: Described | None = None


class Manifest(Struct, frozen=True, kw_only=True):
    """What the index is known to hold. ``held`` None: the manifest could not be read, and ``problem`` says why.

    ``doubtful``: the index may hold the document as it was, as it is described, or not at all. ``since`` is the run
    that added it, ``sent`` the run that sent it last; empty when that run is not kept any more.
    """

    held: bool | None
    document: Described | None = None
    doubtful: bool = False
    since: str = ""
    sent: str = ""
    problem: str = ""


class Fate(Struct, frozen=True, kw_only=True):
    """What runs made of the document: the last of them, and since which run it has been the same, and how often."""

    became: Became
    reason: str
    run: str
    ended: datetime | None
    since: str
    runs: int = 1


class Failures(Struct, frozen=True, kw_only=True):
    """The document keeps failing as it is: in how many runs, and why. ``quarantined``: it is not sent any more."""

    runs: int
    reason: str
    last_run: str
    quarantined: bool


class Index(Struct, frozen=True, kw_only=True):
    """What the index itself says of the document. ``status`` None: it could not be asked; ``message`` says why."""

    status: Indexed | None
    message: str = ""
    updated_at: datetime | None = None


class Reads(Struct, frozen=True, kw_only=True):
    """Whether a user may see the document.

    ``indexed``: by the access control that the index was given, and the groups it is known to hold; None when it is not
    known to hold the document. ``listed``: by the access control that the source has now. ``index``: what the index
    itself says, with the groups that it knows the user in; None when it cannot tell, and ``index_says`` says why.
    """

    user: str
    groups: tuple[str, ...]
    indexed: Verdict | None
    listed: Verdict | None
    index: bool | None
    index_groups: tuple[str, ...] = ()
    index_says: str = ""


class Next(Struct, frozen=True, kw_only=True):
    """What the next sync does. ``why`` says what differs, or what holds the document back."""

    due: Due
    why: tuple[str, ...] = ()


class Why(Struct, frozen=True, kw_only=True):
    """Everything that is known of one document. ``advice`` is one sentence: what to do.

    ``notes`` are sentences about what could not be found out, or what else a person should know. ``running`` is a run
    that is going on.
    """

    id: str
    connector: str
    target: str
    service: str
    source: Source
    next: Next
    manifest: Manifest
    fates: tuple[Fate, ...]
    failures: Failures | None
    index: Index
    reader: Reads | None
    advice: str
    running: str = ""
    notes: tuple[str, ...] = ()


class Match(Struct, frozen=True, kw_only=True):
    """A document that fits what was asked for, or comes near it."""

    connector: str
    id: str
    locator: str


class Answer(Struct, frozen=True, kw_only=True):
    """The answer. ``document`` is None unless exactly one fits.

    ``matches`` are all that fit, at most 20. ``nearest`` are others that are written nearly so, when none fits.
    ``problems`` say why the answer is not certain.
    """

    asked: str
    document: Why | None = None
    matches: tuple[Match, ...] = ()
    nearest: tuple[Match, ...] = ()
    problems: tuple[str, ...] = ()


def described(document: Document) -> Described:
    """A document as the answer has it."""
    uri = document.attributes.get("_source_uri")
    return Described(
        id=document.id,
        title=document.title,
        locator=document.locator,
        origin=document.origin,
        uri=uri if isinstance(uri, str) else "",
        content_type=document.content_type,
        version=document.version,
        size=document.size,
        updated_at=document.updated_at,
        access_control=document.access_control,
    )
