"""How far a comparison came, and what it works with.

A comparison goes through stages, and each stage through steps. What a step writes depends on the listing, the manifest
and the step before, and not on time: one that was interrupted is repeated, and writes the same objects.
"""

from typing import Literal

from msgspec import Struct, field

from docferry.changes import approvals
from docferry.changes.guard import Findings
from docferry.connector import Part as Setting
from docferry.delivery import shards
from docferry.delivery.shards import Begun
from docferry.indexes.service import FieldType
from docferry.runtime.wiring import Wired
from docferry.state.keys import COMPARISON, comparison_key, run_key
from docferry.state.manifest import Pointer
from docferry.state.merge import Ascending
from docferry.state.parts import Part
from docferry.state.runs import Checkpoint, Counts, Input
from docferry.state.sorting import Chunk
from docferry.state.store import Store

Stage = Literal["statuses", "order", "secret", "bare", "gather", "rename", "settle", "sort", "withhold", "whole"]
"""See ``stages.STAGES``. ``whole``: all shards are written."""


class Task(Struct, frozen=True, kw_only=True):
    """What a run is to do.

    ``input`` is the execution's, or, when the run applies a plan, that of the plan; ``plan`` is its run. ``strangers``
    counts sync jobs that this connector did not start, ``failed`` the documents of the last run that failed after it
    had ended. ``notes`` are for the report.
    """

    input: Input
    plan: str | None = None
    strangers: int = 0
    failed: int = 0
    notes: tuple[str, ...] = ()


class Progress(Struct, frozen=True, kw_only=True):
    """How far a comparison came (``comparison.json``).

    ``base`` is the manifest of the comparison. ``after`` is the last id, or place, of the last step of the stage;
    ``token`` says where the index goes on with its statuses. ``statuses``, ``secret``, ``bare``, ``kept`` and
    ``listed`` are sorted chunks that a stage writes and a later one reads. ``streams`` are the parts of the streams of
    a report, by their names.

    ``of_source`` counts the deletes of documents that came from the source, ``strays`` those of documents that only the
    index knew, and ``withdrawn`` those of documents that the source lists and the index must not show. ``attributes``
    are those of the documents to be put, and ``wrong`` says which of them the index does not take. ``found`` is what
    speaks for or against the deletes: it is judged once.
    """

    base: Pointer | None
    stage: Stage
    after: str = ""
    token: str | None = None
    statuses: tuple[Chunk, ...] = ()
    secret: tuple[Chunk, ...] = ()
    bare: tuple[Chunk, ...] = ()
    kept: tuple[Chunk, ...] = ()
    listed: tuple[Chunk, ...] = ()
    counts: Counts = Counts()
    of_source: int = 0
    strays: int = 0
    withdrawn: int = 0
    attributes: tuple[tuple[tuple[str, FieldType], str], ...] = ()
    puts: Begun = Begun()
    deletes: Begun = Begun()
    streams: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    scope: Setting | None = None
    found: Findings | None = None


class Work(Struct, frozen=True):
    """What a comparison works with: the run, its listing, what it is to do, and the manifest."""

    wired: Wired
    run: str
    checkpoint: Checkpoint
    task: Task
    base: Pointer | None

    @property
    def store(self) -> Store:
        """The state bucket."""
        return self.wired.store

    @property
    def shard_documents(self) -> int:
        """How many documents a shard has at most."""
        return shards.shard_documents(max(self.checkpoint.listed, self.base.documents if self.base else 0))

    def key(self, name: str) -> str:
        """The key of something that the comparison sets aside."""
        return comparison_key(self.run, name)

    def approved(self, after: str) -> Ascending:
        """The documents whose exposure a person approved, to be asked for in order."""
        return Ascending(approvals.exposed(self.store, self.task.input.approve, after=after))


def read(store: Store, run: str) -> Progress | None:
    """How far the comparison of a run came; None when it left no word. Raises StateInvalid."""
    record = store.read(run_key(run, COMPARISON), Progress)
    return record.value if record else None


def save(store: Store, run: str, progress: Progress) -> None:
    """Say how far the comparison of a run came."""
    store.write(run_key(run, COMPARISON), progress)
