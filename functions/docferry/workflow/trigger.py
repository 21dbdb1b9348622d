"""Trigger: start a run when something has changed, never a second one beside it, and forget no change.

The messages of any number of uploads become one record, ``pending.json``: the keys that have changed, each once, or
that anything may have. What it says, and whether a run may start, is decided and written in one compare-and-swap; so of
two invocations at a time one sees what the other did:

- A message is gone from the queue only after what it says is written: a crash before that brings it back.
- A run is started under a name that is written first. An invocation that finds the name may repeat the start, which
  does nothing.
- Step Functions lists executions with a delay. So an end that was heard of counts more than the list, and a start of
  a moment ago counts as running, and so does the run that holds the lease: one beside it would only be refused.
- A run gets the keys, and looks at those alone. Before it was heard to have succeeded, another run gets none, and
  crawls the whole source: when a run fails, no key is forgotten.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self
from uuid import uuid4

from botocore.exceptions import ClientError
from msgspec import Struct, structs

from docferry.errors import ConfigurationError, Conflict
from docferry.state.keys import EVENTS, PENDING, run_key
from docferry.state.objects import Moved, Record
from docferry.state.runs import Events
from docferry.state.store import Store
from docferry.sync_job import lease
from docferry.workflow import signals
from docferry.workflow.signals import PREFIX, Signals

STATE_BUCKET, STATE_MACHINE, CONNECTOR_NAME = "STATE_BUCKET", "STATE_MACHINE_ARN", "CONNECTOR_NAME"
SOURCE_BUCKET = "SOURCE_BUCKET"

RETRIES = 2
"""How many failed runs in a row are restarted for the same uploads. After that the schedule or a person starts one."""

# The list of executions is eventually consistent; a minute is far longer than it was ever seen to lag.
LAG = timedelta(minutes=1)
REMEMBERED = 20
# Lambda polls the queue with two invocations at most, so a swap fails seldom, and twice hardly ever.
ATTEMPTS = 20


class TriggerSettings(Struct, frozen=True):
    """The settings of the trigger: the state bucket, the ARN of the state machine, the name of the connector.

    ``source_bucket`` is the bucket that the documents are in, if they are in one.
    """

    state_bucket: str
    state_machine: str
    connector: str
    source_bucket: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment. Raises ConfigurationError, which names all that is missing."""
        names = (STATE_BUCKET, STATE_MACHINE, CONNECTOR_NAME)
        if missing := [f"{name} is not set" for name in names if not env.get(name)]:
            raise ConfigurationError(f"the function's environment is wrong: {'; '.join(missing)}; deploy it again")
        return cls(env[STATE_BUCKET], env[STATE_MACHINE], env[CONNECTOR_NAME], env.get(SOURCE_BUCKET, ""))

    def to_env(self) -> dict[str, str]:
        """The environment that ``from_env`` reads back as these settings."""
        env = {STATE_BUCKET: self.state_bucket, STATE_MACHINE: self.state_machine, CONNECTOR_NAME: self.connector}
        return env | ({SOURCE_BUCKET: self.source_bucket} if self.source_bucket else {})


class Pending(Struct, frozen=True, kw_only=True):
    """The trigger's memory (``pending.json``).

    ``wanted``: something has changed that no run knows of: ``keys`` alone, or, with ``whole`` or without keys, what
    a crawl of the whole source finds. ``starting``: the name of the run that is about to be started, and
    ``given`` the keys that it gets, None for a whole crawl. ``unproven``: the last run that was started, unless it was
    heard to have succeeded. ``started``: the ARN of the last one. ``ended``: the last executions that were heard to
    have ended.
    """

    wanted: bool = False
    keys: tuple[str, ...] = ()
    whole: bool = False
    given: tuple[str, ...] | None = None
    unproven: str | None = None
    starting: str | None = None
    started: str | None = None
    started_at: datetime | None = None
    ended: tuple[str, ...] = ()
    failures: int = 0


class Triggered(Struct, frozen=True, kw_only=True):
    """What came of it: a run was ``started``, one is ``pending`` until another ends, or there was ``nothing`` to do."""

    outcome: Literal["started", "pending", "nothing"]
    execution: str | None = None


