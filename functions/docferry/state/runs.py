"""What the states of one run hand to each other on S3, and how the run is described when it ends."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from docferry.connector import Part
from docferry.errors import FatalError
from docferry.state.keys import BATCHES, CHANGES, run_key
from docferry.state.manifest import Pointer
from docferry.state.sorting import Chunk
from docferry.state.store import Store
from docferry.state.stream import Written

Operation = Literal["put", "delete"]
Mode = Literal["sync", "full", "reconcile", "rebuild", "plan"]
Trigger = Literal["manual", "schedule", "upload"]


class Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The input of an execution, all of it optional.

    ``sync`` sends what has changed; ``full`` everything; ``reconcile`` also what the index turns out not to hold, and
    deletes what it should not; ``rebuild`` starts a manifest anew, and deletes nothing; ``plan`` is ``sync`` with
    ``dry_run``, which stops before the sync job. ``approve`` is a run: what it has withheld may pass. ``apply`` is a
    run that was a plan: exactly its change set is sent. ``events`` is a run, too, most often the run itself: only the
    keys that were put down for it are looked at. ``trigger`` says what started the execution.
    """

    mode: Mode = "sync"
    dry_run: bool = False
    approve: str | None = None
    apply: str | None = None
    events: str | None = None
    trigger: Trigger = "manual"

    def __post_init__(self) -> None:
        """Refuse members that do not go together. Raises ValueError."""
        if self.apply is not None and (self.approve is not None or not self.sends or self.mode != "sync"):
            raise ValueError("apply goes with nothing else: the plan says the mode, and what was approved")
        if self.events is not None and (self.approve or self.apply or not self.sends or self.mode != "sync"):
            raise ValueError("events goes with nothing else: everything but a sync compares the whole source")

    @property
    def sends(self) -> bool:
        """Whether the index is to be changed at all."""
        return not self.dry_run and self.mode != "plan"

    @property
    def compares(self) -> Mode:
        """The mode that a plan is a plan of."""
        return "sync" if self.mode == "plan" else self.mode


class Run(Struct, frozen=True):
    """One execution of the state machine: its name, and its ARN."""

    run: str
    execution: str


class Events(Struct, frozen=True):
    """The keys whose change has started a run (``events.json``)."""

    keys: tuple[str, ...]


class Looked(Struct, frozen=True, kw_only=True):
    """What a run of events compares: documents of the manifest ``base``, in sorted chunks. ``keys`` were looked at."""

    keys: int
    held: tuple[Chunk, ...]
    base: Pointer | None


class HandedIn(Struct, frozen=True):
    """What the inbox holds that is not in the listing of the run yet: the lines of ``listing`` ``after`` an id."""

    listing: Chunk
    after: str = ""


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a crawl came (``checkpoint.json``).

    ``source`` is None at the start and once the source was listed to its end, which ``complete`` says. ``collected``
    says that the inbox is in the listing, too, as it was at ``inbox_until``: then it is whole. ``handed_in`` is what of
    it is still to be listed. ``documents`` are those that the source has listed, ``listed`` also counts what was
    skipped. ``contents`` say where the content is that the listing has carried, ``notes`` where the source's notes are.
    ``looked`` is None for a crawl of the whole source.
    """

    chunks: tuple[Chunk, ...] = ()
    contents: tuple[Chunk, ...] = ()
    notes: tuple[Written, ...] = ()
    source: str | None = None
    complete: bool = False
    collected: bool = False
    inbox_until: datetime | None = None
    handed_in: HandedIn | None = None
    listed: int = 0
    documents: int = 0
    uncertain: frozenset[str] = frozenset()
    incomplete: str | None = None
    looked: Looked | None = None


class Shard(Struct, frozen=True):
    """One item of ``batches.json``, the input of one Map child: documents to put, or to delete.

    ``sha256`` is the digest of the object that lists them. ``exact``: a plan is being applied, so a document
    whose content has changed since is not sent.
    """

    run: str
    operation: Operation
    shard: str
    documents: int
    sha256: str
    exact: bool = False


class Counts(Struct, frozen=True, kw_only=True):
    """Documents, by what a run finds and does. The crawl counts what is due, the report what was done.

    ``failed`` are those that the index does not hold as it should. ``withheld`` are deletes that the guard keeps back,
    ``exposed`` documents that have lost their access control and stay as they are indexed, ``quarantined`` puts of
    documents that failed too often. ``approved`` are changes among the others that pass only because a person approved
    them.
    """

    added: int = 0
    modified: int = 0
    deleted: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    quarantined: int = 0
    withheld: int = 0
    exposed: int = 0
    approved: int = 0


class ChangeSet(Struct, frozen=True, kw_only=True):
    """What the crawl decided (``changes.json``): the counts, and the manifest that they were counted against.

    ``rebuild``: replace that manifest, even a damaged one. ``sends`` is false for a dry run. ``input`` is what
    the run was asked for. ``scope`` are the settings of the source to be remembered, None when deletes were withheld
    because of them, and ``settings`` the digest of all of the connector's. ``keys`` is how many
    keys a run of uploads has looked at, None for a crawl of the whole source. ``notes`` are sentences for the report.
    """

    counts: Counts
    manifest: Pointer | None
    withheld_because: str = ""
    rebuild: bool = False
    sends: bool = True
    input: Input = Input()
    scope: Part | None = None
    settings: str = ""
    keys: int | None = None
    notes: tuple[str, ...] = ()


def change_set(store: Store, run: str) -> ChangeSet:
    """The change set of a run. Raises FatalError when its crawl wrote none."""
    record = store.read(run_key(run, CHANGES), ChangeSet)
    if record is None:
        raise FatalError(f"run {run} has no change set: its crawl did not end")
    return record.value


def shards(store: Store, run: str) -> list[Shard]:
    """The shards of a run, in order; none when its crawl did not end."""
    record = store.read(run_key(run, BATCHES), list[Shard])
    return record.value if record else []
