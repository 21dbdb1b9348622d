"""What `docferry status` finds out about a connector, and how it judges it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from rich.console import Console

from docferry.changes.approvals import Approval
from docferry.config.deployment import Schedule
from docferry.connector import Connector, Part
from docferry.errors import ResourceNotFound
from docferry.indexes import SyncJob
from docferry.reporting import ledger, report
from docferry.reporting.report import Report
from docferry.state.keys import APPROVAL, LEASE, REPORT, run_key
from docferry.state.runs import Input, Run
from docferry.state.store import Store
from docferry.sync_job.job import SyncJobRecord
from docferry.sync_job.lease import Lease
from docferry_cli.next_steps import NextSteps
from docferry_cli.status.facts import Status
from docferry_cli.status.gathering import exit_code
from docferry_cli.status.judging import judge, unreadable
from docferry_cli.status.looking import LOOKED, look
from docferry_cli.status.showing import show
from docferry_cli.targets import Where
from docferry_cli.times import duration
from tests.unit.fakes import FakeIndex, job

STEPS = NextSteps(
    Where("aws", Path(".docferry"), Path("connectors.yaml")), Connector("handbook", Part("s3"), Part("kendra"))
)


class Place:
    """A connector in memory. ``alive`` are the runs whose execution has not ended."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.answering = FakeIndex()
        self.alive: set[str] = set()

    def running(self, run: str) -> bool:
        """Whether the execution of a run has not ended."""
        return run in self.alive

    def ran(self, name: str, status: Any = "SUCCEEDED", mode: Any = "sync", **told: Any) -> None:
        """Let there have been a run."""
        ledger.register(self.store, Run(name, f"arn:{name}"), Input(mode=mode))
        written = Report(run=name, connector="handbook", status=status, **told)
        report.write(self.store, written)
        ledger.finish(self.store, written)

    def status(self, schedule: Schedule | None = None, now: datetime | None = None) -> Status:
        """Look, and judge."""
        return judge("aws", look(self, schedule, STEPS, now), STEPS)


@pytest.fixture
def place(store: Store) -> Place:
    """A connector that has never run."""
    return Place(store)


def whats(status: Status) -> str:
    """All problems in one text."""
    return "\n".join(problem.what for problem in status.problems)


def test_a_connector_that_never_ran_says_so(place: Place) -> None:
    """And which command begins."""
    status = place.status()

    assert (status.health, status.next) == ("unhealthy", "docferry sync handbook --target aws")
    assert whats(status) == "there was no sync yet"


def test_a_connector_that_succeeded_is_healthy(place: Place) -> None:
    """The last run and the last success are the same one, unless a plan came after it."""
    place.ran("run-1", added=3)
    place.ran("run-2", mode="plan", dry_run=True)

    status = place.status()

    assert (status.health, status.next, status.problems) == ("healthy", "nothing to do", ())
    assert status.last is not None
    assert status.success is not None
    assert (status.last.run, status.success.run) == ("run-2", "run-1")


def test_a_failed_run_is_told_with_its_error(place: Place) -> None:
    """What the last success said still holds."""
    place.ran("run-1", withheld=2)
    place.ran("run-2", "FAILED", error="SourceUnavailable: gone")

    status = place.status()

    assert "SourceUnavailable: gone" in whats(status)
    assert status.next == "docferry report run-2 --connector handbook --target aws"
    assert status.waiting is not None
    assert (status.waiting.run, status.waiting.withheld) == ("run-1", 2)


@pytest.mark.parametrize("error", ["AlreadyRunning: x", "ApprovalRefused: x", "PlanRefused: x"])
def test_a_run_that_was_refused_says_nothing_of_the_connector(place: Place, error: str) -> None:
    """Nothing has changed, and nothing is wrong."""
    place.ran("run-1")
    place.ran("run-2", "FAILED", error=error)

    assert place.status().health == "healthy"


