"""The catalogue misses nothing: what the code can change, the reference runs change."""

import pytest

from docferry.indexes import index_class
from tests.faults.call_sites import Site, traced, written
from tests.faults.harness import SCENARIOS, harness
from tests.faults.points import Point
from tests.faults.stage import RECORDS, SERVICES

EXPANDS = "only for an index that knows no groups, and has access control; see tests/workflow/test_bedrock.py"
NOT_REACHED = {
    ("groups/expansion.py", "self._store.write(members_key(digest), users)"): EXPANDS,
    ("groups/expansion.py", "store.write(run_key(run, GROUPS_REPORT), progress)"): EXPANDS,
    ("messages/outbox.py", "store.write(MESSAGES, Memory())"): "only when the record is damaged; see test_messages.py",
    (
        "sync_job/lease.py",
        "store.delete(LEASE)",
    ): "one of two such lines: a laptop whose process died; see test_lease.py",
    ("settlement/steps.py", "self._store.write(key, self.state)"): (
        "only when the time of an invocation of Commit is over; see settlement/test_steps.py"
    ),
    ("sync_job/job.py", "store.write(store.held(SYNC_JOB), ours)"): (
        "another run has recorded its job meanwhile: the fault `zombie` at the point of Start comes here"
    ),
    ("state/sorting.py", "store.part_writer(f'{key.removesuffix(SUFFIX)}/')"): (
        "only when many chunks overlap, and these sources list in order; see test_interrupted_crawl.py"
    ),
    ("workflow/crawl.py", "store.write(run_key(run.run, CHECKPOINT), listed)"): "the same",
    ("workflow/handed_in.py", "store.write(run_key(run.run, CHECKPOINT), waiting)"): (
        "only when an invocation's time is over amid the inbox; see test_crawl.py"
    ),
    ("workflow/handed_in.py", "wired.store.write(run_key(run.run, CHECKPOINT), checkpoint)"): (
        "only when the inbox holds more than a chunk; see test_crawl.py"
    ),
    ("workflow/looking.py", "store.write(run_key(run.run, CHECKPOINT), Checkpoint())"): (
        "only when an invocation before has looked at keys, and they are not enough any more; see test_looking.py"
    ),
    (
        "workflow/looking.py",
        "store.writing(run_key(run.run, KEPT_FAILURES))",
    ): "one of two such lines: as the one above",
    ("workflow/trigger.py", "store.write(run_key(name, EVENTS), Events(keys))"): (
        "not of the workflow; see test_trigger.py"
    ),
    ("workflow/trigger.py", "store.swap(PENDING, memory, record.etag if record else None)"): (
        "not of the workflow; see test_trigger.py"
    ),
}
"""Call sites that no reference run comes to, with the reason."""


@pytest.mark.parametrize("service", SERVICES)
def test_the_reference_runs_come_to_every_call_site(service: str) -> None:
    """Each place in the code that changes the bucket or the index is one of the points, or is named here."""
    seen: set[Site] = set()
    with harness(service) as on, traced(index_class(service), seen):
        for scenario in SCENARIOS:
            on.reference(scenario)
    with harness(RECORDS) as on, traced(index_class("kendra"), seen):
        on.reference("changes")

    missing = {(file, text) for file, lines, text in written() if not any((file, line) in seen for line in lines)}

    def concerns(file: str) -> bool:
        """Whether a place is for this service at all.

        One that knows no groups is told of none; the first layout knew no service without sync jobs, and the metrics of
        such a one grow only after a fault.
        """
        known = index_class(service).service
        if file.startswith("groups/") or file == "workflow/sync_groups.py":
            return bool(known.on_groups)
        if file in {"settlement/adoption.py", "settlement/settle.py", "settlement/late_failures.py"}:
            return known.has_jobs
        return file != "indexes/own_jobs.py" or not known.has_jobs

    assert {site for site in missing if concerns(site[0])} == {site for site in NOT_REACHED if concerns(site[0])}


@pytest.mark.parametrize("service", SERVICES)
def test_the_points_of_a_run_are_the_same_every_time(service: str) -> None:
    """So a case can be named, and repeated."""
    with harness(service) as on:
        one, other = (sorted(call.point for call in on.reference("changes")) for _ in range(2))

    assert one == other
    assert all(Point.parse(str(point)) == point for point in one)
