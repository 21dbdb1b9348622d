"""What `docferry status` says of a connector. `--json` prints a list of Status."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from docferry.indexes import JobStatus
from docferry.reporting.ledger import Entry
from docferry.reporting.pace import Pace

Health = Literal["healthy", "unhealthy", "unknown"]


class Problem(Struct, frozen=True):
    """Something that is wrong, as a sentence, and the command or the step to take next."""

    what: str
    next: str


class Running(Struct, frozen=True, kw_only=True):
    """The run that is going on now. ``pace`` says how far it is."""

    run: str
    mode: str
    trigger: str
    began: datetime | None
    pace: Pace


class Waiting(Struct, frozen=True, kw_only=True):
    """What waits for approval. ``run`` held it back; ``exposed`` documents have lost their access control."""

    run: str
    withheld: int
    exposed: int
    groups: int
    approve: str


class Success(Struct, frozen=True, kw_only=True):
    """The last sync that succeeded, against the schedule.

    ``overdue`` is None when there is no schedule to judge by, or the schedule is due only once.
    """

    run: str
    ended: datetime | None
    schedule: str | None
    timezone: str | None
    overdue: bool | None


class OpenJob(Struct, frozen=True, kw_only=True):
    """A sync job of the data source that has not ended. ``foreign``: this connector did not start it."""

    execution_id: str
    status: JobStatus
    started_at: datetime
    foreign: bool


class HeldLease(Struct, frozen=True, kw_only=True):
    """Who holds the lease, and for how long. ``stale``: that execution has ended."""

    run: str
    execution: str
    age_seconds: float
    stale: bool


class Status(Struct, frozen=True, kw_only=True):
    """What is known of one connector.

    ``unknown`` is the health of a connector that could not be read: ``error`` says why. ``last`` is the newest run that
    has ended, plans among them. ``failed`` and ``quarantined`` are documents, as the last sync counted them.
    ``next`` is what to do first.
    """

    connector: str
    target: str
    index: str
    health: Health
    next: str
    problems: tuple[Problem, ...] = ()
    error: str = ""
    running: Running | None = None
    last: Entry | None = None
    success: Success | None = None
    waiting: Waiting | None = None
    failed: int = 0
    quarantined: int = 0
    job: OpenJob | None = None
    lease: HeldLease | None = None