def test_what_waits_for_approval_is_counted_and_the_command_named(place: Place) -> None:
    """Until somebody has approved it."""
    place.ran("run-1", withheld=4, exposed=1)

    waiting, approve = place.status().waiting, place.status().next
    place.store.write(run_key("run-1", APPROVAL), Approval("run-2"))

    assert waiting is not None
    assert (waiting.withheld, waiting.exposed, waiting.approve) == (4, 1, approve)
    assert approve == "docferry approve run-1 --connector handbook --target aws"
    assert place.status().waiting is None


def test_a_damaged_report_hides_nothing_else(place: Place) -> None:
    """The counts of the ledger are still there."""
    place.ran("run-1", withheld=4)
    place.store.put_content(run_key("run-1", REPORT), b'{"run": "run-1", "stat')

    status = place.status()

    assert status.waiting is not None
    assert status.waiting.withheld == 4
    assert "report.json is not what a run has written" in whats(status)


def test_a_run_that_goes_on_is_shown_and_can_be_watched(place: Place) -> None:
    """Also when a later one was refused because of it."""
    place.ran("run-1")
    ledger.register(place.store, Run("run-2", "arn:run-2"), Input(trigger="schedule"))
    place.ran("run-3", "FAILED", error="AlreadyRunning: run-2")
    place.alive = {"run-2"}

    status = place.status()

    assert status.running is not None
    assert (status.running.run, status.running.trigger, status.running.pace.phase) == ("run-2", "schedule", "crawl")
    assert (status.health, status.next) == ("healthy", "docferry watch run-2 --connector handbook --target aws")


def test_the_first_run_may_take_its_time(place: Place) -> None:
    """There is no success yet, and nothing is wrong."""
    ledger.register(place.store, Run("run-1", "arn:run-1"), Input())
    place.alive = {"run-1"}

    assert place.status().health == "healthy"


def test_a_run_that_died_is_told_until_the_next(place: Place) -> None:
    """With the lease that it holds."""
    place.ran("run-1")
    ledger.register(place.store, Run("run-2", "arn:run-2"), Input())
    place.store.write(LEASE, Lease("arn:run-2", "run-2", datetime.now(UTC)))

    before = place.status()
    place.ran("run-3")
    place.store.delete(LEASE)

    assert "run run-2 has ended without a word" in whats(before)
    assert before.lease is not None
    assert (before.lease.run, before.lease.stale) == ("run-2", True)
    assert place.status().health == "healthy"


def test_the_lease_of_a_run_that_goes_on_is_no_problem(place: Place) -> None:
    """Its holder and age are shown."""
    ledger.register(place.store, Run("run-1", "arn:run-1"), Input())
    place.store.write(LEASE, Lease("arn:run-1", "run-1", datetime.now(UTC)))
    place.alive = {"run-1"}

    status = place.status()

    assert status.lease is not None
    assert (status.lease.stale, status.health) == (False, "healthy")


def test_a_success_that_is_too_old_for_its_schedule(place: Place) -> None:
    """Without a schedule nobody can judge."""
    place.ran("run-1")
    later = datetime.now(UTC) + timedelta(hours=25)
    schedule = Schedule(expression="rate(12 hours)")

    late, soon, free = place.status(schedule, later), place.status(schedule), place.status(None, later)

    assert "older than two intervals of rate(12 hours) (UTC)" in whats(late)
    assert [one.success and one.success.overdue for one in (late, soon, free)] == [True, False, None]
    assert soon.health == free.health == "healthy"


def test_an_open_job_is_ours_or_foreign(place: Place) -> None:
    """A job of ours is a problem when no run works on it."""
    place.ran("run-1")
    place.answering.open("job-1")
    foreign = place.status()
    record = SyncJobRecord(run="run-1", state="open", execution_id="job-1", ours=("job-1",))
    place.store.write(place.store.held("sync_job.json"), record)
    ours = place.status()
    place.answering.end("SUCCEEDED")

    assert "somebody else writes to the data source" in whats(foreign)
    assert "no run works on it" in whats(ours)
    assert foreign.job is not None
    assert ours.job is not None
    assert (foreign.job.foreign, ours.job.foreign) == (True, False)
    assert place.status().job is None


