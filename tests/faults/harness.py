"""The harness: one case from its beginning to the clean run after it, and what must be true on the way."""

import json
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from msgspec import structs

from docferry.delivery.shards import changes
from docferry.errors import ManifestInvalid
from docferry.messages import outbox
from docferry.reporting import report
from docferry.reporting.report import Report
from docferry.state.keys import EVENTS, LEASE, run_key
from docferry.state.runs import Events, Run, shards
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry.sync_job.job import SyncJobRecord
from tests.faults import kinds, watched
from tests.faults.catalogue import KINDS, Case
from tests.faults.kinds import Fault
from tests.faults.points import RETURN, Call, Point, Proceed, Recorder, Watch
from tests.faults.stage import INLINE_BYTES, NAME, PATIENCE_SECONDS, Ended, Snapshot, Stage, stage
from tests.first_layout import as_first_laid_out

BASE = "abcdhijkl"
GONE = frozenset({f"{NAME}/c.txt"})
"""What the scenarios' own changes remove from the source."""
GONE_TOO = frozenset(f"{NAME}/{letter}.txt" for letter in "abdhi")
"""What the scenario ``approval`` removes besides."""
REJECTED = f"{NAME}/f.txt"

SCENARIOS: dict[str, frozenset[str]] = {
    "changes": frozenset(),
    "late": frozenset({"commit"}),
    "first": frozenset({"commit"}),
    "recovery": frozenset({"crawl"}),
    "cleanup": frozenset({"janitor"}),
    "inbox": frozenset({"crawl"}),
    "approval": frozenset({"crawl"}),
    "first layout": frozenset({"crawl", "commit"}),
    "afterwards": frozenset({"crawl"}),
    "groups": frozenset({"sync_groups"}),
    "events": frozenset({"crawl", "commit"}),
    "pieces": frozenset({"crawl", "commit"}),
}
"""The runs that faults are tried in, each with the functions whose points are new in it; none stands for all.

``changes``: documents are added, one modified, one deleted, one rejected. ``late``: the same, and one fails while it is
indexed. ``first``: there has never been a run. ``recovery``: the run before was aborted while it sent documents, and no
janitor has run. ``cleanup``: the job cannot be stopped where it should be, and so the run ends with the janitor.
``inbox``: change sets have come from another crawler. ``approval``: a person approves what a run has withheld.
``first layout``: the state bucket was written by the first versions. ``afterwards``: a document of the last run has
failed after that run had ended. ``groups``: the connector has groups, of which some have changed. ``events``: uploads
have started the run, which looks at what they name. ``pieces``: as ``changes``, in invocations that are over soon.
"""

GROUPS_BEFORE = {"deck": "ann bob", "crew": "@deck", "large": "ann bob eve dan", "gone": "eve"}
GROUPS_NOW = {"deck": "ann", "crew": "@deck", "large": "ann bob eve gus", "new": "eve"}


