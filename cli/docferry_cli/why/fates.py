"""What became of a document in each run, from what the runs have left in the state bucket."""

from collections.abc import Iterator
from itertools import islice

from msgspec import Struct, structs

from docferry.changes import quarantine
from docferry.changes.quarantine import Failing
from docferry.delivery import shards
from docferry.model import Outcome
from docferry.reporting import ledger, report
from docferry.reporting.ledger import Entry
from docferry.settlement import outcomes
from docferry.state import lines, runs
from docferry.state.keys import EXPOSED, FAILED, QUARANTINED, SKIPPED, WITHHELD, run_key
from docferry.state.runs import Operation, Shard
from docferry.state.store import Store
from docferry_cli.why.answer import Became, Fate

RUNS = 100
"""How many runs are looked at. Each costs a call, and those that moved something a few more."""


class Told(Struct, frozen=True):
    """What the runs tell of a document. ``looked`` is how many there were; ``running`` is the run that goes on.

    ``sent`` and ``since`` are as in answer.Manifest.
    """

    fates: tuple[Fate, ...] = ()
    sent: str = ""
    since: str = ""
    running: str = ""
    looked: int = 0


class _Reason(Struct):
    id: str
    skipped: str = ""
    reason: str = ""


def told(store: Store, id_: str) -> Told:
    """Go back through the runs until one has added or deleted the document. Raises StateInvalid."""
    fates: list[Fate] = []
    sent = since = running = ""
    looked = 0
    for looked, entry in enumerate(islice(_relevant(store), RUNS), 1):  # noqa: B007  # read after the loop
        if entry.status == "RUNNING":
            running = running or entry.run
            continue
        fate = of_run(store, entry, id_)
        if fate is None:
            continue
        last = fates[-1] if fates else None
        # Why deletes are withheld names the run, and so differs from run to run.
        if (
            last is not None
            and last.became == fate.became
            and (fate.became == "withheld" or last.reason == fate.reason)
        ):
            fates[-1] = structs.replace(last, since=fate.run, runs=last.runs + 1)
        else:
            fates.append(fate)
        if fate.became in {"added", "modified"}:
            sent = sent or fate.run
        if fate.became == "added":
            since = fate.run
        if fate.became in {"added", "deleted"}:
            break
    return Told(tuple(fates), sent, since, running, looked)


def of_run(store: Store, entry: Entry, id_: str) -> Fate | None:
    """What one run made of the document; None when it was as before, or the run has left nothing of it."""
    found = _held_back(store, entry, id_) or _outcome(store, entry, id_)
    if found is None:
        return None
    became, reason = found
    return Fate(became=became, reason=reason, run=entry.run, ended=entry.ended, since=entry.run)


def failing(store: Store, id_: str) -> Failing | None:
    """The record of a document that keeps failing."""
    return next((one for one in quarantine.read(store) if one.id == id_), None)


def _relevant(store: Store) -> Iterator[Entry]:
    """The runs on this data source that sent something, or could have."""
    for entry in ledger.newest(store):
        if entry.mode != "plan" and entry.data_source in {"", store.data_source}:
            yield entry


def _held_back(store: Store, entry: Entry, id_: str) -> tuple[Became, str] | None:
    """Whether a list of the run has the document. A run that has ended counts what each of its lists has."""
    lists: tuple[tuple[Became, str, int], ...] = (
        ("skipped", SKIPPED, entry.skipped),
        ("withheld", WITHHELD, entry.withheld),
        ("exposed", EXPOSED, entry.exposed),
        ("quarantined", QUARANTINED, entry.quarantined),
    )
    for became, name, count in lists:
        if count or entry.status != "SUCCEEDED":
            line = _line(store, run_key(entry.run, name), id_, sure=count > 0)
            if line is not None:
                return became, _reason(store, entry.run, became, line)
    return None


def _reason(store: Store, run: str, became: Became, line: bytes) -> str:
    if became == "withheld":
        written = report.read(store, run)
        return written.withheld_because if written else ""
    if became == "exposed":
        return "it had access control, and had none in this run"
    said = lines.decode(line, _Reason)
    return said.skipped or said.reason


def _outcome(store: Store, entry: Entry, id_: str) -> tuple[Became, str] | None:
    """What became of the document if it was part of the run's change set."""
    if entry.failed or entry.status != "SUCCEEDED":
        line = _line(store, run_key(entry.run, FAILED), id_, sure=False)
        if line is not None:
            outcome = lines.decode(line, Outcome)
            return "doubtful" if outcome.state == "doubtful" else "failed", outcome.reason
    if entry.status == "SUCCEEDED" and not entry.added + entry.modified + entry.deleted:
        return None
    parts = runs.shards(store, entry.run)
    operations: tuple[Operation, ...] = ("put", "delete")
    for operation in operations:
        shard = _shard(store, [part for part in parts if part.operation == operation], id_)
        if shard is None:
            continue
        found = outcomes.of_shard(store, shard, done=shards.has_result(store, shard))
        outcome_ = next((one for one in found if one.id == id_), None)
        if outcome_ is not None:
            known: dict[str, Became] = {"rejected": "failed", "doubtful": "doubtful"}
            return known.get(outcome_.state, outcome_.kind), outcome_.reason
    return None


def _shard(store: Store, parts: list[Shard], id_: str) -> Shard | None:
    """The shard that may have the document: a binary search, for shards are in the order of their ids."""
    low, high = 0, len(parts)
    while high - low > 1:
        middle = (low + high) // 2
        first = next((change.id for change in shards.changes(store, parts[middle])), "")
        low, high = (middle, high) if first <= id_ else (low, middle)
    return parts[low] if parts else None


def _line(store: Store, key: str, id_: str, *, sure: bool) -> bytes | None:
    """The line of a document in a sorted stream. ``sure``: the stream is there."""
    for line in store.lines(key) if sure or store.exists(key) else ():
        here = lines.line_id(line)
        if here >= id_:
            return line if here == id_ else None
    return None
