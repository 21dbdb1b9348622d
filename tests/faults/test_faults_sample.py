"""One in 500 of all cases, evenly over fault kinds and points, and the same ones every time."""

import pytest

from tests.faults.catalogue import Case, pairs, singles, spread
from tests.faults.harness import Harness, harness
from tests.faults.stage import PLACES
from tests.faults.workers import scenarios

PAIRS = 3
UNLISTED = "ListExecutions lags, StartExecution's reply is lost"
LATE = "statuses lag, documents fail @ start_sync:return#1"
PUTS = "runs/<run>/changes/put-00000.jsonl.zst"
JOB = "data-sources/<data source>/sync_job.json"


@pytest.mark.parametrize("service", PLACES)
def test_nothing_is_lost(service: str) -> None:
    """Whatever goes wrong, the invariants hold, and one clean run brings index and source together."""
    with harness(service) as on:
        cases = [case for scenario in scenarios(service) for case in singles(service, scenario, on.reference(scenario))]
        sample = spread(cases, len(cases) // 500) + pairs(cases, seed=1, count=PAIRS)

        found = {str(case): violations for case in sample if (violations := on.violations(case))}

    assert found == {}


@pytest.mark.parametrize(
    "case",
    [
        # The account of the run before was refused, and with it the rebuild that would have cured it.
        "kendra | changes | corrupt manifest: pointer is foreign @ commit:return#1",
        "kendra | changes | corrupt manifest: stream lost @ commit:return#1",
        # It recorded its job over that of the next run, which then found none to stop.
        "kendra | changes | zombie, amid the next run @ start_sync:PutObject:" + JOB + "#1",
        "kendra | changes | zombie, amid the next run @ start_sync:PutObject:" + JOB + "#2",
        # It opened a job after the next run: every run after that failed, for the manifest had moved since its crawl.
        "kendra | changes | zombie @ start_sync:StartDataSourceSyncJob#1",
        # The list showed a document as an older run had put it, and the next run took the failures for accounted.
        f"qbusiness | changes | {UNLISTED} @ crawl:PutObject:{PUTS}#1 | {LATE}",
        # It accounted, a second time, for a run that the next one had settled.
        "kendra | recovery | zombie @ crawl:StopDataSourceSyncJob#1",
    ],
)
def test_what_the_harness_has_found_stays_mended(request: pytest.FixtureRequest, case: str) -> None:
    """Cases that were violations once."""
    parsed = Case.parse(case)
    on: Harness = request.getfixturevalue(parsed.service)

    assert on.violations(parsed) == []
