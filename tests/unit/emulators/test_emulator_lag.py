"""Answers that lag: what lists and statuses show is how things were some time ago; what is done is not."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from docferry_emulators import Settings, emulated
from docferry_emulators.clock import VirtualClock
from tests.unit.emulators.emulated_services import SERVICES, Service, code_of

BOTH = pytest.mark.parametrize("name", sorted(SERVICES))
LAG = 30.0


def statuses(service: Service) -> list[str]:
    """The states of all jobs that are listed, newest first."""
    return [job["Status"] for job in service.history()]


@BOTH
def test_a_job_is_not_listed_for_a_while_after_its_start(start: Any, name: str) -> None:
    """The service knows of it all the same: it takes documents, and no second job starts."""
    service: Service = start(name, job_list_lag=LAG)
    job = service.start()

    assert service.history() == []
    with pytest.raises(ClientError) as busy:
        service.start()
    assert code_of(busy) == service.busy
    assert service.put(service.document("a"), job=job) == []

    service.clock.sleep(LAG)
    assert [(one["ExecutionId"], one["Status"]) for one in service.history()] == [(job, "SYNCING")]


@BOTH
def test_a_stopped_job_is_listed_as_syncing_for_a_while(start: Any, name: str) -> None:
    """It goes through the same states as without a lag, later."""
    service: Service = start(name, job_list_lag=LAG)
    job = service.start()
    service.put(service.document("a"), job=job)
    service.clock.sleep(LAG)
    service.stop()
    rejected = service.put(service.document("b"), job=job)
    assert [entry[0] for entry in rejected] == ["b"]

    seen: list[str] = []
    for _ in range(400):
        (shown,) = service.history()
        if not seen or seen[-1] != shown["Status"]:
            seen.append(shown["Status"])
        assert ("EndTime" in shown) is (shown["Status"] == "SUCCEEDED")
        service.clock.sleep(0.2)

    assert seen == ["SYNCING", "STOPPING", "SYNCING_INDEXING", "SUCCEEDED"]


@BOTH
def test_filters_and_pages_are_of_what_is_shown(start: Any, name: str) -> None:
    """A job that has ended is found as SYNCING as long as the list says so."""
    service: Service = start(name, job_list_lag=LAG)
    first = service.sync(service.document("a"))
    service.clock.sleep(LAG)
    second = service.start()
    service.clock.sleep(LAG)
    service.stop()
    service.clock.sleep(5)

    status = "StatusFilter" if name == "kendra" else "statusFilter"
    assert [job["ExecutionId"] for job in service.history(**{status: "SYNCING"})] == [second]
    assert [job["ExecutionId"] for job in service.history(**{status: "SUCCEEDED"})] == [first]
    service.clock.sleep(LAG)
    assert service.history(**{status: "SYNCING"}) == []
    assert [job["ExecutionId"] for job in service.history()] == [second, first]


@BOTH
def test_metrics_grow_after_the_end(start: Any, name: str) -> None:
    """The job has SUCCEEDED before it counts what failed."""
    service: Service = start(name, metrics_lag=LAG)
    service.emulation.faults.knobs.fail_documents["bad"] = "unreadable"
    job = service.start()
    service.put(service.document("good"), service.document("bad"), job=job)
    service.stop()
    service.clock.sleep(5)

    assert service.job()["Status"] == "SUCCEEDED"
    assert service.metrics() == (0, 0, 0, 0)
    service.clock.sleep(LAG)
    assert service.job()["Status"] == "SUCCEEDED"
    assert service.metrics() == (1, 0, 0, 1)


@BOTH
def test_statuses_of_new_documents_lag(start: Any, name: str) -> None:
    """Not there, being worked on, indexed: each later than it is so. A search does not lag."""
    service: Service = start(name, status_lag=LAG)
    job = service.start()
    service.put(service.document("a"), job=job)

    assert service.status("a") == "NOT_FOUND"
    service.clock.sleep(5)
    assert service.search("text") == ["a"]
    assert service.status("a") == "NOT_FOUND"
    service.clock.sleep(LAG - 5 + 0.7)
    assert service.status("a") == "PROCESSING"
    service.clock.sleep(5)
    assert service.status("a") == "INDEXED"


@BOTH
def test_statuses_of_changed_documents_lag(start: Any, name: str) -> None:
    """A document that has failed is shown as it was before."""
    service: Service = start(name, status_lag=LAG)
    service.sync(service.document("a"))
    service.emulation.faults.knobs.fail_documents["a"] = "unreadable"
    job = service.start()
    service.put(service.document("a", "another text"), job=job)
    service.stop()
    service.clock.sleep(5)

    assert service.job()["Status"] == "INCOMPLETE"
    assert service.status("a") == "INDEXED"
    service.clock.sleep(LAG)
    assert service.status("a").endswith("FAILED")


@BOTH
def test_a_deleted_document_is_listed_for_a_while(start: Any, name: str) -> None:
    """It cannot be found any more."""
    service: Service = start(name, status_lag=LAG)
    service.sync(service.document("a"), service.document("b"))
    service.clock.sleep(LAG)
    job = service.start()
    service.delete("a", job=job)
    service.clock.sleep(5)

    assert service.search("text") == ["b"]
    assert service.status("a") == "INDEXED"
    service.clock.sleep(LAG)
    assert service.status("a") == "NOT_FOUND"
    assert service.status("b") == "INDEXED"


@BOTH
def test_what_was_there_before_the_lag_is_shown(name: str, tmp_path: Path) -> None:
    """A database that was written without a lag, or over a restart with one."""
    file, clock = tmp_path / "indexes.sqlite3", VirtualClock()
    with emulated(clock=clock, database=file) as emulation:
        service = SERVICES[name](emulation, clock)
        service.sync(service.document("a"))
    lagging = Settings(status_lag=LAG, job_list_lag=LAG)
    with emulated(clock=clock, database=file, settings=lagging) as emulation:
        service.emulation = emulation
        service.clock.sleep(LAG)
        assert service.status("a") == "INDEXED"
        assert statuses(service) == ["SUCCEEDED"]
        job = service.start()
        service.put(service.document("a", "another text"), job=job)
        service.clock.sleep(1)
        assert service.status("a") == "INDEXED"
    with emulated(clock=clock, database=file, settings=lagging) as emulation:
        service.emulation = emulation
        service.clock.sleep(LAG + 5)
        assert service.status("a") in {"INDEXED", "UPDATED"}
        assert statuses(service)[0] == "SYNCING"


@BOTH
def test_what_lagged_goes_with_its_data_source(start: Any, name: str) -> None:
    """Nothing of it is kept."""
    service: Service = start(name, status_lag=LAG, metrics_lag=LAG)
    service.sync(service.document("a"))

    service.delete_source()
    service.settle()

    store = service.emulation.engine.store
    assert store.all("SELECT * FROM history") == store.all("SELECT * FROM counted") == []


@BOTH
def test_without_a_lag_nothing_is_kept(start: Any, name: str) -> None:
    """It costs nothing."""
    service: Service = start(name)
    service.sync(service.document("a"))

    store = service.emulation.engine.store
    assert store.all("SELECT * FROM history") == store.all("SELECT * FROM counted") == []
