"""What the states of one run hand to each other on S3, and how the run is described when it ends."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from docferry.errors import FatalError
from docferry.manifest import Pointer
from docferry.sorting import Chunk
from docferry.store import Store, run_key

Operation = Literal["put", "delete"]


class Run(Struct, frozen=True):
    """One execution of the state machine: its name, and its ARN."""

    run: str
    execution: str


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a crawl came (``checkpoint.json``).

    ``source`` is None at the start and once the source was listed to its end, which ``complete`` says. ``collected``
    says that the inbox is in the listing, too, as it was at ``inbox_until``: then it is whole.
    """

    chunks: tuple[Chunk, ...] = ()
    source: str | None = None
    complete: bool = False
    collected: bool = False
    inbox_until: datetime | None = None
    listed: int = 0
    uncertain: frozenset[str] = frozenset()
    incomplete: str | None = None


class Shard(Struct, frozen=True):
    """One item of ``batches.json``, the input of one Map child: at most 500 documents to put, or to delete.

    ``sha256`` is the digest of the object that lists them.
    """

    run: str
    operation: Operation
    shard: str
    documents: int
    sha256: str


class Counts(Struct, frozen=True, kw_only=True):
    """Documents, by what the crawl found.

    ``withheld`` are deletes that the guard keeps back, ``quarantined`` puts of documents that failed too often.
    """

    added: int = 0
    modified: int = 0
    deleted: int = 0
    unchanged: int = 0
    skipped: int = 0
    quarantined: int = 0
    withheld: int = 0


class ChangeSet(Struct, frozen=True, kw_only=True):
    """What the crawl decided (``changes.json``): the counts, and the manifest that they were counted against.

    ``rebuild``: that manifest is to be replaced, whatever it is. ``sends`` is false for a dry run.
    """

    counts: Counts
    manifest: Pointer | None
    withheld_because: str = ""
    rebuild: bool = False
    sends: bool = True


CHECKPOINT = "checkpoint.json"
CHANGES = "changes.json"
BATCHES = "batches.json"
REPORT = "report.json"
SKIPPED = "skipped.jsonl.zst"
FAILED = "failed.jsonl.zst"
QUARANTINED = "quarantined.jsonl.zst"
DELETES = "deletes.jsonl.zst"


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
