"""The catalogue of people's mistakes: a slip, what must be true while it lasts, and the one command that leads back.

Each begins after a sync that went well. While the mistake lasts, nothing that was indexed is gone, and nothing that was
secret is public, and the run says what is wrong and which command leads back. After that command source, manifest
and index are one, and the next run finds nothing to do.
"""

import json
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

from msgspec import structs

from docferry.connector import Connector, Part
from docferry.reporting import ledger, report
from docferry.state.keys import LEASE, MANIFEST
from docferry.sync_job import lease
from docferry.workflow import trigger
from tests.faults.stage import EVERYBODY, NAME, SERVICES, Ended, Stage, stage

OPEN = tuple(f"{letter}.txt" for letter in "abcdefgh")
SECRET = ("s1.txt", "s2.txt")
BOARD = "board"
OTHER = {"index_id": "0a1b2c3d-0000-0000-0000-000000000009", "knowledge_base_id": "KB00000009"}
"""The ids of another index, by the setting that names it."""
OF_JOBS = ("kendra", "qbusiness")
"""The services with sync jobs, which tell of what others have sent. They show everybody what has no access control."""
GROUPS = f"group,member,kind\n{BOARD},ann,user\n{EVERYBODY},{EVERYBODY},user\n"


class Mistake:
    """Something that a person does. ``says`` are words that the run after it must say, its command among them."""

    name = ""
    says: tuple[str, ...] = ()
    concerns: tuple[str, ...] = SERVICES
    """The services for which it can be made."""

    def __init__(self, on: Stage, folder: Path) -> None:
        self.on = on
        self.folder = folder
        self.stack = ExitStack()

    def slip(self) -> None:
        """Do it."""
        raise NotImplementedError

    def run(self) -> Ended:
        """The run after it."""
        return self.on.sync()

    def back(self, told: Ended) -> Ended:  # noqa: ARG002  # what others need
        """What the message says to do: by default, put right what was wrong, and sync."""
        return self.on.sync()

    def source(self, **changes: Any) -> Connector:
        """The connector with other settings of its source."""
        settings = {**self.on.connector.source.settings, **changes}
        return structs.replace(self.on.connector, source=Part("files", settings))

    def secret_without_sidecar(self, *names: str) -> None:
        """Lose the sidecars of some documents."""
        for name in names:
            (self.on.folder / f"{name}.metadata.json").unlink()


class AnotherIndex(Mistake):
    """The connector is pointed at another index; its old state is found again when it is pointed back."""

    name = "another index"
    says = ("new index: 10 documents to put",)

    def slip(self) -> None:
        """Give it the ids of another index."""
        self.was = self.on.connector
        outermost = self.on.wired.index.service.ids[-2]
        index = Part(self.was.index.kind, {**self.was.index.settings, outermost: OTHER[outermost]})
        self.on.redeploy(structs.replace(self.was, index=index))

    def back(self, told: Ended) -> Ended:
        """Point it back: nothing was forgotten."""
        assert told.report is not None
        assert told.report.added == len(self.on.index()) == len(OPEN + SECRET)
        self.on.redeploy(self.was)
        ended = self.on.sync()
        assert ended.report is not None
        assert ended.report.execution_id is None, "the old index needs nothing"
        return ended


class Replaced(AnotherIndex):
    """CloudFormation has replaced the index by an empty one: it is filled, and stays."""

    name = "index replaced by an empty one"

    def back(self, told: Ended) -> Ended:
        """It is filled already."""
        return told


class SourceDeleted(Mistake):
    """The data source is deleted, and made anew."""

    name = "data source deleted"
    says = ("was the index or its data source deleted?", "docferry sync")

    def slip(self) -> None:
        """Delete it."""
        self._delete("data_source_id")
        self.on.aws.clock.sleep(60)

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """Make another, and sync."""
        self.on.redeploy(self.on.connector)
        return self.on.sync()

    def _delete(self, which: str) -> None:
        engine, ids = self.on.aws.emulation.engine, self.on.wired.settings.connector.index.settings
        kind = which.removesuffix("_id")
        with engine.request():
            rows = engine.store.all("SELECT * FROM resources WHERE kind = ? AND id = ?", kind, ids[which])
            for row in rows:
                engine.delete(engine.resources.get(row["scope"], kind, row["id"], parent=row["parent"]))


