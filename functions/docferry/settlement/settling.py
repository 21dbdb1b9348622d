"""How far a settlement came (``settling.json``): what was decided stays so in the invocation that goes on with it."""

from collections.abc import Callable, Iterable

from msgspec import Struct, structs

from docferry.indexes import SyncJob
from docferry.model import Outcome
from docferry.state.keys import run_key
from docferry.state.manifest import Pointer
from docferry.state.parts import Part
from docferry.state.sorting import Chunk
from docferry.state.store import Store

RESERVE_MS = 300_000
"""The time that is kept when a step ends. The next one takes 200 s where the index is asked about 10,000 documents, ten
in a call, at five calls a second. What comes after the last one takes less: ten million failures are read in 100 s."""

Remaining = Callable[[], int]
"""Milliseconds that the invocation has left."""


class Unfinished(Exception):  # noqa: N818  # says how far a settlement is, and is always caught
    """Time runs short. What was done is kept, and another invocation goes on."""


class Listing(Struct, frozen=True, kw_only=True):
    """What the index has listed of its documents, in sorted chunks. ``token`` says where the next page begins."""

    chunks: tuple[Chunk, ...] = ()
    token: str | None = None
    whole: bool = False


class Tally(Struct, frozen=True, kw_only=True):
    """Documents, by what became of them.

    ``late`` are those of the ``failed`` ones that the index says have failed after it had accepted them.
    """

    added: int = 0
    modified: int = 0
    deleted: int = 0
    failed: int = 0
    late: int = 0

    def counting(self, outcomes: Iterable[Outcome]) -> "Tally":
        """With these added."""
        counts = structs.asdict(self)
        for outcome in outcomes:
            counts["late"] += outcome.late
            counts[outcome.kind if outcome.state == "acknowledged" else "failed"] += 1
        return Tally(**counts)


class Settling(Struct, frozen=True, kw_only=True):
    """A settlement on its way: what it was begun with, and what its last step has left.

    ``base`` is the manifest that it changes, ``job`` the sync job as it was seen, ``missing`` are the shards without a
    result. ``split`` are the parts of a base that was one object.

    Outcomes up to the id ``after`` are judged, and ``reached`` says in which shards that is (outcomes.Left).
    ``parts_done`` of the base are done with; of the next one, lines up to the id ``written`` are written. ``parts`` is
    the new manifest so far, ``failed`` the outcomes that were not acknowledged. ``statuses`` is what
    the index has said of all its documents until now. ``only_counts``: the manifest has moved already, and nothing is
    written to it. ``done``: there is no step left.
    """

    base: Pointer | None
    job: SyncJob | None = None
    missing: tuple[str, ...] = ()
    split: tuple[Part, ...] | None = None
    after: str = ""
    reached: tuple[int, int] = (0, 0)
    parts_done: int = 0
    written: str = ""
    parts: tuple[Part, ...] = ()
    failed: tuple[Part, ...] = ()
    statuses: Listing = Listing()
    only_counts: bool = False
    tally: Tally = Tally()
    done: bool = False


def read(store: Store, key: str) -> Settling | None:
    """How far a settlement came; None when it has made no step."""
    record = store.read(key, Settling)
    return record.value if record else None


def key(run: str) -> str:
    """Where it stands how far the settlement of a run came."""
    return run_key(run, "settling.json")


def key_of_failed(run: str, failed: int) -> str:
    """The same, of a later look at a job that then counted ``failed`` failures."""
    return run_key(run, f"settling-{failed}.json")