class Injector:
    """An interceptor that lets faults happen."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults

    def around(self, call: Call, proceed: Proceed) -> Any:
        """Proceed through every fault that strikes here."""
        for fault in self.faults:
            if fault.hits(call):
                fault.struck += 1
                proceed = _struck(fault, call, proceed)
        try:
            return proceed()
        finally:
            if not call.service:
                for fault in self.faults:
                    fault.returned(call.invocation)


def _struck(fault: Fault, call: Call, proceed: Proceed) -> Proceed:
    return lambda: fault.strike(call, proceed)


class Harness:
    """Tries cases on one stage."""

    def __init__(self, on: Stage) -> None:
        self.stage = on
        self.watch = Watch(Recorder())
        for letter in BASE:
            on.write(f"{letter}.txt", f"{letter}, as it was")
        first = on.snapshot()
        on.hand_in("1", m="m, handed in", n="n, handed in")
        assert on.sync().status == "SUCCEEDED"
        # Long ago for every case: an answer that lags may show the documents as that run has put them.
        on.aws.clock.sleep(3_600)
        self.before = on.index()
        on.store.delete_prefix("runs/")
        grouped = self._grouped()
        self._edit()
        self._snapshots = {"first": first, "changes": on.snapshot()}
        on.restore(grouped)
        self._edit()
        self._snapshots["groups"] = on.snapshot()
        self._kind = on.connector.source.kind
        self._snapshots["events"] = self._watched(first)
        on.restore(self._snapshots["changes"])
        on.hand_in("2", m="m, handed in anew", o="o, handed in")
        on.hand_in("3", m="m, handed in once more", n=None)
        self._snapshots["inbox"] = on.snapshot()
        self._approves = self._withheld()
        changes = self._snapshots["changes"]
        objects = as_first_laid_out(changes.objects, on.store.held(""))
        self._snapshots["first layout"] = structs.replace(changes, objects=objects)
        self._snapshots["afterwards"] = self._failed_afterwards()
        self._inputs: dict[str, object] = {}
        self.left = ""
        """The run that the scenario ``recovery`` begins after: what it left is not a failing of the run after it."""

    def _edit(self) -> None:
        """What the scenarios change in the source."""
        on = self.stage
        on.write("b.txt", f"b, changed and long enough to be staged{'!' * INLINE_BYTES}")
        on.remove("c.txt")
        on.write("e.txt", "e, added")
        on.write("f.txt", "f, rejected")
        on.write("g.txt", "g, added")

    def _grouped(self) -> Snapshot:
        """The state after a run with groups, and nothing else that is new. Leaves the stage as it was."""
        on = self.stage
        before = on.snapshot()
        on.define(GROUPS_BEFORE)
        on.with_groups(wanted=True)
        assert on.sync().status == "SUCCEEDED"
        assert on.groups() == on.members
        on.store.delete_prefix("runs/")
        after = on.snapshot()
        on.with_groups(wanted=False)
        on.restore(before)
        return after

    def _watched(self, first: Snapshot) -> Snapshot:
        """The state after a crawl of a source that tells of single keys, and edits since. Leaves it as it was."""
        on = self.stage
        on.restore(first)
        on.with_kind(watched.KIND)
        on.hand_in("1", m="m, handed in", n="n, handed in")
        assert on.sync().status == "SUCCEEDED"
        on.aws.clock.sleep(3_600)
        self._known = {file.name: file.read_text("utf-8") for file in on.folder.iterdir()}
        self._edit()
        after = on.snapshot()
        on.with_kind(self._kind)
        return after

    def _heard(self, run: str) -> dict[str, object]:
        """Put down for a run the keys of all files that have changed since the crawl; give the run's input."""
        now = {file.name: file.read_text("utf-8") for file in self.stage.folder.iterdir()}
        keys = [name for name in sorted(now.keys() | self._known.keys()) if now.get(name) != self._known.get(name)]
        self.stage.store.write(run_key(run, EVENTS), Events(tuple(keys)))
        return {"trigger": "upload", "events": run}

    def reference(self, scenario: str) -> list[Call]:
        """The points that a run of the scenario comes to when nothing else goes wrong."""
        recorder = Recorder()
        run, faults = self._prepare(scenario)
        self._run(run, faults, recorder)
        functions = SCENARIOS[scenario]
        return [call for call in recorder.calls if not functions or call.point.function in functions]

    def violations(self, case: Case) -> list[str]:
        """What is not as it should be in a case; nothing, when all is well."""
        try:
            return list(self._tried(case))
        except Exception:  # noqa: BLE001  # whatever a case brings about is a finding
            return [traceback.format_exc(limit=-4)]

    def _tried(self, case: Case) -> Iterator[str]:
        run, background = self._prepare(case.scenario)
        faults = [KINDS[kind](self.stage, self.watch, point) for kind, point in case.faults]
        for fault in faults:
            fault.run, fault.alone = run, len(faults) == 1
        ended = self._run(run, [*background, *faults], None)
        for fault in faults:
            fault.end()
            yield from fault.problems
        if len(faults) == 1 and not faults[0].struck:
            yield "the point was not reached"
        self.stage.clear()
        rebuild = any(fault.rebuild and fault.struck for fault in faults)
        if not self.stage.executed_well(ended):
            for _ in range(2):
                self.stage.janitor(Run(ended.run, ended.execution))
        yield from self._invariants(ended, {} if case.scenario == "first" else self.before, readable=not rebuild)
        yield from self._cured(rebuild=rebuild)
        yield from self._told(ended)

    def _prepare(self, scenario: str) -> tuple[str, list[Fault]]:
        if scenario == "recovery" and scenario not in self._snapshots:
            self._snapshots[scenario] = self._aborted()
        self.stage.restore(self._snapshots.get(scenario, self._snapshots["changes"]))
        self.stage.pieces.short = scenario == "pieces"
        self.stage.with_groups(wanted=scenario == "groups")
        self.stage.with_kind(watched.KIND if scenario == "events" else self._kind)
        self.stage.define(GROUPS_NOW if scenario == "groups" else {})
        # After a run that leaves a document that failed the next one crawls the whole source, whatever else happened.
        self.stage.knobs.reject = {} if scenario == "events" else {REJECTED: "never"}
        run, background = str(uuid4()), list[Fault]()
        self._inputs = {"approve": self._approves} if scenario == "approval" else {}
        if scenario == "events":
            self._inputs = self._heard(run)
        if scenario == "late":
            self.stage.knobs.fail_documents[f"{NAME}/g.txt"] = "cannot be read"
        if scenario == "cleanup":
            background = [kinds.CrashBeforeAlways(self.stage, self.watch, Point("stop_sync", RETURN))]
            background[0].run = run
        self.watch.reset()
        return run, background

    def _withheld(self) -> str:
        """Let a run withhold the deletes of many documents, and give its name."""
        on = self.stage
        on.restore(self._snapshots["changes"])
        for id_ in GONE_TOO:
            on.remove(id_.removeprefix(f"{NAME}/"))
        ended = on.sync()
        assert ended.report is not None
        assert ended.report.withheld == len(GONE | GONE_TOO)
        self._snapshots["approval"] = on.snapshot()
        return ended.run

    def _failed_afterwards(self) -> Snapshot:
        """The state after a run of which a document has failed, which nobody could see as long as it ran."""
        on = self.stage
        on.restore(self._snapshots["changes"])
        on.lag(metrics_lag=3600.0, status_lag=3600.0)
        on.knobs.fail_documents = {f"{NAME}/g.txt": "cannot be read"}
        ended = on.sync()
        assert ended.report is not None
        # Metrics of the adapter's own come from the same statuses, which are not believed as long as they lag.
        assert ended.report.failed == 0 or not on.wired.index.service.has_jobs
        return on.snapshot()

    def _aborted(self) -> Snapshot:
        """The state after a run that was aborted amid its puts, and that no janitor has cleaned up after."""
        on = self.stage
        run, _ = self._prepare("changes")
        self.left = run
        with on.one_worker():
            fault = kinds.AbortedDead(on, self.watch, Point("put_batch", on.wired.index.service.on_index["put"][0]))
            fault.run = run
            self._run(run, [fault], None)
        assert fault.struck
        return on.snapshot()

    def _run(self, run: str, faults: list[Fault], recorder: Recorder | None) -> Ended:
        injector = Injector(faults)
        self.watch.interceptor = Both(injector, recorder) if recorder else injector
        with self.watch.installed():
            ended = self.stage.sync(run, **self._inputs)
            if not self.watch.idle(PATIENCE_SECONDS):
                raise TimeoutError("a handler did not end")
        return ended

    def _invariants(self, ended: Ended, before: dict[str, str], *, readable: bool) -> Iterator[str]:
        """What must be true after any run, whatever went wrong in it."""
        on = self.stage
        record = sync_job.read(on.store)
        if (open_jobs := {"SYNCING", "STOPPING"} & set(on.jobs())) and not (record and record.run == self.left):
            yield f"a sync job is {open_jobs}"
        if (held := on.store.read(LEASE, lease.Lease)) and held.value.run != self.left:
            yield f"the lease is held by {held.value.execution}"
        if not on.store.exists(f"runs/{ended.run}/report.json"):
            yield "the run has no report"
        index, source = on.index(), on.source()
        gone = GONE | GONE_TOO if "approve" in self._inputs else GONE
        if lost := (before.keys() & source.keys()) - gone - index.keys():
            yield f"deleted, though in the source: {sorted(lost)}"
        yield from self._groups_kept(index)
        if not readable:
            return
        try:
            manifest = on.manifest()
        except ManifestInvalid as error:
            yield f"the manifest cannot be read: {error}"
            return
        unsettled = self._unsettled()
        for document in manifest.values():
            if document.version and document.id not in unsettled:
                yield from self._held(document.id, document.version, index)

    def _groups_kept(self, index: dict[str, str]) -> Iterator[str]:
        """What is known of groups is so, and no document was sent before those who have left a group were out of it."""
        on = self.stage
        if on.connector.groups is None:
            return
        groups = on.groups()
        for one in on.known_groups():
            members = frozenset([*one.users, *(f"@{name}" for name in one.groups)])
            if not one.doubtful and groups.get(one.id) != members:
                yield f"group {one.id} is known to have {sorted(members)}, and has {groups.get(one.id)}"
        if f"{NAME}/e.txt" in index and (
            "bob" in groups.get("deck", ()) or ("gone" in groups and "gone" not in on.members)
        ):
            yield f"documents were sent while somebody who has left is in a group: {groups}"

    def _held(self, id_: str, version: str, index: dict[str, str]) -> Iterator[str]:
        if id_ not in index:
            yield f"the manifest has {id_}, the index has not"
        elif index[id_] != self.stage.contents[version]:
            yield f"the manifest has {id_} as {self.stage.contents[version]!r}, the index as {index[id_]!r}"

    def _rebuilt(self) -> tuple[Ended, set[str]]:
        """Start the manifest anew; give the run after that, and what nobody can know any more."""
        on = self.stage
        clean = on.sync(mode="rebuild")
        # A rebuild deletes nothing. The run after it deletes what a manifest still knew.
        clean = on.sync() if clean.status == "SUCCEEDED" else clean
        if on.service == "kendra":
            return clean, on.index().keys() - on.source().keys()
        # What none knew only a service that lists its documents can name.
        clean = on.sync(mode="reconcile") if clean.status == "SUCCEEDED" else clean
        # Where nobody can tell who has put it, a person has to say that it may go.
        seen = clean.report is not None and clean.report.withheld > 0 and not on.wired.index.service.has_jobs
        return (on.sync(approve=clean.run) if seen else clean), set()

    def _unsettled(self) -> set[str]:
        """The documents that a run has told the index of, and that the next one will account for."""
        store = self.stage.store
        record = sync_job.read(store)
        if record is None or (record.state == "settled" and not self._has_grown(record)):
            return set()
        return {change.id for shard in shards(store, record.run) for change in changes(store, shard)}

    def _has_grown(self, record: SyncJobRecord) -> bool:
        """Whether the metrics of the last job count other failures by now than those that were committed on."""
        job = sync_job.find(self.stage.wired.index, record.execution_id) if record.execution_id else None
        return job is not None and job.metrics.failed != record.failed

    def _told(self, ended: Ended) -> Iterator[str]:
        """A run that failed is told on both channels, always in the same words, and so is the end of the trouble."""
        on = self.stage
        events, mails = on.listener.events(), on.listener.mails()
        words: dict[str, set[str]] = {}
        for event in events:
            words.setdefault(event["id"], set()).add(json.dumps(event))
        heard = words.keys() & {mail.attributes["id"] for mail in mails}
        if waiting := outbox.read(on.store).waiting:
            yield f"messages still wait: {waiting}"
        if changed := [id_ for id_, told in words.items() if len(told) > 1]:
            yield f"told twice, in other words: {changed}"
        written = report.read(on.store, ended.run)
        if written is not None and written.status == "FAILED" and f"{NAME}/{ended.run}/failed" not in heard:
            yield f"the failed run was not told: {sorted(words)}"
        whats = {event["what"] for event in events if event["id"] in heard}
        if "failed" in whats and "recovered" not in whats:
            yield f"it was not told that all is well again: {sorted(words)}"

    def _groups_cured(self) -> Iterator[str]:
        on = self.stage
        groups = on.groups() if on.connector.groups is not None else on.members
        if groups != on.members:
            yield f"after a clean run the groups are {groups}, not {on.members}"

    def _cured(self, *, rebuild: bool) -> Iterator[str]:
        """One clean run makes index and source equal; the one after it has nothing to do."""
        on = self.stage
        run = str(uuid4())
        # The run that uploads have started is cured by the one that the next uploads start.
        inputs = self._heard(run) if "events" in self._inputs and not rebuild else {}
        clean, strays = self._rebuilt() if rebuild else (on.sync(run, **inputs), set[str]())
        if "approve" in self._inputs and clean.report is not None and clean.report.withheld:
            clean = on.sync(approve=clean.run)  # the approval was used up by the run that something went wrong in
        found = clean.report
        if found is None or clean.status != "SUCCEEDED" or found.failed or found.withheld:
            yield f"the clean run is not clean: {found or on.error(clean)}"
        source, index, manifest = on.source(), on.index(), on.manifest()
        for id_ in sorted((index.keys() | source.keys()) - strays):
            if (held := index.get(id_)) != (wanted := source.get(id_)):
                yield f"after a clean run the index holds {id_} as {held!r}, not {wanted!r}"
        if manifest.keys() != source.keys():
            yield f"after a clean run the manifest has {sorted(manifest)}, not {sorted(source)}"
        for document in manifest.values():
            yield from self._held(document.id, document.version, index) if document.version else ["a doubtful document"]
        if strays - self.before.keys():
            yield f"left over: {sorted(strays)}"
        yield from self._groups_cured()
        again = on.sync().report
        if again is None or again.execution_id is not None or again.unchanged != len(source) or _sent_groups(again):
            yield f"the second clean run found something to do: {again}"
        if {"SYNCING", "STOPPING"} & set(on.jobs()) or on.store.exists(LEASE):
            yield "after two clean runs a job is open, or the lease is held"


def _sent_groups(found: Report) -> bool:
    return found.groups is not None and bool(found.groups.put or found.groups.deleted)


class Both:
    """Records what happens, and lets faults happen."""

    def __init__(self, injector: Injector, recorder: Recorder) -> None:
        self._injector = injector
        self._recorder = recorder

    def around(self, call: Call, proceed: Proceed) -> Any:
        """Ask both."""
        return self._recorder.around(call, lambda: self._injector.around(call, proceed))


@contextmanager
def harness(service: str) -> Iterator[Harness]:
    """A harness for one service."""
    with tempfile.TemporaryDirectory() as folder, stage(service, Path(folder)) as on:
        yield Harness(on)
