"""Trigger: any storm of uploads becomes at most one running and one pending run, and no upload is forgotten."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from docferry.errors import ConfigurationError, Conflict
from docferry.state.keys import LEASE, PENDING
from docferry.state.objects import Moved, Record
from docferry.state.runs import Events
from docferry.state.store import Store
from docferry.sync_job.lease import YOUNG, Lease
from docferry.workflow import trigger as module
from docferry.workflow.signals import Ended, Signals, signals
from docferry.workflow.trigger import Pending, TriggerSettings, remember, trigger

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:docferry-handbook"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:docferry-handbook:"
UPLOAD = Signals(changed=True)
UPLOADED = {"source": "aws.s3", "detail-type": "Object Created", "detail": {"object": {"key": "signed/a.pdf"}}}

STORED = {
    "source": "aws.s3",
    "detail-type": "Object Deleted",
    "detail": {"bucket": {"name": "documents"}, "object": {"key": "signed/a+b %41.pdf", "version-id": None}},
}


class CrashError(Exception):
    """The process of an invocation is gone."""


class MemoryStore:
    """One record with an ETag, and the lease; can crash, and can let somebody else come in between."""

    def __init__(self) -> None:
        self.value: Pending | None = None
        self.lease: Record[Lease] | None = None
        self.given: dict[str, Events] = {}
        self.etag = 0
        self.before_write: list[Callable[[], object]] = []
        self.crash: Callable[[], None] = lambda: None

    def write(self, key: str, value: Events) -> None:
        """See Store.write."""
        self.crash()
        assert self.given.setdefault(key, value) == value, "the keys of a run never change"
        self.crash()

    def read(self, key: str, kind: type[Any]) -> Record[Any] | None:
        """See Store.read."""
        if key == LEASE:
            self.crash()
            return self.lease
        assert (key, kind) == ("pending.json", Pending)
        self.crash()
        return Record(self.value, str(self.etag)) if self.value else None

    def swap(self, key: str, value: Pending, etag: str | None) -> None:
        """See Store.swap."""
        if self.before_write:
            self.before_write.pop()()
        self.crash()
        if (str(self.etag) if self.value else None) != etag and self.value != value:
            raise Moved(key)
        self.value, self.etag = value, self.etag + 1
        self.crash()


class FakeStepFunctions:
    """Executions of one state machine. What it lists may be old: ``listed`` is kept until it is refreshed."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.ended: list[str] = []
        self.listed: list[str] = []
        self.most = 0
        self.inputs: dict[str, Any] = {}
        self.crash: Callable[[], None] = lambda: None

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803  # boto3's names
        """Start an execution; a running one of the same name and input is the same."""
        assert stateMachineArn == MACHINE
        self.crash()
        arn = EXECUTION + name
        assert self.inputs.setdefault(arn, json.loads(input)) == json.loads(input), "Step Functions compares them"
        if arn in self.ended:
            described: Any = {"Error": {"Code": "ExecutionAlreadyExists", "Message": ""}}
            raise ClientError(described, "StartExecution")
        if arn not in self.running:
            self.running.append(arn)
        self.most = max(self.most, len(self.running))
        self.crash()
        return {"executionArn": arn}

    def list_executions(self, *, stateMachineArn: str, statusFilter: str, maxResults: int) -> dict[str, Any]:  # noqa: N803  # boto3's names
        """List what was running when the list was last refreshed."""
        assert (stateMachineArn, statusFilter, maxResults) == (MACHINE, "RUNNING", 100)
        self.crash()
        return {"executions": [{"executionArn": arn} for arn in self.listed]}

    def refresh(self) -> None:
        """Let the list catch up."""
        self.listed = list(self.running)

    def end(self, arn: str, status: str = "SUCCEEDED") -> Signals:
        """End an execution; returns what is heard of it."""
        self.running.remove(arn)
        self.ended.append(arn)
        return Signals(ended=(Ended(arn, status),))