def test_an_index_that_is_gone_is_a_problem_and_hides_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs are shown all the same."""

    def gone(**_: object) -> Any:
        raise ResourceNotFound("the index does not exist")

    place.ran("run-1")
    monkeypatch.setattr(place.answering, "jobs", gone)

    status = place.status()

    assert "cannot be listed: the index does not exist" in whats(status)
    assert status.last is not None


def test_failed_documents_are_a_problem_and_quarantined_ones_are_known(place: Place) -> None:
    """As the alarms of the stack have it."""
    place.ran("run-1", failed=2)
    failed = place.status()
    place.ran("run-2", quarantined=2)
    quarantined = place.status()

    assert (failed.failed, failed.health, failed.next) == (2, "unhealthy", "docferry failures handbook --target aws")
    assert (quarantined.quarantined, quarantined.health) == (2, "healthy")


def test_a_look_costs_few_calls_however_many_runs_there_are(place: Place, s3: Any) -> None:
    """The ledger is not read to its end, even when no run has succeeded; the manifest is not read at all."""
    calls: Counter[str] = Counter()

    def count(model: Any, **_: object) -> None:
        calls[model.name] += 1

    for number in range(LOOKED + 10):
        place.ran(f"run-{number:02}", "FAILED", error="SourceUnavailable: gone")
    s3.meta.events.register("before-call.s3", count)
    failing = place.status()
    of_failing = calls.total()
    s3.meta.events.unregister("before-call.s3", count)
    place.ran("run-99")
    calls.clear()
    s3.meta.events.register("before-call.s3", count)
    place.status()
    s3.meta.events.unregister("before-call.s3", count)

    assert f"none of the last {LOOKED} runs is a sync that succeeded" in whats(failing)
    assert of_failing <= LOOKED + 10
    assert calls.total() <= 8


def test_ids_and_errors_are_no_commands_for_a_terminal(place: Place) -> None:
    """Markup stays what it is, and control characters are spelled out."""
    place.ran("run-1", "FAILED", error="[red]x[/] \x1b[2J \u202eabc")
    console = Console(record=True, width=200)

    show(console, [place.status(), unreadable("aws", "\x1b]0;title\x07", STEPS)], datetime.now(UTC))

    text = console.export_text()
    assert "[red]x[/] \\x1b[2J \\u202eabc" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_the_exit_code_tells_what_is_wrong(place: Place) -> None:
    """A connector that is known to be unhealthy counts more than one that could not be read."""
    unknown = unreadable("aws", "no right", STEPS)
    unhealthy = place.status()
    healthy = structs.replace(unhealthy, health="healthy")

    assert exit_code([healthy, healthy]) == 0
    assert exit_code([healthy, unhealthy, unknown]) == 1
    assert exit_code([healthy, unknown]) == 2


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.6, "1 min"), (3700, "1 h 1 min"), (90000, "1 d 1 h"), (-1, "0 s")]
)
def test_a_length_of_time_is_short(seconds: float, text: str) -> None:
    """Two units say enough."""
    assert duration(seconds) == text


def test_a_running_run_is_shown_with_rate_and_time_left(place: Place) -> None:
    """And everything else that is known."""
    place.ran("run-1", withheld=3, failed=1)
    ledger.register(place.store, Run("run-2", "arn:run-2"), Input())
    place.alive = {"run-2"}
    place.answering.history = [job("job-1", "SYNCING")]
    assert isinstance(place.answering.history[0], SyncJob)
    console = Console(record=True, width=200)

    show(console, [place.status(Schedule(expression="rate(1 day)"))], datetime.now(UTC))

    text = console.export_text()
    for words in ("run-2 sync (manual): crawl 0", "3 withheld, 0 exposed", "job-1 SYNCING (foreign)", "in time"):
        assert words in text
