"""Fault kinds of answers that lag: lists, statuses and metrics that show how things were some time ago."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from docferry import lease
from docferry.store import LEASE
from tests.faults.bucket import refused
from tests.faults.kinds import Fault
from tests.faults.points import Call, Proceed

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
        step_functions = self.stage.wired.step_functions
        real, own = step_functions.describe_execution, self.stage.arn(run)

        def describe(executionArn: str) -> Any:  # noqa: N803  # boto3's name
            if executionArn == own:
                raise refused("DescribeExecution", "ExecutionDoesNotExist", 400)
            return real(executionArn=executionArn)

        with patch.object(step_functions, "describe_execution", describe):
            other = self.stage.sync()
        if other.report is None or "AlreadyRunning" not in other.report.error:
            self.problems.append(f"another run has begun beside this one: {other.report}")


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