class IndexDeleted(SourceDeleted):
    """The index is deleted, with the data source in it."""

    name = "index deleted"

    def slip(self) -> None:
        """Delete it."""
        self._delete(self.on.wired.index.service.ids[-2])
        self.on.aws.clock.sleep(60)


class SecondConnector(Mistake):
    """Another program writes to the data source."""

    name = "data source used by a second connector"
    concerns = OF_JOBS
    says = ("sync jobs of the data source were not started by this connector", "docferry sync team --full")

    def slip(self) -> None:
        """Put over one of the documents."""
        index, theirs = self.on.wired.index, self.on.manifest()[f"{NAME}/a.txt"]
        job = index.start()
        index.put(job, [(theirs, b"what the other has")])
        index.stop()
        self.on.aws.clock.sleep(60)

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """Put everything again."""
        return self.on.sync(mode="full")


class SidecarLost(Mistake):
    """A sidecar is gone."""

    name = "a sidecar lost"
    concerns: tuple[str, ...] = OF_JOBS
    says: tuple[str, ...] = ("had access control and have none now", "docferry approve {run} --connector team")
    lost: tuple[str, ...] = SECRET[:1]

    def slip(self) -> None:
        """Lose it, while the document changes."""
        self.secret_without_sidecar(*self.lost)
        self.on.write(self.lost[0], "the secret, changed")

    def back(self, told: Ended) -> Ended:
        """Approve: it may be public."""
        return self.on.sync(approve=told.run)


class NobodySees(SidecarLost):
    """A sidecar is gone, and the index would show the document to nobody: it stays as it is, until that is put back."""

    name = "a sidecar lost, where access control is a must"
    concerns = ("bedrock",)
    says = ("nobody would see it; say who may",)

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """Restore it."""
        for name in self.lost:
            secret(self.on, name)
        return self.on.sync()


class SidecarsLost(SidecarLost):
    """All sidecars are gone; they are put back."""

    name = "all sidecars lost"
    lost = SECRET

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """Restore them."""
        for name in SECRET:
            secret(self.on, name)
        return self.on.sync()


class SourceEmpty(Mistake):
    """The share is not mounted."""

    name = "source empty"
    says = ("the source lists no document at all", "docferry approve {run} --connector team")

    def slip(self) -> None:
        """Remove everything."""
        for file in self.on.folder.iterdir():
            file.unlink()

    def back(self, told: Ended) -> Ended:
        """It was meant."""
        return self.on.sync(approve=told.run)


class SettingsChanged(Mistake):
    """The connector reads another folder."""

    name = "source settings changed"
    says = ("the settings of the source have changed (path)", "docferry approve {run} --connector team")

    def slip(self) -> None:
        """Another folder, with one of the documents."""
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        for file in self.on.folder.glob("a.txt*"):
            shutil.copy(file, elsewhere)
        self.was = self.on.connector
        self.on.redeploy(self.source(path=str(elsewhere)))

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """The old folder again."""
        self.on.redeploy(self.was)
        return self.on.sync()


class Narrowed(SettingsChanged):
    """A pattern leaves most documents out."""

    name = "prefix narrowed"
    says = ("the settings of the source have changed (include)", "docferry approve {run} --connector team")

    def slip(self) -> None:
        """Include one document."""
        self.was = self.on.connector
        self.on.redeploy(self.source(include=("a.txt",)))


class OlderManifest(Mistake):
    """Somebody has restored an older version of the pointer to the manifest."""

    name = "an older manifest restored"
    says = ("names an older manifest", "docferry rebuild")

    def slip(self) -> None:
        """Restore it, after a document was changed, and changed back."""
        key = self.on.store.held(MANIFEST)
        older = self.on.bucket.objects[key]
        was = (self.on.folder / "a.txt").read_text()
        self.on.write("a.txt", "a, changed")
        self.on.sync()
        self.on.bucket.objects[key] = older
        self.on.write("a.txt", was)

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """Start the manifest anew."""
        return self.on.sync(mode="rebuild")


