"""The report: what a person reads of a run that has ended."""

import pytest

from docferry.changes.access import Exposed
from docferry.errors import StateInvalid
from docferry.model import Change, Outcome, Skipped
from docferry.reporting import report
from docferry.reporting.report import Failure, Report
from docferry.state.keys import EXPOSED, FAILED, REPORT, SKIPPED, WITHHELD, run_key
from docferry.state.store import Store
from tests.unit.fakes import document

REPORT_OF_RUN = Report(
    run="run-1", connector="handbook", status="SUCCEEDED", added=2, failed=1, execution_id="e", job_status="INCOMPLETE"
)


def test_a_report_is_read_as_it_was_written(store: Store) -> None:
    """One a run; None while the run has not ended."""
    assert report.read(store, "run-1") is None

    report.write(store, REPORT_OF_RUN)

    assert report.read(store, "run-1") == REPORT_OF_RUN
    assert report.read(store, "run-2") is None


def test_a_report_has_every_member(store: Store) -> None:
    """A program that reads it need not know what is left out, and why."""
    report.write(store, Report(run="run-1", connector="handbook", status="FAILED"))

    record = store.read(run_key("run-1", REPORT), dict)

    assert record is not None
    assert set(record.value) == set(Report.__struct_fields__)
    assert record.value["withheld"] == 0
    assert record.value["execution_id"] is None


def test_another_status_is_refused(store: Store) -> None:
    """There are two ways to end."""
    store.write(run_key("run-1", REPORT), {"run": "run-1", "connector": "handbook", "status": "MAYBE"})

    with pytest.raises(StateInvalid, match=r"runs/run-1/report.json"):
        report.read(store, "run-1")


def test_each_document_that_failed_is_listed_with_the_reason(store: Store) -> None:
    """Also those whose fate is not known."""
    with store.writing(run_key("run-1", FAILED)) as stream:
        stream.add(Outcome("a", "added", document("a"), "rejected", "InvalidRequest: bad"))
        stream.add(Outcome("b", "modified", document("b"), "doubtful", "no result"))

    assert list(report.failures(store, "run-1")) == [Failure("a", "InvalidRequest: bad"), Failure("b", "no result")]


def test_what_was_skipped_is_listed_with_the_reason(store: Store) -> None:
    """Nobody wonders why a document cannot be found."""
    with store.writing(run_key("run-1", SKIPPED)) as stream:
        stream.add(Skipped("a", "is empty"))
        stream.add(Skipped("b", "broken sidecar", "/b"))

    assert list(report.skipped(store, "run-1")) == [Failure("a", "is empty"), Failure("b", "broken sidecar")]


def test_what_was_held_back_is_listed(store: Store) -> None:
    """Who is to approve sees of what."""
    with store.writing(run_key("run-1", WITHHELD)) as stream:
        stream.add(Change("a", "deleted", document("a")))
    with store.writing(run_key("run-1", EXPOSED)) as stream:
        stream.add(Exposed("b", document("b")))

    assert list(report.withheld(store, "run-1")) == ["a"]
    assert list(report.exposed(store, "run-1")) == ["b"]


def test_a_run_that_failed_early_has_no_lists(store: Store) -> None:
    """Its crawl wrote none."""
    assert list(report.failures(store, "run-1")) == []
    assert list(report.skipped(store, "run-1")) == []
    assert list(report.withheld(store, "run-1")) == []
    assert list(report.exposed(store, "run-1")) == []