class World:
    """The trigger, with all that it works with in memory."""

    def __init__(self) -> None:
        self.memory = MemoryStore()
        self.aws = FakeStepFunctions()

    def hear(self, heard: Signals) -> str:
        """Invoke the trigger."""
        store: Any = self.memory
        return trigger(store, self.aws, MACHINE, heard).outcome

    def keys(self, arn: str) -> set[str] | None:
        """The keys that a run was given; None: it crawls the whole source."""
        asked = self.aws.inputs[arn]
        assert asked["trigger"] == "upload"
        return set(self.memory.given[f"runs/{asked['events']}/events.json"].keys) if "events" in asked else None

    def later(self) -> None:
        """Let the list of executions catch up, and a minute pass."""
        self.aws.refresh()
        if self.memory.value and self.memory.value.started_at:
            past = self.memory.value.started_at - timedelta(minutes=2)
            self.memory.value = structs.replace(self.memory.value, started_at=past)


@pytest.fixture
def world() -> World:
    """A machine that nothing runs on."""
    return World()


def test_an_upload_starts_a_run(world: World) -> None:
    """Nothing is running, so nothing is waited for."""
    assert world.hear(UPLOAD) == "started"
    (arn,) = world.aws.running
    assert arn.startswith(f"{EXECUTION}upload-")


def test_a_storm_becomes_one_running_and_one_pending_run(world: World) -> None:
    """However many batches arrive, before and after the list of executions has caught up."""
    assert world.hear(UPLOAD) == "started"
    assert {world.hear(UPLOAD) for _ in range(10)} == {"pending"}
    world.later()
    assert {world.hear(UPLOAD) for _ in range(10)} == {"pending"}
    (first,) = world.aws.running

    assert world.hear(world.aws.end(first)) == "started"

    (second,) = world.aws.running
    assert second != first
    assert world.hear(world.aws.end(second)) == "nothing"
    assert world.aws.most == 1


def test_an_upload_waits_for_a_run_that_somebody_else_has_started(world: World) -> None:
    """A schedule, or a person."""
    world.aws.running.append(f"{EXECUTION}nightly")
    world.aws.refresh()

    assert world.hear(UPLOAD) == "pending"
    assert world.hear(world.aws.end(f"{EXECUTION}nightly")) == "started"


def test_a_run_that_ended_a_moment_ago_is_not_waited_for(world: World) -> None:
    """Step Functions still lists it, but its end was heard: no other end would come to start the pending run."""
    world.aws.running.append(f"{EXECUTION}nightly")
    world.aws.refresh()
    assert world.hear(world.aws.end(f"{EXECUTION}nightly")) == "nothing"

    assert world.hear(UPLOAD) == "started"


def test_an_upload_waits_for_a_run_that_holds_the_lease_and_is_not_listed_yet(world: World) -> None:
    """A run beside it would be refused, again and again, until the upload is given up."""
    scheduled = f"{EXECUTION}scheduled"
    world.aws.running.append(scheduled)
    world.memory.lease = Record(Lease(scheduled, "scheduled", datetime.now(UTC)), "1")

    assert world.hear(UPLOAD) == "pending"
    assert world.hear(world.aws.end(scheduled)) == "started"


def test_a_lease_that_was_left_long_ago_holds_nothing_up(world: World) -> None:
    """The list of executions tells by then whether its run is going."""
    world.memory.lease = Record(Lease(f"{EXECUTION}dead", "dead", datetime.now(UTC)), "1", age=YOUNG)

    assert world.hear(UPLOAD) == "started"


def test_the_end_of_a_run_without_uploads_starts_nothing(world: World) -> None:
    """However often it is delivered."""
    world.aws.running.append(f"{EXECUTION}nightly")
    ended = world.aws.end(f"{EXECUTION}nightly")

    assert [world.hear(ended) for _ in range(3)] == ["nothing"] * 3


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT"])
def test_a_run_for_uploads_that_fails_is_started_again_twice(world: World, status: str) -> None:
    """What it was to see is still to be seen; but what fails three times needs a person."""
    world.hear(UPLOAD)

    outcomes = [world.hear(world.aws.end(world.aws.running[0], status)) for _ in range(3)]

    assert outcomes == ["started", "started", "nothing"]
    assert world.hear(UPLOAD) == "started"


def test_a_success_forgets_the_failures_before_it(world: World) -> None:
    """Only failures in a row count."""
    world.hear(UPLOAD)
    world.hear(world.aws.end(world.aws.running[0], "FAILED"))
    world.hear(world.aws.end(world.aws.running[0]))

    assert world.memory.value is not None
    assert world.memory.value.failures == 0