class Approved(Mistake):
    """A run is approved once more than it should be."""

    says: tuple[str, ...] = ("approved already, by run",)

    def withheld(self) -> str:
        """A run that has withheld the deletes of most documents."""
        for name in OPEN[:6]:
            self.on.remove(name)
        ended = self.on.sync()
        assert ended.report is not None
        assert ended.report.withheld == 6
        return ended.run


class ApprovedTwice(Approved):
    """The same run, twice: what has come back in between stays."""

    name = "a run approved twice"

    def slip(self) -> None:
        """Approve once, and let the documents come back."""
        self.shown = self.withheld()
        self.on.sync(approve=self.shown)
        for name in OPEN[:6]:
            self.on.write(name, f"{name} is back")
        self.on.sync()
        for name in OPEN[1:3]:
            self.on.remove(name)

    def run(self) -> Ended:
        """Approve again."""
        return self.on.sync(approve=self.shown)


class ApprovedLate(Approved):
    """What it withheld has come back, and something else is gone."""

    name = "a run approved late"
    says = ("they are not in the list of run", "docferry approve {run} --connector team")

    def slip(self) -> None:
        """Other documents are gone by now."""
        self.shown = self.withheld()
        for name in OPEN[:6]:
            self.on.write(name, f"the text of {name}")
        for name in OPEN[6:]:
            self.on.remove(name)

    def run(self) -> Ended:
        """Approve."""
        return self.on.sync(approve=self.shown)

    def back(self, told: Ended) -> Ended:
        """Approve what was shown now."""
        return self.on.sync(approve=told.run)


class ApprovedElsewhere(Approved):
    """A run of another connector, or of another index."""

    name = "a run of another connector approved"
    says = ("this connector has no run run-of-another", "docferry runs")

    def slip(self) -> None:
        """There are withheld deletes, but they are not those."""
        self.shown = self.withheld()

    def run(self) -> Ended:
        """Approve a run that only another connector knows."""
        return self.on.sync(approve="run-of-another")

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """Approve the right one."""
        return self.on.sync(approve=self.shown)


class PlanLate(Mistake):
    """A plan is applied after the source has moved."""

    name = "a plan applied after the source moved"
    says = ("the source moved since the plan", f"{NAME}/b.txt", "docferry plan")

    def slip(self) -> None:
        """Plan one change, and make another."""
        self.on.write("a.txt", "a, changed")
        self.plan = self.on.sync(mode="plan").run
        self.on.write("b.txt", "b, changed")

    def run(self) -> Ended:
        """Apply it."""
        return self.on.sync(apply=self.plan)

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """Plan again, and apply that."""
        return self.on.sync(apply=self.on.sync(mode="plan").run)


class Twins(SecondConnector):
    """Two connectors of one name, in two folders with a state of their own each, on one data source."""

    name = "two connectors of one name on one data source"

    def slip(self) -> None:
        """The other one has its own a.txt, and a document more."""
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "a.txt").write_text("what the other has")
        mine, objects = self.on.connector, self.on.bucket.objects
        self.on.bucket.objects = {}
        self.on.redeploy(self.source(path=str(elsewhere)))
        theirs = self.on.sync()
        assert theirs.report is not None
        assert theirs.report.foreign_jobs, "they are told of us, too"
        self.on.bucket.objects = objects
        self.on.redeploy(mine)


class ClockWrong(Mistake):
    """The clock of the machine is a day ahead, or behind, while another run is at work."""

    name = "the clock a day ahead"
    says = ("already running",)
    days = 1

    def slip(self) -> None:
        """Set the clock; another run has just begun, and Step Functions does not list it yet."""
        now = Mock(now=lambda _: datetime.now(UTC) + timedelta(days=self.days))
        for module in (lease, ledger, trigger):
            self.stack.enter_context(patch.object(module, "datetime", now))
        lease.take(self.on.store, self.on.step_functions, execution="arn:aws:states:of-another", run="other")

    def run(self) -> Ended:
        """Refused, as by a clock that is right."""
        describe = Mock(side_effect=self.on.unknown_execution)
        with patch.object(self.on.step_functions, "describe_execution", describe):
            arn, thread = self.on.start("clock")
            thread.join(60)
        return self.on.ended("clock", arn)

    def back(self, told: Ended) -> Ended:  # noqa: ARG002
        """When the other has ended."""
        self.on.store.delete(LEASE)
        return self.on.sync()


