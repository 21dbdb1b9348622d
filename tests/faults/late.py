"""Fault kinds of answers that lag: lists, statuses and metrics that show how things were some time ago."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ConnectionClosedError

from docferry.state.keys import LEASE
from docferry.sync_job import lease
from docferry.workflow.trigger import Triggered
from tests.faults.kinds import Fault
from tests.faults.points import Call, Point, Proceed, Watch
from tests.faults.stage import Stage
from tests.state_buckets import refused

UPLOADED = {"source": "aws.s3", "detail": {"object": {"key": "a.txt"}}}
MANY = 20
FAILING = {"team/b.txt": "cannot be read", "team/e.txt": "cannot be read"}


class Lags(Fault):
    """Answers of the index service lag from the invocation of a function on."""

    seconds: dict[str, float]
    failing: dict[str, str] = {}  # noqa: RUF012  # the same for all, and never changed

    def strike(self, call: Call, proceed: Proceed) -> Any:  # noqa: ARG002
        """Let them lag, and documents fail where nobody sees it yet."""
        self.stage.lag(**self.seconds)
        self.stage.knobs.fail_documents |= self.failing
        return proceed()


class Unknown(Fault):
    """Another run begins while this one is at work, and DescribeExecution does not know this one yet."""

    kind = "DescribeExecution lags"

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Let the other run begin: it has to be refused as long as this one holds the lease."""
        with self.watch.outside():
            held = self.stage.store.read(LEASE, lease.Lease)
            if held is not None and held.value.run == call.run:
                self._begin(call.run)
        return proceed()

    def _begin(self, run: str) -> None:
        step_functions = self.stage.step_functions
        real, own = step_functions.describe_execution, self.stage.arn(run)

        def describe(executionArn: str) -> Any:  # noqa: N803  # boto3's name
            if executionArn == own:
                raise refused("DescribeExecution", "ExecutionDoesNotExist", 400)
            return real(executionArn=executionArn)

        with patch.object(step_functions, "describe_execution", describe):
            other = self.stage.sync()
        if other.report is None or "AlreadyRunning" not in other.report.error:
            self.problems.append(f"another run has begun beside this one: {other.report}")


class Unlisted(Fault):
    """A file is uploaded while this run is at work, and ListExecutions does not show any run yet.

    The runs that the trigger starts beside this one are refused. Once this one has ended, one of them sees the upload,
    though ListExecutions still says that this one is running.
    """

    kind = "ListExecutions lags"
    lost_reply = False

    def __init__(self, stage: Stage, watch: Watch, point: Point) -> None:
        super().__init__(stage, watch, point)
        self.began = False

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Tell the trigger of the upload, then of the end of each run that it starts."""
        with self.watch.outside():
            held = self.stage.store.read(LEASE, lease.Lease)
            if held is not None and held.value.run == call.run:
                self.began = True
                with self._listing():
                    self._follow(UPLOADED)
        return proceed()

    def end(self) -> None:
        """Tell the trigger of the end of this run, while the list still shows it."""
        if self.began:
            with self._listing(self.stage.arn(self.run)):
                seen = self._follow(self.stage.news(self.stage.arn(self.run)))
            if self.alone and "SUCCEEDED" not in seen:
                self.problems.append(f"the upload was forgotten: {seen}")

    def _follow(self, *news: dict[str, Any]) -> list[str]:
        """Tell the trigger of something, then of the ends of what it starts, until it starts nothing."""
        seen: list[str] = []
        for _ in range(MANY):
            execution = self._tell(*news).execution
            if execution is None:
                return seen
            news = (self.stage.news(execution),)
            seen.append(news[0]["detail"]["status"])
        self.problems.append(f"the trigger starts one run after the other: {seen}")
        return seen

    def _tell(self, *news: dict[str, Any]) -> Triggered:
        if not self.lost_reply:
            return self.stage.tell(*news)
        step_functions = self.stage.step_functions
        real = step_functions.start_execution

        def start(**params: Any) -> None:
            real(**params)
            raise ConnectionClosedError(endpoint_url="states")

        with patch.object(step_functions, "start_execution", start), suppress(ConnectionClosedError):
            return self.stage.tell(*news)
        return self.stage.tell(*news)  # the queue delivers again

    def _listing(self, *executions: str) -> AbstractContextManager[object]:
        listed = {"executions": [{"executionArn": execution, "status": "RUNNING"} for execution in executions]}
        return patch.object(self.stage.step_functions, "list_executions", lambda **_: listed)


class UnlistedAndLost(Unlisted):
    """Each reply of StartExecution is lost besides, and the messages come again."""

    kind = "ListExecutions lags, StartExecution's reply is lost"
    lost_reply = True


def _variants() -> Iterator[tuple[type[Lags], str]]:
    for seconds in (90.0, 900.0):
        for function, moment in (("start_sync", "Start"), ("stop_sync", "Stop")):
            kind = f"list of jobs lags {seconds:.0f} s after {moment}"
            yield type("Lags", (Lags,), {"kind": kind, "seconds": {"job_list_lag": seconds}}), function
    statuses, metrics = {"status_lag": 600.0}, {"metrics_lag": 600.0}
    for kind, late, failing in (
        ("statuses lag", statuses, {}),
        ("statuses lag, documents fail", statuses, FAILING),
        ("metrics lag, documents fail", metrics, FAILING),
        ("statuses and metrics lag, documents fail", statuses | metrics, FAILING),
        ("statuses and metrics lag, deletes fail", statuses | metrics, {"team/c.txt": "cannot be deleted"}),
    ):
        yield type("Lags", (Lags,), {"kind": kind, "seconds": late, "failing": failing}), "start_sync"


LATE = tuple(_variants())
"""Each with the function at whose first invocation it strikes."""
