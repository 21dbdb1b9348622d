"""What `docferry report` says of a run. `--json` prints one RunReport."""

from msgspec import Struct

from docferry.changes.plans import Planned
from docferry.indexes import SyncJob
from docferry.reporting.ledger import Entry
from docferry.reporting.report import Failure, Report
from docferry.reporting.timeline import PhaseTime, Point
from docferry.state.runs import Input


class RunReport(Struct, frozen=True, kw_only=True):
    """Everything about one run.

    ``entry`` is what the ledger knows, who started the run among it. ``unknown`` says in sentences what is not known,
    and why. ``result`` is the report that the run has written, or None. ``approved_by`` is the run that has used the
    approval of what this one held back. ``planned`` is empty unless the run was a plan.
    """

    connector: str
    target: str
    index: str
    entry: Entry
    going_on: bool = False
    unknown: tuple[str, ...] = ()
    input: Input | None = None
    result: Report | None = None
    phases: tuple[PhaseTime, ...] = ()
    throughput: tuple[Point, ...] = ()
    job: SyncJob | None = None
    failures: tuple[Failure, ...] = ()
    skipped: tuple[Failure, ...] = ()
    withheld: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    planned: tuple[Planned, ...] = ()
    approved_by: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """The counts of the run, in documents."""
        counted = self.result or self.entry
        return {name: getattr(counted, name) for name in COUNTED}

    @property
    def error(self) -> str:
        """Why the run has failed, or nothing."""
        return self.result.error if self.result is not None else self.entry.error


COUNTED = (
    *("added", "modified", "deleted", "unchanged", "skipped", "failed"),
    *("quarantined", "withheld", "exposed", "approved"),
)
