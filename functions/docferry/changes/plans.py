"""Plans: a change set that a person has looked at, and that is sent as it is or not at all."""

from collections.abc import Iterator
from heapq import merge as merged
from itertools import islice

from msgspec import Struct, structs

from docferry.changes.access import Exposed
from docferry.delivery import shards
from docferry.errors import PlanMoved, PlanRefused
from docferry.model import Change
from docferry.reporting import ledger
from docferry.state import lines
from docferry.state.keys import CHANGES, EXPOSED, WITHHELD, run_key
from docferry.state.manifest import Pointer
from docferry.state.merge import align
from docferry.state.runs import Input, Operation, Shard, change_set
from docferry.state.runs import shards as shards_of
from docferry.state.store import Store

NAMED = 5


class Planned(Struct, frozen=True):
    """One document of a plan, and why it is in it.

    ``why``: ``added``, ``deleted``, ``withheld`` (a delete that waits for approval), ``exposed``; or, of a modified
    one, what differs, as ``changes.differences`` has it.
    """

    id: str
    why: tuple[str, ...]


def documents(store: Store, run: str) -> Iterator[Planned]:
    """Every document of a run's change set, sorted by id. None when its crawl did not end."""
    parts = shards_of(store, run)
    withheld = (Planned(lines.line_id(line), ("withheld",)) for line in _lines(store, run, WITHHELD))
    exposed = (Planned(lines.decode(line, Exposed).id, ("exposed",)) for line in _lines(store, run, EXPOSED))
    sent = (
        (Planned(change.id, change.why or (change.kind,)) for change in _changes(store, parts, operation))
        for operation in ("put", "delete")
    )
    return merged(*sent, withheld, exposed, key=lambda planned: planned.id)


def asked(store: Store, run: str) -> Input:
    """What a run that applies a plan is to do. Raises PlanRefused when that run is no plan, and PlanMoved."""
    entry = ledger.find(store, run)
    if entry is None:
        raise PlanRefused(f"this connector has no run {run}: `docferry runs` lists those it has")
    if entry.mode != "plan":
        raise PlanRefused(f"run {run} is not a plan: its mode is {entry.mode}; `docferry plan` makes one")
    if entry.data_source != store.data_source:
        raise PlanMoved(
            f"the index moved: run {run} is a plan for {entry.data_source}, and this is {store.data_source}; "
            "`docferry plan` makes a new one"
        )
    if entry.status != "SUCCEEDED" or not store.exists(run_key(run, CHANGES)):
        raise PlanRefused(f"run {run} is {entry.status}, or its change set is gone; `docferry plan` makes a new one")
    planned = change_set(store, run).input
    return structs.replace(planned, mode=planned.compares, dry_run=False)


def check_manifest(store: Store, run: str, current: Pointer | None) -> None:
    """Make sure that the manifest is the one that the plan was made against. Raises PlanMoved."""
    planned = change_set(store, run).manifest
    if planned != current:
        now = current.key if current else "none"
        raise PlanMoved(
            f"the manifest moved: the plan of run {run} was made against {planned.key if planned else 'none'}, and it "
            f"is {now} now; nothing was sent; `docferry plan` makes a new one"
        )


def check_changes(store: Store, run: str, found: list[Shard]) -> None:
    """Make sure that a crawl found what the plan says, change by change. Raises PlanMoved, which names documents."""
    planned = shards_of(store, run)
    if _digests(planned) == _digests(found):
        return
    moved = (
        (one or other)
        for operation in ("put", "delete")
        for one, other in align(
            _changes(store, planned, operation), _changes(store, found, operation), lambda c: c.id, lambda c: c.id
        )
        if one != other
    )
    named = [change.id for change in islice(moved, NAMED) if change is not None]
    if named:
        raise PlanMoved(
            f"the source moved since the plan of run {run}: {', '.join(named)}{' and others' if any(moved) else ''}; "
            "nothing was sent; `docferry plan` makes a new one"
        )


def _digests(parts: list[Shard]) -> list[tuple[str, str]]:
    return [(part.operation, part.sha256) for part in parts]


def _changes(store: Store, parts: list[Shard], operation: Operation) -> Iterator[Change]:
    for part in parts:
        if part.operation == operation:
            yield from shards.changes(store, part)


def _lines(store: Store, run: str, name: str) -> Iterator[bytes]:
    return store.lines_if_any(run_key(run, name))