def test_a_run_that_a_person_stops_is_not_started_again(world: World) -> None:
    """It was stopped for a reason."""
    world.hear(UPLOAD)

    assert world.hear(world.aws.end(world.aws.running[0], "ABORTED")) == "nothing"


def test_a_failed_run_of_somebody_else_is_not_started_again(world: World) -> None:
    """The schedule starts its own."""
    world.aws.running.append(f"{EXECUTION}nightly")

    assert world.hear(world.aws.end(f"{EXECUTION}nightly", "FAILED")) == "nothing"


def test_two_invocations_at_a_time_start_one_run(world: World) -> None:
    """The second comes in just before the first writes what it has decided."""
    world.memory.before_write = [lambda: world.hear(UPLOAD)]

    assert world.hear(UPLOAD) == "pending"
    assert len(world.aws.running) == 1
    assert world.hear(world.aws.end(world.aws.running[0])) == "started"


def test_an_end_that_is_heard_while_an_upload_is_noted_is_not_missed(world: World) -> None:
    """Between the look whether a run is running and the mark that waits for its end."""
    world.aws.running.append(f"{EXECUTION}nightly")
    world.aws.refresh()
    world.memory.before_write = [lambda: world.hear(world.aws.end(f"{EXECUTION}nightly"))]

    assert world.hear(UPLOAD) == "started"


def test_a_memory_that_never_stands_still_is_an_error(world: World) -> None:
    """SQS then delivers the messages again."""

    def disturb() -> None:
        world.memory.etag += 1

    world.hear(Signals())
    world.memory.before_write = [disturb] * 50
    with pytest.raises(Conflict, match="will come again"):
        world.hear(UPLOAD)


def test_a_started_run_that_never_ran_is_not_waited_for_longer_than_a_minute(world: World) -> None:
    """Its end was never heard, but Step Functions does not list it either."""
    world.hear(UPLOAD)
    world.aws.running.clear()
    world.later()

    assert world.hear(UPLOAD) == "started"


def upload(*keys: str) -> Signals:
    """What is heard of uploads."""
    return Signals(keys=frozenset(keys))


def test_a_run_gets_the_keys_that_have_changed(world: World) -> None:
    """Each once, and those that come later are the next run's."""
    world.hear(upload("a", "b"))
    world.hear(upload("c", "d"))
    world.hear(upload("d", "c"))
    (first,) = world.aws.running
    assert world.keys(first) == {"a", "b"}

    assert world.hear(world.aws.end(first)) == "started"
    assert world.keys(world.aws.running[0]) == {"c", "d"}


def test_what_no_key_names_becomes_a_whole_crawl(world: World) -> None:
    """A change set in the inbox, say; the keys beside it are in the crawl."""
    world.hear(Signals(keys=frozenset("a"), changed=True))
    assert world.keys(world.aws.running[0]) is None


