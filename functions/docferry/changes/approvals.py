"""Approvals: a person lets pass what one run has withheld, document by document, and nothing else.

What was withheld is three lists of that run: ``withheld.jsonl.zst``, deletes, ``exposed.jsonl.zst``, documents that
have lost their access control, and ``groups_withheld.jsonl.zst``, groups that are not deleted. An approval is used by
one run (``approval.json``), and then no more.
"""

from collections.abc import Iterator

from msgspec import Struct, structs

from docferry.errors import ApprovalRefused
from docferry.reporting import ledger, report
from docferry.state import lines
from docferry.state.keys import APPROVAL, EXPOSED, GROUPS_WITHHELD, WITHHELD, run_key
from docferry.state.objects import Moved
from docferry.state.runs import Input, change_set
from docferry.state.store import Store


class Approval(Struct, frozen=True):
    """The run that has used the approval."""

    used_by: str


def check(store: Store, run: str, *, by: str | None = None) -> None:
    """Check that what a run has withheld can be approved. ``by`` is the run that approves; None means the next one.

    Raises ApprovalRefused, and StateInvalid when nobody can say.
    """
    entry = ledger.find(store, run)
    if entry is None:
        raise ApprovalRefused(f"this connector has no run {run}: `docferry runs` lists those it has")
    if entry.data_source != store.data_source:
        raise ApprovalRefused(
            f"run {run} belongs to another data source, {entry.data_source}; what it has withheld is not in this one, "
            f"{store.data_source}: run `docferry sync`, and approve what that withholds"
        )
    found = report.read(store, run)
    if entry.status == "RUNNING" or found is None:
        raise ApprovalRefused(f"run {run} has not ended, or left no report: wait for it, or run `docferry sync`")
    if not found.withheld and not found.exposed and not (found.groups and found.groups.withheld):
        raise ApprovalRefused(f"run {run} has withheld nothing; there is nothing to approve")
    missing = [name for name in (WITHHELD, EXPOSED) if not store.exists(run_key(run, name))]
    if missing:
        raise ApprovalRefused(
            f"run {run} has no list of what it withheld any more: run `docferry sync`, and approve what that withholds"
        )
    used = used_by(store, run)
    if used is not None and used != by:
        raise ApprovalRefused(
            f"run {run} was approved already, by run {used}; what is still withheld is in the report of a later run"
        )


def asked(store: Store, run: str, by: Input) -> Input:
    """What the run that approves is to do: documents that only a reconcile has found, only a reconcile finds again."""
    reconciled = change_set(store, run).input.compares == "reconcile"
    return structs.replace(by, mode="reconcile") if reconciled and by.mode == "sync" else by


def use(store: Store, run: str, *, by: str) -> None:
    """Use the approval of a run up. May be repeated by the same run. Raises ApprovalRefused."""
    try:
        store.create(run_key(run, APPROVAL), Approval(by))
    except Moved:
        check(store, run, by=by)


def deletes(store: Store, run: str | None) -> Iterator[str]:
    """The ids of the deletes that a run has withheld, sorted. None: no run, and so none."""
    return _ids(store, run, WITHHELD)


def exposed(store: Store, run: str | None) -> Iterator[str]:
    """The ids of the documents without access control that a run has held back, sorted. None: no run."""
    return _ids(store, run, EXPOSED)


def groups(store: Store, run: str | None) -> Iterator[str]:
    """The names of the groups that a run has not deleted, sorted; none when it had nothing to do with groups."""
    there = run is not None and store.exists(run_key(run, GROUPS_WITHHELD))
    return _ids(store, run if there else None, GROUPS_WITHHELD)


def _ids(store: Store, run: str | None, name: str) -> Iterator[str]:
    return map(lines.line_id, store.lines(run_key(run, name))) if run is not None else iter(())


def used_by(store: Store, run: str) -> str | None:
    """The run that has used the approval of a run, or None. Raises StateInvalid."""
    record = store.read(run_key(run, APPROVAL), Approval)
    return record.value.used_by if record else None