class ClockBehind(ClockWrong):
    """The same, a day behind."""

    name = "the clock a day behind"
    days = -1


MISTAKES: dict[str, type[Mistake]] = {
    mistake.name: mistake
    for mistake in (
        AnotherIndex,
        Replaced,
        SourceDeleted,
        IndexDeleted,
        SecondConnector,
        SidecarLost,
        SidecarsLost,
        NobodySees,
        SourceEmpty,
        SettingsChanged,
        Narrowed,
        OlderManifest,
        ApprovedTwice,
        ApprovedLate,
        ApprovedElsewhere,
        PlanLate,
        Twins,
        ClockWrong,
        ClockBehind,
    )
}


def secret(on: Stage, name: str) -> None:
    """Write a document that one group may see."""
    on.write(name, f"the secret of {name}")
    for_group(on, name, BOARD)


def for_group(on: Stage, name: str, group: str) -> None:
    """Write the sidecar of a document that one group may see."""
    entry = {"Name": group, "Type": "GROUP", "Access": "ALLOW"}
    (on.folder / f"{name}.metadata.json").write_text(json.dumps({"AccessControlList": [entry]}))


@contextmanager
def began(service: str) -> Iterator[tuple[Stage, Path]]:
    """A connector whose documents are indexed, and a folder beside its source."""
    with tempfile.TemporaryDirectory() as folder, stage(service, Path(folder)) as on:
        if service not in OF_JOBS:
            on.with_access_control(GROUPS)
        for name in OPEN:
            on.write(name, f"the text of {name}")
            if service not in OF_JOBS:
                for_group(on, name, EVERYBODY)
        for name in SECRET:
            secret(on, name)
        assert on.sync().status == "SUCCEEDED"
        yield on, Path(folder)


def violations(name: str, service: str) -> list[str]:
    """What is not as it should be when somebody makes this mistake; nothing, when all is well."""
    with began(service) as (on, folder):
        mistake = MISTAKES[name](on, folder)
        with mistake.stack:
            try:
                return list(_tried(on, mistake))
            except Exception:  # noqa: BLE001  # whatever a mistake brings about is a finding
                return [traceback.format_exc(limit=-4)]


def _tried(on: Stage, mistake: Mistake) -> Iterator[str]:
    mistake.slip()
    before, hidden = on.index(), on.hidden()
    told = mistake.run()
    if told.report is None:
        yield f"the run has no report: {on.error(told)}"
        return
    skipped = (one.reason for one in report.skipped(on.store, told.run))
    said = " ".join((told.report.error, told.report.withheld_because, *told.report.notes, *skipped))
    for words in mistake.says:
        if words.format(run=told.run) not in said:
            yield f"the run does not say {words.format(run=told.run)!r}, but: {said}"
    after = on.index()
    if lost := (before.keys() & set(on.source())) - after.keys():
        yield f"deleted, though in the source: {sorted(lost)}"
    if gone := before.keys() - after.keys():
        yield f"deleted, though nobody approved it: {sorted(gone)}"
    if bared := hidden - on.hidden():
        yield f"made public, though nobody approved it: {sorted(bared)}"
    yield from _led_back(on, mistake.back(told))


def _led_back(on: Stage, ended: Ended) -> Iterator[str]:
    if ended.status != "SUCCEEDED" or ended.report is None or ended.report.withheld or ended.report.exposed:
        yield f"the command did not lead back: {ended.report}"
    on.sync()  # a rebuild, or a sync that was withheld nothing, may leave deletes to the next
    source, index, manifest = on.source(), on.index(), on.manifest()
    if source != index:
        yield f"the index holds {index}, the source {source}"
    if manifest.keys() != source.keys():
        yield f"the manifest has {sorted(manifest)}, the source {sorted(source)}"
    wanted = {f"{NAME}/{name}" for name in SECRET if (on.folder / f"{name}.metadata.json").exists()}
    if on.hidden() != wanted & source.keys():
        yield f"hidden are {sorted(on.hidden())}, not {sorted(wanted)}"
    again = on.sync().report
    if again is None or again.execution_id is not None or again.unchanged != len(source):
        yield f"the next run found something to do: {again}"
    if {"SYNCING", "STOPPING"} & set(on.jobs()) or on.store.exists(LEASE):
        yield "a job is open, or the lease is held"