def test_too_many_keys_become_a_whole_crawl(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over any number of batches; the memory of them stays small."""
    monkeypatch.setattr("docferry.workflow.signals.KEYS", 3)
    world.hear(upload("a", "b", "c"))
    first = world.aws.running[0]
    assert world.keys(first) == {"a", "b", "c"}
    for number in range(10):
        world.hear(upload(f"{number}", f"{number + 1}"))
    assert world.memory.value is not None
    assert world.memory.value.keys == ()

    world.hear(world.aws.end(first))
    assert world.keys(world.aws.running[0]) is None


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_the_run_after_one_that_failed_crawls_the_whole_source(world: World, status: str) -> None:
    """Nobody knows which of its keys it has seen. Once a run has succeeded, keys are enough again."""
    world.hear(upload("a"))
    world.hear(world.aws.end(world.aws.running[0], status))
    world.hear(upload("b"))
    second = world.aws.running[0]
    assert world.keys(second) is None

    world.hear(upload("c"))
    world.hear(world.aws.end(second))
    # What failed was started again before "b" was heard of.
    assert world.keys(world.aws.running[0]) == ({"c"} if status == "ABORTED" else {"b", "c"})


def test_the_run_after_one_whose_end_nobody_heard_crawls_the_whole_source(world: World) -> None:
    """It may never have run."""
    world.hear(upload("a"))
    world.aws.running.clear()
    world.later()
    world.hear(upload("b"))
    assert world.keys(world.aws.running[0]) is None


def test_a_memory_of_an_earlier_version_wants_a_whole_crawl(world: World) -> None:
    """It knew no keys."""
    world.aws.running.append(f"{EXECUTION}nightly")
    world.aws.refresh()
    world.memory.value = Pending(wanted=True)
    world.hear(upload("a"))
    world.hear(world.aws.end(f"{EXECUTION}nightly"))
    assert world.keys(world.aws.running[0]) is None


class Simulation:
    """A queue, a trigger that crashes, and runs.

    An upload is seen when a run that looks at its key crawls after it, and then succeeds.
    """

    def __init__(self) -> None:
        self.world = World()
        self.queue: list[Signals] = []
        self.uploads = self.failures = 0
        self.unseen: dict[str, set[int]] = {}
        self.crawled: dict[str, int] = {}

    def upload(self, key: int) -> None:
        """Let something change, and its event arrive; key 0 is the inbox, which no key names."""
        self.uploads += 1
        self.unseen.setdefault(str(key), set()).add(self.uploads)
        self.queue.append(upload(str(key)) if key else UPLOAD)

    def deliver(self, crash_at: int) -> None:
        """Invoke the trigger with all messages; they stay when it crashes, at its so many-th call."""
        calls = 0

        def crash() -> None:
            nonlocal calls
            calls += 1
            if calls == crash_at:
                raise CrashError

        self.world.memory.crash = self.world.aws.crash = crash
        ended = tuple(one for message in self.queue for one in message.ended)
        keys = frozenset(key for message in self.queue for key in message.keys)
        with suppress(CrashError):
            if self.queue:
                self.world.hear(Signals(any(message.changed for message in self.queue), ended, keys))
            self.queue.clear()

    def crawl(self, _: int) -> None:
        """Let the first running run look at the source."""
        if self.world.aws.running:
            first = self.world.aws.running[0]
            self.world.memory.lease = Record(Lease(first, first, datetime.now(UTC)), "1")
            self.crawled.setdefault(self.world.aws.running[0], self.uploads)

    def end(self, fails: int) -> None:
        """End the first running run, if it has crawled."""
        arn = next(iter(self.world.aws.running), None)
        if arn not in self.crawled:
            return
        self.world.memory.lease = None
        if fails and self.failures < module.RETRIES:
            self.failures += 1
            self.queue.append(self.world.aws.end(arn, "FAILED"))
        else:
            seen = self.world.keys(arn) if arn in self.world.aws.inputs else None
            for key in self.unseen if seen is None else seen:
                self.unseen[key] = {one for one in self.unseen.get(key, ()) if one > self.crawled[arn]}
            self.queue.append(self.world.aws.end(arn))

    def refresh(self, _: int) -> None:
        """Let the list of executions catch up."""
        self.world.aws.refresh()

    def schedule(self, _: int) -> None:
        """Let somebody else start a run."""
        if not self.world.aws.running:
            self.world.aws.running.append(f"{EXECUTION}{uuid4()}")


STEPS = st.tuples(
    st.sampled_from(
        [
            Simulation.upload,
            Simulation.deliver,
            Simulation.crawl,
            Simulation.end,
            Simulation.refresh,
            Simulation.schedule,
        ]
    ),
    st.integers(0, 8),
)


@given(steps=st.lists(STEPS, max_size=40))
@settings(max_examples=300)
def test_no_upload_is_ever_forgotten(steps: list[tuple[Callable[[Simulation, int], None], int]]) -> None:
    """With crashes at every call, late lists, runs that fail, scheduled ones, and messages that come twice or late."""
    simulation = Simulation()

    for step, argument in steps:
        step(simulation, argument)
    for _ in range(10):
        simulation.deliver(0)
        simulation.crawl(0)
        simulation.end(0)

    assert not any(simulation.unseen.values())
    assert not simulation.queue
    assert not simulation.world.aws.running


def test_messages_are_read_into_what_they_say() -> None:
    """EventBridge's events, as SQS hands them over; one that cannot be read may be an upload."""
    ended = {"source": "aws.states", "detail": {"executionArn": f"{EXECUTION}x", "status": "FAILED", "name": "x"}}

    def of(*bodies: str) -> Signals:
        return signals({"Records": [{"body": body} for body in bodies]})

    assert of(json.dumps(UPLOADED)) == Signals(changed=True)
    assert of(json.dumps(ended)) == Signals(changed=False, ended=(Ended(f"{EXECUTION}x", "FAILED"),))
    assert of(json.dumps(ended), json.dumps(UPLOADED)).changed
    assert of(json.dumps(STORED)) == Signals(changed=True)
    assert signals({"Records": [{"body": json.dumps(STORED)}] * 2}, "documents") == upload("signed/a+b %41.pdf")
    assert signals({"Records": [{"body": json.dumps(STORED)}]}, "others") == Signals(changed=True)
    assert of("no JSON") == Signals(changed=True)
    assert of(json.dumps({"source": "aws.states", "detail": {}})) == Signals(changed=True)
    assert signals({}) == Signals()


def test_a_clock_that_is_set_back_holds_nothing_up(world: World) -> None:
    """The last start lies ahead: then only the list of executions says whether a run is going."""
    world.hear(UPLOAD)
    assert world.memory.value is not None
    ahead = datetime.now(UTC) + timedelta(days=365)
    world.memory.value = structs.replace(world.memory.value, started_at=ahead)
    world.aws.running.clear()
    world.aws.refresh()

    assert world.hear(UPLOAD) == "started"


def test_the_memory_of_ends_is_bounded() -> None:
    """It is one small object, read and written at each invocation."""
    memory = Pending()
    for number in range(100):
        memory = remember(memory, Signals(ended=(Ended(f"{EXECUTION}{number}", "SUCCEEDED"),)))

    assert len(memory.ended) == module.REMEMBERED
    assert memory.ended[-1] == f"{EXECUTION}99"


def test_the_memory_survives_the_bucket(store: Store) -> None:
    """As JSON, under its one key."""
    memory = Pending(wanted=True, starting="upload-1", started_at=datetime.now(UTC), ended=("a", "b"))
    store.write(PENDING, memory)

    record = store.read(PENDING, Pending)
    assert record is not None
    assert record.value == memory


def test_the_trigger_works_on_s3(store: Store) -> None:
    """Its compare-and-swap is S3's conditional write."""
    aws = FakeStepFunctions()

    assert trigger(store, aws, MACHINE, UPLOAD).execution == aws.running[0]
    assert trigger(store, aws, MACHINE, UPLOAD).outcome == "pending"
    assert trigger(store, aws, MACHINE, aws.end(aws.running[0])).outcome == "started"


def test_settings_survive_the_environment() -> None:
    """What the stack writes is what the function reads; all that is missing is named."""
    written = TriggerSettings("bucket", MACHINE, "handbook")

    assert TriggerSettings.from_env(written.to_env()) == written
    with_bucket = structs.replace(written, source_bucket="documents")
    assert TriggerSettings.from_env(with_bucket.to_env()) == with_bucket
    with pytest.raises(
        ConfigurationError, match="STATE_BUCKET is not set; STATE_MACHINE_ARN is not set; CONNECTOR_NAME"
    ):
        TriggerSettings.from_env({})


def test_the_handler_hears_of_an_upload_and_logs_what_came_of_it(
    store: Store, s3: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Lambda calls it, with a batch of the queue."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "functions"))
    handler_module = import_module("trigger")
    clients = {"s3": s3, "stepfunctions": FakeStepFunctions()}
    monkeypatch.setattr(handler_module, "client", clients.__getitem__)
    for name, value in TriggerSettings(store.bucket, MACHINE, f"handbook-{store.bucket}").to_env().items():
        monkeypatch.setenv(name, value)

    result = handler_module.handler({"Records": [{"body": json.dumps(UPLOADED)}] * 500}, None)

    assert result == {"outcome": "started", "execution": clients["stepfunctions"].running[0]}
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert (line["message"], line["state"], line["result"]) == ("done", "trigger", result)
