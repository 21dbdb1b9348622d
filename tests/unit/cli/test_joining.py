"""Sync jobs, and the runs that opened them."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from docferry.indexes import SyncJob
from docferry.reporting import ledger
from docferry.reporting.report import Report
from docferry.state.keys import ENTRY, run_key
from docferry.state.runs import Input, Run
from docferry.state.store import Store
from docferry.sync_job.job import SyncJobRecord
from docferry_cli.sync_jobs import joining
from docferry_cli.sync_jobs.joining import joined
from tests.unit.fakes import NOON, job


def ran(store: Store, name: str, execution_id: str | None, minutes: int) -> None:
    """Let there have been a run that began so long after noon."""
    entry = ledger.register(store, Run(name, f"arn:{name}"), Input())
    began = NOON + timedelta(minutes=minutes)
    store.write(run_key(name, ENTRY), structs.replace(entry, began=began))
    ledger.finish(store, Report(run=name, connector="x", status="SUCCEEDED", execution_id=execution_id))


def job_at(execution_id: str, minutes: int) -> SyncJob:
    """A job that began so long after noon."""
    return structs.replace(job(execution_id, "SUCCEEDED", added=3), started_at=NOON + timedelta(minutes=minutes))


def makers(store: Store, *jobs: SyncJob) -> list[tuple[str, str | None, Any]]:
    """Who opened each job."""
    return [(one.execution_id, one.run, one.made_by) for one in joined(store, jobs)]


def test_each_job_names_its_run_or_is_foreign(store: Store) -> None:
    """A run that is not over has said in the record of its job which one it is."""
    ran(store, "run-1", "job-1", 0)
    ran(store, "run-2", None, 10)
    ledger.register(store, Run("run-3", "arn:run-3"), Input())
    record = SyncJobRecord(run="run-3", state="open", execution_id="job-4", ours=("job-4", "job-0", "job-1"))
    store.write(store.held("sync_job.json"), record)

    found = makers(store, job_at("job-4", 30), job_at("job-3", 20), job_at("job-1", 1), job_at("job-0", 0))

    assert found == [
        ("job-4", "run-3", "run"),
        ("job-3", None, "foreign"),
        ("job-1", "run-1", "run"),
        ("job-0", None, "connector"),
    ]
    assert joined(store, [job_at("job-1", 1)])[0].metrics.added == 3


def test_a_job_of_a_time_that_is_forgotten_is_nobody_s(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is read only so far, or its first runs have expired: the job may be a run's, and may be foreign."""
    for number in range(4):
        ran(store, f"run-{number}", f"job-{number}", number * 10)
    jobs = (job_at("strange", 35), job_at("job-3", 31), job_at("job-0", 1))
    monkeypatch.setattr(joining, "LOOKED", 2)
    cut = makers(store, *jobs)
    monkeypatch.undo()
    store.delete(run_key("run-1", ENTRY))

    assert cut == [("strange", None, "foreign"), ("job-3", "run-3", "run"), ("job-0", None, "unknown")]
    assert makers(store, *jobs) == cut


def test_without_jobs_nothing_is_read_and_without_runs_all_are_foreign(store: Store) -> None:
    """A data source that others have used before."""
    assert makers(store) == []
    assert makers(store, job_at("job-1", 0)) == [("job-1", None, "foreign")]
