"""Which messages the end of a run makes."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from msgspec import Struct, structs
from zstandard import ZstdError

from docferry.changes.guard import CURE, INCOMPLETE
from docferry.connector import Connector
from docferry.errors import StateInvalid
from docferry.indexes import service
from docferry.messages import outbox
from docferry.messages.message import Cause, Message, What, command, message_id, printable
from docferry.messages.outbox import Memory, Open
from docferry.messages.reasons import reason
from docferry.reporting import ledger
from docferry.reporting.report import Report
from docferry.state import lines
from docferry.state.keys import CHANGES, EXPOSED, GROUPS_WITHHELD, WITHHELD, run_key
from docferry.state.runs import ChangeSet, Counts, Run
from docferry.state.store import Store

RECOVERED: dict[What, str] = {
    "failed": "A run has succeeded again, for the first time since one failed",
    "withheld": "No delete is withheld any more",
    "exposed": "No document without access control is held back any more",
}
"""What is over, by what was wrong."""

LISTS: dict[What, tuple[str, ...]] = {"withheld": (WITHHELD, GROUPS_WITHHELD), "exposed": (EXPOSED,)}
"""The lists that say what a run has held back."""


class End(Struct, frozen=True, kw_only=True):
    """The end of a run.

    ``number`` is its place in the ledger, 0 when it has none. ``plan``: the run was not to change anything, or was to
    leave every delete to another. ``held_back`` has the digest of each list of what it has held back. ``time`` is now.
    """

    connector: Connector
    execution: str
    report: Report
    number: int = 0
    plan: bool = False
    rebuild: bool = False
    held_back: dict[What, str] = {}
    time: datetime


def note(store: Store, connector: Connector, run: Run, report: Report, channels: tuple[str, ...]) -> None:
    """Write down the messages that the end of a run makes. May be repeated. Raises StateInvalid, ServiceUnavailable."""
    memory = outbox.read(store)
    if run.run in memory.runs or (report.status == "SUCCEEDED" and not report.held_back and not memory.open):
        return
    end = _end(store, connector, run, report)
    outbox.change(store, lambda now: remember(now, end, channels))


def remember(memory: Memory, end: End, channels: tuple[str, ...]) -> Memory:
    """The memory with what the end of a run changes. Pure; the end of the same run changes nothing again."""
    report = end.report
    if report.run in memory.runs or end.plan:
        return memory
    before = {one.what: one for one in memory.open}
    over = [one for one in memory.open if _is_over(one, end)]
    now = {what: one for what, one in before.items() if one not in over}
    told: list[What] = []
    if report.status == "FAILED":
        told.append("failed")
    told += [what for what, digest in end.held_back.items() if what not in now or now[what].digest != digest]
    for what in told:
        if what not in now or now[what].number <= end.number:
            now[what] = Open(what, report.run, end.number, end.held_back.get(what, ""))
    messages = [_message(end, what) for what in told]
    if over:
        causes = tuple(Cause(one.what, one.run) for one in over)
        messages.insert(0, _message(end, "recovered", causes))
    return outbox.add(memory, report.run, now.values(), messages, channels)


def _is_over(open_: Open, end: End) -> bool:
    """Whether the end of a run shows that something is not wrong any more."""
    if end.report.status == "FAILED" or end.number <= open_.number:
        return False
    return open_.what == "failed" or (open_.what not in end.held_back and not end.rebuild)


def _end(store: Store, connector: Connector, run: Run, report: Report) -> End:
    entry = record = None
    with suppress(StateInvalid):  # the next run tells of it
        entry = ledger.find(store, run.run)
        record = store.read(run_key(run.run, CHANGES), ChangeSet)
    counted: dict[What, int] = {"withheld": report.withheld + _withheld_groups(report), "exposed": report.exposed}
    return End(
        connector=connector,
        execution=run.execution,
        report=report,
        number=entry.number if entry else 0,
        plan=report.dry_run or (entry is not None and entry.mode == "plan"),
        rebuild=record is not None and record.value.rebuild,
        held_back={what: _digest(store, run.run, LISTS[what]) for what, count in counted.items() if count},
        time=datetime.now(UTC),
    )


def _digest(store: Store, run: str, names: tuple[str, ...]) -> str:
    """What tells a list of documents from another one. A list that cannot be read is told from every other one."""
    digest = hashlib.sha256()
    try:
        for key in (run_key(run, name) for name in names):
            for line in store.lines_if_any(key):
                digest.update(lines.line_id(line).encode() + b"\n")
            digest.update(b"\n")
    except (ValueError, ZstdError):
        return f"the list of {run}"
    return digest.hexdigest()


def _message(end: End, what: What, recovered_from: tuple[Cause, ...] = ()) -> Message:
    report, connector = end.report, end.connector
    error, why = reason(report.error) if what == "failed" else ("", " ".join(_why(end, what, recovered_from)))
    shown = command("report", report.run, connector.name)
    approvable = what == "exposed" or (what == "withheld" and _can_be_approved(report))
    return Message(
        id=message_id(connector.name, report.run, what),
        what=what,
        connector=connector.name,
        index=_index(connector),
        run=report.run,
        execution=end.execution,
        execution_id=report.execution_id,
        time=end.time,
        title=_title(end, what),
        why=why,
        error=error,
        counts={count.name: getattr(report, count.name) for count in structs.fields(Counts)}
        | {"withheld_groups": _withheld_groups(report)},
        command=command("approve", report.run, connector.name) if approvable else shown,
        report=shown,
        recovered_from=recovered_from,
    )


def _title(end: End, what: What) -> str:
    report = end.report
    match what:
        case "failed":
            return "a run failed"
        case "withheld":
            deletes, groups = _several(report.withheld, "delete"), _several(_withheld_groups(report), "group")
            return f"{' and '.join(deletes + groups)} withheld"
        case "exposed":
            return f"{' '.join(_several(report.exposed, 'document'))} without access control held back"
        case "recovered":
            return "recovered"


def _why(end: End, what: What, recovered_from: tuple[Cause, ...]) -> Iterator[str]:
    report = end.report
    if what == "recovered":
        for cause in recovered_from:
            yield f"{RECOVERED[cause.what]} (run {printable(cause.run)})."
        return
    if what == "withheld":
        if report.withheld:
            yield f"Deletes: {_said(report.withheld_because)}."
        if report.groups and report.groups.withheld:
            yield f"Groups: {_said(report.groups.withheld_because)}."
    else:
        yield (
            f"{report.exposed:,} documents had access control and have none now. They stay as they are indexed, "
            "because the index shows a document without access control to everybody. If that is not meant, restore "
            "their access control in the source."
        )
    if what == "exposed" or _can_be_approved(report):
        yield f"An approval lets pass all that this run held back: {', '.join(_held_back(report))}."


def _held_back(report: Report) -> list[str]:
    return [
        *([] if _incomplete(report) else _several(report.withheld, "delete")),
        *_several(_withheld_groups(report), "delete of a group", "deletes of groups"),
        *_several(report.exposed, "document that everybody will see", "documents that everybody will see"),
    ]


def _several(count: int, one: str, many: str = "") -> list[str]:
    return [f"{count:,} {one if count == 1 else many or f'{one}s'}"] if count else []


def _said(because: str) -> str:
    """Why something was withheld, without the command, and without the document that an incomplete listing names."""
    return INCOMPLETE if because.startswith(INCOMPLETE) else because.partition(CURE)[0]


def _can_be_approved(report: Report) -> bool:
    """Whether an approval lets any delete pass."""
    return not _incomplete(report) or _withheld_groups(report) > 0


def _incomplete(report: Report) -> bool:
    return report.withheld_because.startswith(INCOMPLETE)


def _withheld_groups(report: Report) -> int:
    return report.groups.withheld if report.groups else 0


def _index(connector: Connector) -> dict[str, str]:
    part = connector.index
    return {"kind": part.kind} | {name: str(part.settings.get(name, "")) for name in service(part.kind).ids}
