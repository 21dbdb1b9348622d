"""SyncGroups: tell the index who is in which group, and delete the groups that are gone.

It comes before the first document: while documents are sent, no group has a member who has left. So groups
that somebody has left go first, and one of them that the index does not take ends the run.

What is about to be sent is noted as doubtful before it is sent, and as known after the index has worked on it. An
invocation that dies leaves doubtful groups, which the next one sends again.
"""

from collections.abc import Callable, Iterator
from itertools import chain

from msgspec import Struct, structs

from docferry.changes import approvals
from docferry.errors import Conflict, RetriableError, StateInvalid
from docferry.groups import known, snapshot
from docferry.groups.differences import Difference, after, differences
from docferry.groups.known import Known, Pointer
from docferry.groups.sending import Sender
from docferry.groups.snapshot import NAMED, GroupsReport, Progress
from docferry.groups.undefined import undefined
from docferry.groups.withholding import because
from docferry.runtime.wiring import Wired
from docferry.state import sorting
from docferry.state.keys import CHECKPOINT, GROUPS_REPORT, GROUPS_WITHHELD, KNOWN_GROUPS, run_key
from docferry.state.merge import Ascending
from docferry.state.objects import Record
from docferry.state.runs import Checkpoint, Input, Run, change_set
from docferry.sync_job import lease

# A call that is throttled is tried again for about a minute, and what was sent has to be noted.
RESERVE_MS = 120_000
# What is sent before it is noted: up to 500 groups, or as many as have 50,000 members, which take some 5 MB of memory.
LOT = 50_000

Remaining = Callable[[], int]
"""Milliseconds that the invocation has left."""


class Synced(Struct, frozen=True):
    """Whether the index knows of every group now; if not, the state is entered again."""

    complete: bool
    groups: GroupsReport = GroupsReport()


def sync_groups(wired: Wired, run: Run, remaining: Remaining) -> Synced:
    """Tell the index what has changed about groups, while time is left.

    Raises LeaseLost, SourceUnavailable, StateInvalid; Conflict when the index does not take a group that somebody has
    left, or another attempt is at work.
    """
    store = wired.store
    lease.check(store, execution=run.execution)
    if wired.membership is None or not wired.tells_groups:
        return Synced(complete=True)
    progress = snapshot.progress(store, run.run)
    if progress is None:
        progress = snapshot.take(store, run.run, wired.membership)
        _save(wired, run, progress)
    if progress.report.unreadable:
        return Synced(complete=True, groups=progress.report)
    work = Work(wired, run, progress, remaining)
    work.forget()
    while work.in_time():
        lot = work.lot()
        if not lot:
            return Synced(complete=True, groups=work.finish())
        work.send(lot)
    return Synced(complete=False, groups=work.progress.report)


