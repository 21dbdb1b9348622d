"""Approvals: a list of documents, used once, and refused by name when there is anything wrong with it."""

import pytest

from docferry.changes import approvals
from docferry.changes.access import Exposed
from docferry.errors import ApprovalRefused, StateInvalid
from docferry.model import Change
from docferry.reporting import ledger, report
from docferry.reporting.ledger import Entry
from docferry.reporting.report import Report
from docferry.state.keys import APPROVAL, EXPOSED, WITHHELD, run_key
from docferry.state.runs import Input, Run
from docferry.state.store import Store
from tests.unit.fakes import document


def withheld(store: Store, run: str = "run-1", *, deletes: str = "ab", exposed: str = "", ended: bool = True) -> None:
    """Let a run have withheld these documents."""
    ledger.register(store, Run(run, f"arn:{run}"), Input())
    with store.writing(run_key(run, WITHHELD)) as stream:
        for id_ in deletes:
            stream.add(Change(id_, "deleted", document(id_)))
    with store.writing(run_key(run, EXPOSED)) as stream:
        for id_ in exposed:
            stream.add(Exposed(id_, document(id_)))
    if ended:
        ended_as = Report(
            run=run, connector="handbook", status="SUCCEEDED", withheld=len(deletes), exposed=len(exposed)
        )
        report.write(store, ended_as)
        ledger.finish(store, ended_as)


def test_what_was_withheld_can_be_approved_once(store: Store) -> None:
    """By one run, which may be retried."""
    withheld(store, exposed="c")
    approvals.check(store, "run-1")

    approvals.use(store, "run-1", by="run-2")
    approvals.use(store, "run-1", by="run-2")
    approvals.check(store, "run-1", by="run-2")

    assert list(approvals.deletes(store, "run-1")) == ["a", "b"]
    assert list(approvals.exposed(store, "run-1")) == ["c"]
    with pytest.raises(ApprovalRefused, match="approved already, by run run-2"):
        approvals.check(store, "run-1")
    with pytest.raises(ApprovalRefused, match="approved already"):
        approvals.use(store, "run-1", by="run-3")


def test_of_two_approvals_at_once_one_is_used(store: Store) -> None:
    """Both have found it unused; the object that says so is created once."""
    withheld(store)
    approvals.check(store, "run-1", by="run-2")
    approvals.check(store, "run-1", by="run-3")
    approvals.use(store, "run-1", by="run-3")

    with pytest.raises(ApprovalRefused, match="by run run-3"):
        approvals.use(store, "run-1", by="run-2")


def test_a_run_that_does_not_exist_is_named(store: Store) -> None:
    """With the command that lists those that do."""
    with pytest.raises(ApprovalRefused, match=r"no run run-9: `docferry runs`"):
        approvals.check(store, "run-9")


def test_a_run_that_has_withheld_nothing_is_refused(store: Store) -> None:
    """There is nothing to approve."""
    withheld(store, deletes="")

    with pytest.raises(ApprovalRefused, match="withheld nothing"):
        approvals.check(store, "run-1")


def test_a_run_that_has_not_ended_is_refused(store: Store) -> None:
    """Its list may not be whole."""
    withheld(store, ended=False)

    with pytest.raises(ApprovalRefused, match="has not ended"):
        approvals.check(store, "run-1")


@pytest.mark.parametrize("name", [WITHHELD, EXPOSED])
def test_a_run_whose_list_is_gone_is_refused(store: Store, name: str) -> None:
    """Nobody can say any more what was seen."""
    withheld(store)
    store.delete(run_key("run-1", name))

    with pytest.raises(ApprovalRefused, match="no list"):
        approvals.check(store, "run-1")


def test_a_run_of_another_data_source_is_refused(store: Store) -> None:
    """Its ids may be in this one, too; what a person saw was the other."""
    withheld(store)
    elsewhere = Store(store.bucket, store._s3, "kendra/another/source")

    with pytest.raises(ApprovalRefused, match="belongs to another data source, fake/index/source"):
        approvals.check(elsewhere, "run-1")


def test_a_state_that_cannot_be_read_is_named(store: Store) -> None:
    """Nothing is approved on a guess."""
    withheld(store)
    store.write(run_key("run-1", APPROVAL), {"used": "twice"})
    with pytest.raises(StateInvalid, match=r"runs/run-1/approval\.json"):
        approvals.check(store, "run-1")

    store.write(run_key("run-1", "run.json"), {"run": 1})
    with pytest.raises(StateInvalid, match=r"runs/run-1/run\.json"):
        approvals.check(store, "run-1")


def test_without_a_run_nothing_is_approved(store: Store) -> None:
    """A sync that nobody approved has an empty list."""
    assert list(approvals.deletes(store, None)) == list(approvals.exposed(store, None)) == []
    assert Entry(number=1, run="r", previous=None).status == "RUNNING"