def trigger(store: Store, step_functions: Any, machine: str, heard: Signals) -> Triggered:
    """Remember what was heard, and start a run when one is wanted and none is running.

    Raises Conflict, or the error of S3 or of Step Functions: then the messages have to be delivered again.
    """
    for _ in range(ATTEMPTS):
        record = store.read(PENDING, Pending)
        memory = remember(record.value if record else Pending(), heard)
        if memory.wanted and memory.starting is None and not is_running(store, step_functions, machine, memory):
            memory = begin(memory, f"{PREFIX}{uuid4()}")
        if not _swapped(store, record, memory):
            continue
        heard = Signals()  # what is written is heard for good
        if memory.starting is None:
            return Triggered(outcome="pending" if memory.wanted else "nothing")
        execution = _start(store, step_functions, machine, memory.starting, memory.given)
        if not memory.wanted:
            return Triggered(outcome="started", execution=execution)
        # An invocation that died had left the start; its run may have ended since, and what is wanted is another.
    raise Conflict(f"{PENDING} is written by too many invocations at a time; the messages will come again")


def remember(memory: Pending, heard: Signals) -> Pending:
    """The memory with what was heard in it. Pure; hearing the same again changes nothing but a mark."""
    wanted, failures = memory.wanted or heard.changed or bool(heard.keys), memory.failures
    keys = heard.keys.union(memory.keys)
    # A memory without keys that wants a run wants a whole crawl.
    whole = memory.whole or heard.changed or len(keys) > signals.KEYS or (memory.wanted and not memory.keys)
    unproven = memory.unproven
    news = [ended for ended in dict.fromkeys(heard.ended) if ended.execution not in memory.ended]
    for ended in news:
        if ended.run == unproven and ended.status == "SUCCEEDED":
            unproven = None
        if ended.ours and ended.status == "SUCCEEDED":
            failures = 0
        elif ended.ours and ended.status in {"FAILED", "TIMED_OUT"}:
            # Refused because another run had just begun, or failed: the uploads it was to see are still to be seen.
            failures += 1
            wanted = wanted or failures <= RETRIES
            whole = True
    ended_now = (*memory.ended, *(ended.execution for ended in news))[-REMEMBERED:]
    return structs.replace(
        memory,
        wanted=wanted,
        keys=() if whole else tuple(sorted(keys)),
        whole=whole,
        unproven=unproven,
        failures=failures,
        ended=ended_now,
    )


def begin(memory: Pending, name: str) -> Pending:
    """The memory once the run of this name is about to be started. Pure.

    It gets the keys, unless a run before it may not have seen all that it was to see.
    """
    whole = memory.whole or memory.unproven is not None or not memory.keys
    given = None if whole else memory.keys
    return structs.replace(memory, wanted=False, keys=(), whole=False, starting=name, given=given, unproven=name)


def is_running(store: Store, step_functions: Any, machine: str, memory: Pending) -> bool:
    """Whether an execution of the state machine is running, by all that is known."""
    if memory.started is not None and memory.started not in memory.ended:
        assert memory.started_at is not None, "written with the ARN"
        # A time to come means that the clock was set back: then only the list counts.
        if timedelta(0) <= datetime.now(UTC) - memory.started_at < LAG:
            return True
    holder = lease.young_holder(store)
    if holder is not None and holder not in memory.ended:
        return True
    listed = step_functions.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=100)
    return any(execution["executionArn"] not in memory.ended for execution in listed["executions"])


def _start(store: Store, step_functions: Any, machine: str, name: str, keys: tuple[str, ...] | None) -> str:
    """Start the run of a name, or find that it was started, and note that it was. Returns its ARN."""
    asked = {"trigger": "upload"}
    if keys is not None:
        store.write(run_key(name, EVENTS), Events(keys))
        asked["events"] = name
    try:
        arn: str = step_functions.start_execution(stateMachineArn=machine, name=name, input=json.dumps(asked))[
            "executionArn"
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    for _ in range(ATTEMPTS):
        record = store.read(PENDING, Pending)
        if record is None or record.value.starting != name:
            return arn
        started = structs.replace(record.value, starting=None, given=None, started=arn, started_at=datetime.now(UTC))
        if _swapped(store, record, started):
            return arn
    # The name stays noted: whoever comes next repeats the start, which does nothing, and notes it.
    return arn


def _swapped(store: Store, record: Record[Pending] | None, memory: Pending) -> bool:
    """Write the memory over the one that was read. False when another invocation has written since."""
    if record is not None and memory == record.value:
        return True
    try:
        store.swap(PENDING, memory, record.etag if record else None)
    except Moved:
        return False
    return True
