"""The functions of a connector, as data: what the stack deploys and what the laptop runs.

A function's role is made of what stands here, and of nothing else; tests compare it with what the handler's code calls.
"""

from typing import Literal

from msgspec import Struct

from docferry.indexes.service import IndexCall
from docferry.state import keys

SourceCall = Literal["pages", "look", "open", "groups"]
"""A method of docferry.sources.Source or Watched. ``groups`` also stands for the file of the groups, if any."""

ExecutionCall = Literal["describe", "list", "start"]
"""What a function asks of Step Functions about the connector's own state machine."""


DOCUMENTS = 10_000_000
"""Documents of a connector that its functions have memory, disk and time for: `make scale` runs with as many."""
NEARLY = 0.8
"""The part of them from which on a connector is told that it outgrows its functions: time enough to divide it."""


class Function(Struct, frozen=True):
    """One Lambda function: the module of its handler, the ASL placeholder for its ARN, memory in MiB, time in s.

    ``documents`` is how many documents of a connector these serve.
    ``reads``, ``writes`` and ``deletes`` are keys of the state bucket; ``*`` stands for any characters. ``index``,
    ``source`` and ``executions`` are what it calls. ``messages``: it sends the messages of the connector.
    """

    name: str
    placeholder: str
    memory: int
    timeout: int
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    index: tuple[IndexCall, ...] = ()
    source: tuple[SourceCall, ...] = ()
    executions: tuple[ExecutionCall, ...] = ()
    messages: bool = False
    documents: int = DOCUMENTS

    @property
    def handler(self) -> str:
        """The handler, as Lambda names it."""
        return f"{self.name}.handler"


# Of whichever data source: the ids of an index that the stack makes are known only once it is there. The first versions
# kept the same names at the top of the bucket, from where they are read and removed.
# Both of the record of the last job, and of the jobs of a service that has none.
JOB = f"{keys.DATA_SOURCES}*/sync_job*.json"
OWN_JOBS = f"{keys.DATA_SOURCES}*/{keys.OWN_JOBS}"
MANIFEST = f"{keys.DATA_SOURCES}*/{keys.MANIFESTS}*"
FAILURES = f"{keys.DATA_SOURCES}*/{keys.FAILURES}"
SCOPE = f"{keys.DATA_SOURCES}*/{keys.SCOPE}"
GROUPS = f"{keys.DATA_SOURCES}*/{keys.GROUPS}*"
FIRST_MANIFEST = f"{keys.MANIFESTS}*"
FIRST_LAYOUT = (keys.SYNC_JOB, FIRST_MANIFEST, keys.FAILURES)
RUN = f"{keys.RUNS}*"
LISTING = f"{keys.RUNS}*/{keys.LISTING}*"
EVENTS = f"{keys.RUNS}*/{keys.EVENTS}"
STAGING = f"{keys.STAGING}*"
CARRIED = f"{keys.CARRIED}*"
MEMBERS = f"{keys.MEMBERS}*"
NOTES = f"{keys.NOTES}*"
INBOX = f"{keys.INBOX}*"
COLLECTED = f"{keys.COLLECTION}*"
CONTENT = f"{keys.COLLECTED_CONTENT}*"
LEDGER, LEASE, PENDING, MESSAGES = keys.LEDGER, keys.LEASE, keys.PENDING, keys.MESSAGES

