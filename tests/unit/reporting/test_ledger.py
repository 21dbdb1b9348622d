"""The ledger: one entry a run, in the runs' own order, found with a few calls however many there are."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from docferry.changes import approvals
from docferry.errors import ApprovalRefused, StateInvalid
from docferry.reporting import ledger, report
from docferry.reporting.ledger import Entry
from docferry.reporting.report import Report
from docferry.state.keys import LEDGER, run_key
from docferry.state.runs import Input, Run
from docferry.state.store import Store


def run(name: str) -> Run:
    """A run and its execution."""
    return Run(name, f"arn:{name}")


def names(store: Store) -> list[str]:
    """The runs, newest first."""
    return [entry.run for entry in ledger.newest(store)]


def test_runs_are_in_the_order_in_which_they_came(store: Store) -> None:
    """Also within one second: no time decides it."""
    for number in range(5):
        ledger.register(store, run(f"run-{number}"), Input())

    assert names(store) == ["run-4", "run-3", "run-2", "run-1", "run-0"]
    assert [entry.number for entry in ledger.newest(store)] == [5, 4, 3, 2, 1]


def test_a_run_is_registered_once(store: Store) -> None:
    """A crawl of several invocations registers again each time."""
    first = ledger.register(store, run("run-1"), Input(trigger="schedule", mode="full"))
    ledger.register(store, run("run-2"), Input())

    again = ledger.register(store, run("run-1"), Input())

    assert again == first
    assert (first.trigger, first.mode, first.status, first.data_source) == (
        "schedule",
        "full",
        "RUNNING",
        store.data_source,
    )
    assert names(store) == ["run-2", "run-1"]


@pytest.mark.parametrize(
    ("asked", "mode"),
    [
        (Input(), "sync"),
        (Input(mode="reconcile"), "reconcile"),
        (Input(mode="plan"), "plan"),
        (Input(mode="full", dry_run=True), "plan"),
        (Input(approve="run-0"), "approve"),
        (Input(approve="run-0", dry_run=True), "plan"),
        (Input(apply="run-0"), "apply"),
    ],
)
def test_the_entry_says_what_the_run_was_for(store: Store, asked: Input, mode: str) -> None:
    """In the words of the commands."""
    assert ledger.register(store, run("run-1"), asked).mode == mode


def test_an_ended_run_says_how_it_ended(store: Store) -> None:
    """Its counts are those of the report. A repeated end changes nothing."""
    ledger.register(store, run("run-1"), Input())
    ended = Report(run="run-1", connector="handbook", status="SUCCEEDED", added=2, withheld=1, execution_id="job")

    ledger.finish(store, ended)
    first = ledger.find(store, "run-1")
    ledger.finish(store, ended)

    assert ledger.find(store, "run-1") == first
    assert first is not None
    assert (first.status, first.added, first.withheld, first.execution_id) == ("SUCCEEDED", 2, 1, "job")
    assert first.ended is not None


def test_a_run_that_died_is_noted_by_the_next(store: Store) -> None:
    """One that has ended is left as it is."""
    ledger.register(store, run("run-1"), Input())
    ledger.abandon(store, "run-1")
    ledger.register(store, run("run-2"), Input())
    ledger.finish(store, Report(run="run-2", connector="handbook", status="FAILED"))
    ledger.abandon(store, "run-2")
    ledger.abandon(store, "run-3")

    assert [entry.status for entry in ledger.newest(store)] == ["FAILED", "ABORTED"]


class _Killed(Exception):  # noqa: N818  # what happened
    """The process died."""


@contextmanager
def dying(store: Store, monkeypatch: pytest.MonkeyPatch, before: str) -> Iterator[None]:
    """Let the process die before it writes an object of this name."""
    put = store._put

    def killed(key: str, *args: Any) -> None:
        if key.endswith(before):
            raise _Killed
        put(key, *args)

    with monkeypatch.context() as patch, suppress(_Killed):
        patch.setattr(store, "_put", killed)
        yield


@pytest.mark.parametrize("retried", [True, False])
def test_a_run_that_dies_amid_its_registration_leaves_no_gap(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, retried: bool
) -> None:
    """Between the head and the entry: its retry, or whoever comes next, writes the entry."""
    ledger.register(store, run("run-1"), Input())
    with dying(store, monkeypatch, before="runs/run-2/run.json"):
        ledger.register(store, run("run-2"), Input())
    assert names(store) == ["run-1"]

    if retried:
        assert ledger.register(store, run("run-2"), Input(mode="full")).mode == "full"
    ledger.register(store, run("run-3"), Input())

    assert names(store) == ["run-3", "run-2", "run-1"]
    assert ledger.register(store, run("run-2"), Input(mode="full")).number == 2


def test_of_two_runs_at_once_each_has_a_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head moves by compare-and-swap."""
    ledger.register(store, run("run-1"), Input())
    swap = store.swap
    racing = iter([run("run-2")])

    def raced(key: str, value: object, etag: str | None) -> None:
        other = next(racing, None)
        if key == LEDGER and other is not None:
            monkeypatch.setattr(store, "swap", swap)
            ledger.register(store, other, Input())
        swap(key, value, etag)

    monkeypatch.setattr(store, "swap", raced)
    ledger.register(store, run("run-3"), Input())

    assert names(store) == ["run-3", "run-2", "run-1"]


def test_runs_that_have_aged_out_end_the_list(store: Store) -> None:
    """A life-cycle rule removes what a run wrote, its entry with it."""
    for number in range(3):
        ledger.register(store, run(f"run-{number}"), Input())
    store.delete(run_key("run-1", "run.json"))

    assert names(store) == ["run-2"]
    ledger.register(store, run("run-3"), Input())
    assert names(store) == ["run-3", "run-2"]


def test_a_ledger_that_cannot_be_read_is_named(store: Store) -> None:
    """Nothing is guessed."""
    store.write(LEDGER, {"words": 1})

    with pytest.raises(StateInvalid, match=r"ledger\.json .* restore its last version"):
        ledger.register(store, run("run-1"), Input())


class Counting:
    """S3 that counts its calls."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._s3, name)

        def called(**params: Any) -> Any:
            self.calls.append(name)
            return real(**params)

        return called


def test_a_run_among_a_thousand_is_found_with_a_few_calls(store: Store, s3: Any) -> None:
    """However many runs there are, with however many shards; what a thousand runs would leave is written by hand."""
    last = None
    for number in range(1_000):
        entry = Entry(
            number=number + 1, run=f"run-{number}", previous=last, data_source=store.data_source, execution="e"
        )
        store.write(run_key(entry.run, "run.json"), entry)
        last = entry.run
    store.write(LEDGER, ledger.Newest(1_000, "run-999", "run-998"))
    for shard in range(2_000):
        store.put_content(run_key("run-500", f"changes/put-{shard:05}.jsonl.zst"), b"")
    report.write(store, Report(run="run-500", connector="handbook", status="SUCCEEDED"))
    counting = Counting(s3)
    counted = Store(store.bucket, counting, store.data_source)

    found = ledger.find(counted, "run-500")
    assert found is not None
    assert found.number == 501
    assert len(counting.calls) == 1

    counting.calls.clear()
    assert next(ledger.newest(counted)).run == "run-999"
    assert len(counting.calls) <= 3

    counting.calls.clear()
    with pytest.raises(ApprovalRefused):
        approvals.check(counted, "run-500")
    assert len(counting.calls) <= 5
