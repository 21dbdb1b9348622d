"""Random histories against a plain model: edits of source and inbox, faults, runs, approvals, reconciles."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from docferry.changes import quarantine
from docferry.state.runs import Run
from tests.faults import kinds
from tests.faults.harness import Injector
from tests.faults.kinds import Fault
from tests.faults.points import RETURN, Point, Watch
from tests.faults.stage import LIMIT, NAME, PATIENCE_SECONDS, SERVICES, Ended, stage

NAMES = st.sampled_from([f"{letter}.txt" for letter in "abcdefgh"])
PLACES = (
    Point("crawl", "PutObject", "runs/<run>/changes.json"),
    Point("crawl", "PutObject", "collected/current.json"),
    Point("start_sync", "StartDataSourceSyncJob"),
    Point("put_batch", "BatchPutDocument"),
    Point("delete_batch", "BatchDeleteDocument"),
    Point("stop_sync", "StopDataSourceSyncJob"),
    Point("commit", "PutObject", "data-sources/<data source>/manifest/current.json"),
    Point("commit", "PutObject", "data-sources/<data source>/sync_job.json"),
    Point("commit", "DeleteObject", "lease.json"),
    Point("poll_sync", RETURN),
)
FAULTS = (kinds.CrashAfter, kinds.CrashAfterAlways, kinds.AbortedDead, kinds.Timeout)


class Histories(RuleBasedStateMachine):
    """The model is a dictionary: what the source holds. The index may lag behind it, until a clean run."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.model: dict[str, str] = {}
        self.change_sets = 0
        self.held: set[str] = set()
        """What a clean run has brought into the index, and nobody has removed from the source since."""

    @initialize(service=st.sampled_from(SERVICES))
    def begin(self, service: str) -> None:
        """An empty source on a service."""
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.stage = self.stack.enter_context(stage(service, Path(folder)))

    def teardown(self) -> None:
        """Check once more, and leave nothing behind."""
        if hasattr(self, "stage"):
            self.clean_run()
        self.stack.close()

    @rule(name=NAMES, text=st.integers(0, 3))
    def write(self, name: str, text: int) -> None:
        """Add a document, or change it, perhaps back to what it was."""
        self.model[name] = f"{name}, version {text}"
        self.stage.write(name, self.model[name])

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        """Remove a document."""
        self.model.pop(name, None)
        self.held.discard(f"{NAME}/{name}")
        self.stage.remove(name)

    @rule(one=NAMES, other=NAMES)
    def rename(self, one: str, other: str) -> None:
        """Move a document over another."""
        if one in self.model and one != other:
            text = self.model[one]
            self.remove(one)
            self.model[other] = text
            self.stage.write(other, text)

    @rule(stem=st.sampled_from("pqr"), text=st.none() | st.integers(0, 3))
    def hand_in(self, stem: str, text: int | None) -> None:
        """Let another crawler add a document, change it, or delete it."""
        name = f"{stem}.txt"
        self.change_sets += 1
        if text is None:
            self.model.pop(name, None)
            self.held.discard(f"{NAME}/{name}")
        else:
            self.model[name] = f"{name}, handed in as {text}"
        self.stage.hand_in(f"{self.change_sets:04}", **{stem: self.model.get(name)})

    @rule(fault=st.sampled_from(FAULTS), place=st.sampled_from(PLACES))
    def run_under_fault(self, fault: type[Fault], place: Point) -> None:
        """Sync while something goes wrong."""
        watch = Watch(Injector([]))
        going_wrong = fault(self.stage, watch, place)
        going_wrong.run = str(uuid4())
        watch.interceptor = Injector([going_wrong])
        with watch.installed():
            ended = self.stage.sync(going_wrong.run)
            assert watch.idle(PATIENCE_SECONDS)
        self.clean_up(ended)

    @rule()
    def run_while_the_index_refuses(self) -> None:
        """Sync while the index cannot read what it was given."""
        self.stage.knobs.fail_documents = {f"{NAME}/{name}": "cannot be read" for name in self.model}
        self.clean_up(self.stage.sync())
        self.stage.clear()

    @rule(mode=st.sampled_from(["sync", "full", "reconcile", "plan"]))
    def run(self, mode: str) -> None:
        """Sync in one of the modes; the guard may withhold deletes."""
        ended = self.stage.sync(mode=mode)
        assert ended.report is not None
        assert ended.status == "SUCCEEDED"
        deletes = len(self.stage.manifest().keys() - {f"{NAME}/{name}" for name in self.model})
        assert ended.report.withheld <= deletes
        empty = not any(self.stage.folder.iterdir())
        assert ended.report.withheld == 0 or ended.report.withheld > LIMIT.documents or empty

    @rule()
    def clean_run(self) -> None:
        """Sync with the quarantine released and the deletes approved: source, manifest and index are one."""
        quarantine.release(self.stage.store, None)
        ended = self.stage.sync()
        if ended.report is not None and ended.report.withheld:
            ended = self.stage.sync(approve=ended.run)
        wanted = {f"{NAME}/{name}": text for name, text in self.model.items()}
        assert ended.status == "SUCCEEDED", ended.report
        assert self.stage.index() == wanted
        manifest = self.stage.manifest()
        assert {id_: self.stage.contents[one.version] for id_, one in manifest.items()} == wanted
        self.held = set(wanted)

    @invariant()
    def nothing_is_lost(self) -> None:
        """What a clean run has indexed, and the source still has, is in the index; nothing is left open."""
        if hasattr(self, "stage"):
            assert self.held <= self.stage.index().keys()
            assert not {"SYNCING", "STOPPING"} & set(self.stage.jobs())
            assert not self.stage.store.exists("lease.json")

    def clean_up(self, ended: Ended) -> None:
        """What the rule on the end of an execution does."""
        if not self.stage.executed_well(ended):
            self.stage.janitor(Run(ended.run, ended.execution))


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=15,
    stateful_step_count=12,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