class Work:
    """One invocation's work on the groups of a run. ``progress`` is what is noted of it."""

    def __init__(self, wired: Wired, run: Run, progress: Progress, remaining: Remaining) -> None:
        self.progress = progress
        self._wired = wired
        self._store = wired.store
        self._run = run
        self._remaining = remaining
        self._input: Input = change_set(wired.store, run.run).input

    def in_time(self) -> bool:
        """Whether there is time for another call, and for noting what came of it."""
        return self._remaining() >= RESERVE_MS

    def forget(self) -> None:
        """In a run that sends everything, note every group as doubtful, once. A rebuild replaces what is corrupt."""
        if self._input.compares not in {"full", "rebuild"} or self.progress.forgotten:
            return
        try:
            if (record := self._read()) is not None:
                ordering = known.next_ordering(record.value)
                doubted = (structs.replace(one, doubtful=True, refused="") for one in self._known(record))
                known.move(self._store, self._name(ordering, "doubted"), record, record.etag, doubted, ordering)
        except StateInvalid:
            if self._input.compares != "rebuild":
                raise
            ordering, etag = known.next_ordering(None), self._store.etag(self._store.held(KNOWN_GROUPS))
            known.move(self._store, self._name(ordering, "nothing"), None, etag, (), ordering)
        self._note(structs.replace(self.progress, forgotten=True))

    def lot(self) -> list[Difference]:
        """The next groups to be sent, those first that somebody has left; none when all are sent."""
        why = self._withheld_because()
        found: list[Difference] = []
        size = 0
        for change in chain(self._due(why, narrowing=True), self._due(why, narrowing=False)):
            found.append(change)
            size += change.size
            if size >= LOT:
                break
        return found

    def send(self, lot: list[Difference]) -> None:
        """Send groups, and note what the index has made of them.

        Raises Conflict when one of them is one that somebody has left, and the index does not take it.
        """
        store, run = self._store, self._run
        record = self._read()
        ordering = known.next_ordering(record.value if record else None)
        underway = {change.id: change.underway() for change in lot}
        etag = record.etag if record else None
        before = known.move(
            store, self._name(ordering, "sent"), record, etag, after(self._known(record), underway), ordering
        )
        sender = Sender(store, self._wired.index, run.run, ordering=ordering, check=self._check, in_time=self.in_time)
        verdicts: dict[str, str] = {}
        try:
            verdicts.update((change.id, reason) for change, reason in sender.send(lot))
            accepted = [change for change in lot if change.id not in verdicts]
            for change, reason in sender.verdicts(accepted):
                verdicts[change.id] = reason
        except RetriableError:
            self._settle(before, lot, verdicts)
            raise
        self._settle(before, lot, verdicts)
        left = [change.id for change in lot if change.narrows and verdicts[change.id]]
        if left:
            raise Conflict(
                f"the index does not take groups that somebody has left: {', '.join(left[:NAMED])} "
                f"({verdicts[left[0]]}); no document is sent before it does"
            )

    def finish(self) -> GroupsReport:
        """Note what is withheld, and what documents name without being defined."""
        store, run = self._store, self._run.run
        why = self._withheld_because()
        with store.writing(run_key(run, GROUPS_WITHHELD)) as withheld:
            for name in self._unapproved() if why else ():
                withheld.add({"id": name})
        checkpoint = store.read(run_key(run, CHECKPOINT), Checkpoint)
        listing = sorting.merge(store, checkpoint.value.chunks if checkpoint else ())
        failed = sum(one.refused == run for one in self._known(known.read(store)))
        report = structs.replace(
            self.progress.report,
            withheld=withheld.count,
            withheld_because=why,
            failed=failed,
            undefined=undefined(listing, snapshot.wanted(store, run), NAMED),
        )
        self._note(structs.replace(self.progress, report=report))
        return report

    def _settle(self, before: Record[Pointer], lot: list[Difference], verdicts: dict[str, str]) -> None:
        """Note what the index has made of a lot. What it has given no verdict on stays doubtful."""
        self._check()
        outcomes: dict[str, Known | None] = {}
        for change in lot:
            if change.id in verdicts:
                refused = structs.replace(change.underway(), refused=self._run.run)
                outcomes[change.id] = refused if verdicts[change.id] else change.done()
        ordering = before.value.ordering
        now = after(self._known(before), outcomes)
        known.move(self._store, self._name(ordering, "known"), before, before.etag, now, ordering)
        report = self.progress.report
        failures = {name: reason for name, reason in report.failures.items() if verdicts.get(name) != ""}
        failures.update((name, reason) for name, reason in verdicts.items() if reason)
        taken = [change for change in lot if verdicts.get(change.id) == ""]
        deleted = sum(change.wanted is None for change in taken)
        report = structs.replace(
            report,
            put=report.put + len(taken) - deleted,
            deleted=report.deleted + deleted,
            failures=dict(sorted(failures.items())[:NAMED]),
        )
        self._note(structs.replace(self.progress, report=report))

    def _due(self, why: str, *, narrowing: bool) -> Iterator[Difference]:
        approved = self._approved()
        for change in self._differences():
            held_back = change.wanted is None and why and change.id not in approved
            again = change.known is not None and change.known.refused == self._run.run
            if change.narrows == narrowing and not held_back and (narrowing or not again):
                yield change

    def _withheld_because(self) -> str:
        connector = self._wired.settings.connector
        record = known.read(self._store)
        return because(
            connector.deletes,
            deletes=sum(1 for _ in self._unapproved()),
            known=record.value.groups if record else 0,
            empty=not self.progress.report.defined,
            command=f"docferry approve {self._run.run} --connector {connector.name}",
        )

    def _unapproved(self) -> Iterator[str]:
        """The groups that are gone from the list, and whose deletion is not approved."""
        approved = self._approved()
        for change in self._differences():
            if change.wanted is None and change.id not in approved:
                yield change.id

    def _differences(self) -> Iterator[Difference]:
        wanted = snapshot.wanted(self._store, self._run.run)
        found = differences(self._known(known.read(self._store)), wanted)
        return (change for change in found if change.id not in self.progress.refused)

    def _approved(self) -> Ascending:
        return Ascending(approvals.groups(self._store, self._input.approve))

    def _known(self, record: Record[Pointer] | None) -> Iterator[Known]:
        return known.groups(self._store, record.value if record else None)

    def _read(self) -> Record[Pointer] | None:
        """What the pointer says, to move it. Who has lost the lease finds out here, or that the pointer has moved."""
        record = known.read(self._store)
        self._check()
        return record

    def _check(self) -> None:
        lease.check(self._store, execution=self._run.execution)

    def _name(self, ordering: int, what: str) -> str:
        return f"{self._run.run}-{ordering}-{what}"

    def _note(self, progress: Progress) -> None:
        self.progress = progress
        _save(self._wired, self._run, progress)


def _save(wired: Wired, run: Run, progress: Progress) -> None:
    wired.store.write(run_key(run.run, GROUPS_REPORT), progress)