# A batch writes the record of a service without jobs when its job was over before its call was.
#
# A crawl works through up to 15 minutes, Lambda's limit, and then goes on from its checkpoint. A shard is at most 100
# requests of 5 MB, and goes on in another invocation when its time is over; docferry.workflow.put_batch says what a
# worker holds: 200 MB beside its imports. Commit reads the whole manifest once: about a minute for a million documents.
FUNCTIONS = (
    Function(
        "crawl",
        "CrawlFunctionArn",
        memory=1769,
        timeout=900,
        reads=(
            RUN,
            LEDGER,
            JOB,
            MANIFEST,
            FAILURES,
            SCOPE,
            *FIRST_LAYOUT,
            LEASE,
            INBOX,
            COLLECTED,
            NOTES,
            MESSAGES,
        ),
        writes=(RUN, LEDGER, JOB, MANIFEST, FAILURES, LEASE, COLLECTED, CARRIED, MEMBERS, NOTES, MESSAGES),
        deletes=(INBOX, COLLECTED, NOTES, MANIFEST, FIRST_MANIFEST),
        index=("stop", "jobs", "statuses", "fields", "declare"),
        source=("pages", "look"),
        executions=("describe",),
    ),
    Function(
        "sync_groups",
        "SyncGroupsFunctionArn",
        memory=512,
        timeout=900,
        reads=(RUN, JOB, GROUPS, LEASE),
        writes=(RUN, GROUPS, STAGING),
        deletes=(GROUPS,),
        index=("set_group", "remove_group", "group_status"),
        source=("groups",),
    ),
    Function(
        "start_sync",
        "StartSyncFunctionArn",
        memory=256,
        timeout=120,
        reads=(JOB,),
        writes=(JOB,),
        index=("start", "stop", "jobs"),
    ),
    Function(
        "put_batch",
        "PutBatchFunctionArn",
        memory=512,
        timeout=900,
        reads=(RUN, JOB, CONTENT, CARRIED, MEMBERS),
        writes=(RUN, STAGING, OWN_JOBS),
        index=("put",),
        source=("open",),
    ),
    Function(
        "delete_batch",
        "DeleteBatchFunctionArn",
        memory=256,
        timeout=900,
        reads=(RUN, JOB),
        writes=(RUN, OWN_JOBS),
        index=("delete",),
    ),
    Function(
        "stop_sync",
        "StopSyncFunctionArn",
        memory=256,
        timeout=120,
        reads=(JOB,),
        writes=(JOB,),
        index=("stop", "jobs"),
    ),
    Function(
        "poll_sync",
        "PollSyncFunctionArn",
        memory=256,
        timeout=120,
        reads=(JOB,),
        writes=(JOB,),
        index=("stop", "jobs"),
    ),
    Function(
        "commit",
        "CommitFunctionArn",
        memory=1769,
        timeout=900,
        reads=(RUN, JOB, MANIFEST, FAILURES, SCOPE, FIRST_MANIFEST, LEASE, MESSAGES),
        writes=(RUN, JOB, MANIFEST, FAILURES, SCOPE, MESSAGES),
        deletes=(LISTING, STAGING, CARRIED, LEASE, MANIFEST, *FIRST_LAYOUT),
        index=("jobs", "statuses"),
        messages=True,
    ),
    Function(
        "janitor",
        "JanitorFunctionArn",
        memory=256,
        timeout=300,
        reads=(RUN, LEDGER, JOB, LEASE, MESSAGES),
        writes=(RUN, LEDGER, JOB, MESSAGES),
        deletes=(CARRIED, LEASE),
        index=("stop", "jobs"),
        messages=True,
    ),
)
"""The functions that the workflow calls."""

EXPANDS = "crawl"
"""The function that reads the list of groups for an index that knows none."""

# Up to 1,000 events an invocation cost it a handful of calls, so a minute is plenty. Its record has 20 MB at most, when
# all of its 10,000 keys are as long as S3 allows.
TRIGGER = Function(
    "trigger",
    "TriggerFunctionArn",
    memory=256,
    timeout=60,
    reads=(PENDING, LEASE),
    writes=(PENDING, EVENTS),
    executions=("list", "start"),
)
"""Starts the workflow when something has changed; no state calls it."""

DEPLOYED = (*FUNCTIONS, TRIGGER)
"""Every function of a connector's stack."""


def outgrown(documents: int, functions: tuple[Function, ...] = FUNCTIONS) -> str:
    """Say that a connector is about to outgrow its functions, and which. Empty while there is room."""
    most = min(function.documents for function in functions)
    if documents < NEARLY * most:
        return ""
    names = ", ".join(function.name for function in functions if function.documents == most)
    which = "" if len(names.split()) == len(functions) else f" ({names})"
    return (
        f"the connector has {documents:,} documents, and its functions are made for {most:,}{which}: divide the source "
        "between two connectors, by prefix or folder"
    )
