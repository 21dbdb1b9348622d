"""Verification: what the index says later decides what is recorded of a document."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from msgspec import structs

from docferry.indexes import DocumentStatus, Indexed, SyncJob, Verify
from docferry.model import Acceptance, Kind, Outcome
from docferry.settlement.settling import RESERVE_MS, Settling, Unfinished
from docferry.settlement.statuses import ATTEMPTS, Statuses
from docferry.settlement.verify import Trusting, asks_for_all, judged
from docferry.state.store import Store
from tests.unit.fakes import LIMITS, NOON, FakeIndex, document, job, wired

pytestmark = pytest.mark.usefixtures("clock")


def outcome(kind: Kind, state: Acceptance = "acknowledged", reason: str = "", id_: str = "d") -> Outcome:
    """An outcome as a shard recorded it."""
    return Outcome(id_, kind, document(id_), state, reason)


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        ("added", "INDEXED", "acknowledged"),
        ("modified", "INDEXED", "acknowledged"),
        # The index never held it, and does not now.
        ("added", "FAILED", "rejected"),
        # It may hold the version before, or nothing.
        ("modified", "FAILED", "doubtful"),
        ("modified", "NOT_FOUND", "doubtful"),
        # It may come to hold it: a status lags behind what was accepted.
        ("added", "NOT_FOUND", "doubtful"),
        ("added", "PROCESSING", "doubtful"),
        ("modified", "PROCESSING", "doubtful"),
        ("deleted", "NOT_FOUND", "acknowledged"),
        # It seems to be there still, so the next run deletes it again, or puts it again if it is back.
        ("deleted", "INDEXED", "doubtful"),
        ("deleted", "PROCESSING", "doubtful"),
        ("deleted", "FAILED", "doubtful"),
    ],
)
def test_an_accepted_change_is_what_the_index_says_of_it(kind: Kind, status: Indexed, state: Acceptance) -> None:
    """Only what the index holds is recorded as held; where it is not known, the document is sent again."""
    found = judged(outcome(kind), DocumentStatus("d", status, "because"))

    assert found.state == state
    assert (found.reason == "") is (state == "acknowledged")
    if found.reason:
        assert f"{status}: because" in found.reason


@pytest.mark.parametrize(
    ("kind", "state"), [("added", "doubtful"), ("modified", "doubtful"), ("deleted", "acknowledged")]
)
def test_a_document_that_the_index_says_nothing_of_may_still_come(kind: Kind, state: Acceptance) -> None:
    """Q Business leaves out what it does not hold, and what it does not show yet: the next run sends or deletes it."""
    assert judged(outcome(kind), None).state == state


def test_a_rejected_delete_of_what_is_gone_has_worked() -> None:
    """A delete may be rejected because there is nothing to delete."""
    found = judged(outcome("deleted", "rejected", "InvalidRequest: unknown"), None)

    assert (found.state, found.reason) == ("acknowledged", "")


def test_a_rejected_delete_keeps_the_reason_that_the_service_gave() -> None:
    """It says more than that the document is still there."""
    found = judged(outcome("deleted", "rejected", "InvalidRequest: locked"), DocumentStatus("d", "INDEXED"))

    assert (found.state, found.reason) == ("doubtful", "InvalidRequest: locked")


ENDED = job("execution-1", "INCOMPLETE", failed=1)
CLEAN = job("execution-1", "SUCCEEDED")


def verify(
    store: Store, index: FakeIndex, *outcomes: Outcome, ended: SyncJob = ENDED, small: bool = True
) -> list[Outcome]:
    """Verify outcomes of a run, which is small or not."""
    statuses = Statuses(wired(store, index), "run-1", ended, lambda: RESERVE_MS, Settling(base=None), small=small)
    sent = len(outcomes) if small else 10**6
    return Trusting(index, ended, statuses, sent=sent, held=sent).judge(list(outcomes))


def test_each_outcome_meets_its_own_status(store: Store) -> None:
    """The index answers in any order, and about documents that nobody asked for."""
    index = FakeIndex()
    index.says(
        DocumentStatus("c", "FAILED", "unreadable"),
        DocumentStatus("0", "FAILED"),
        DocumentStatus("a", "INDEXED"),
        DocumentStatus("bb", "FAILED"),
        DocumentStatus("z", "INDEXED"),
    )

    found = verify(store, index, *(outcome("added", id_=id_) for id_ in "abc"))

    assert [(one.id, one.state) for one in found] == [("a", "acknowledged"), ("b", "doubtful"), ("c", "rejected")]
    assert found[2].reason == "accepted, but the index then said FAILED: unreadable"


@pytest.mark.parametrize(
    ("since_the_job", "state"),
    [
        (timedelta(minutes=-1), "doubtful"),
        # A service that tells times in whole seconds.
        (timedelta(0), "acknowledged"),
        (timedelta(minutes=1), "acknowledged"),
    ],
)
def test_a_status_from_before_the_job_says_nothing(store: Store, since_the_job: timedelta, state: Acceptance) -> None:
    """A list that lags still shows the document as an older run has put it."""
    index = FakeIndex()
    index.says(DocumentStatus("d", "INDEXED", updated_at=NOON + since_the_job))
    ended = structs.replace(ENDED, started_at=NOON + timedelta(milliseconds=400))

    (found,) = verify(store, index, outcome("modified"), ended=ended)

    assert found.state == state


def test_what_is_not_asked_stays_as_it_is(store: Store) -> None:
    """A put that was not accepted is not indexed because an older version of it is."""
    index = FakeIndex()
    index.says(DocumentStatus("d", "INDEXED"))
    rejected = outcome("modified", "rejected", "InvalidRequest: bad")

    assert verify(store, index, rejected) == [rejected]


@pytest.mark.parametrize(("kind", "execution_id"), [("added", "execution-1"), ("deleted", None)])
def test_the_index_is_asked_about_the_job(store: Store, kind: Kind, execution_id: str | None) -> None:
    """Puts are asked for by their job, deletes whatever put the document."""
    index = FakeIndex()
    index.says(*([DocumentStatus("d", "INDEXED")] if kind == "added" else []))

    verify(store, index, outcome(kind))

    assert index.asked == [execution_id]


STILL_PROCESSING: list[Indexed] = ["PROCESSING"] * ATTEMPTS


class Late(FakeIndex):
    """Says of a document what it said before, for some questions."""

    def __init__(self, *answers: Indexed) -> None:
        super().__init__()
        self._answers = iter(answers)

    def statuses(self, execution_id: str | None, ids: Iterable[str]) -> Iterator[DocumentStatus]:
        """See Index.statuses."""
        self.says(DocumentStatus("d", next(self._answers)))
        return super().statuses(execution_id, ids)


def test_a_status_that_lags_is_asked_for_again(store: Store) -> None:
    """For some seconds; what it says then counts."""
    (found,) = verify(store, Late("PROCESSING", "NOT_FOUND", "INDEXED"), outcome("added"))
    assert found.state == "acknowledged"

    (found,) = verify(store, Late("PROCESSING", "FAILED"), outcome("added"))
    assert (found.state, found.poison, found.late) == ("rejected", True, True)

    (found,) = verify(store, Late(*STILL_PROCESSING), outcome("added"))
    assert found.state == "doubtful"


@pytest.mark.parametrize(("verify_as", "state"), [("auto", "acknowledged"), ("all", "doubtful")])
def test_a_clean_job_is_believed_where_a_status_lags(store: Store, verify_as: Verify, state: Acceptance) -> None:
    """It counted no failure. With `verify: all` a document counts only when it is seen as indexed."""
    index = Late(*STILL_PROCESSING)
    index.verify = verify_as

    (found,) = verify(store, index, outcome("added"), ended=CLEAN)

    assert found.state == state


def test_a_failed_document_of_a_clean_job_has_failed(store: Store) -> None:
    """Its metrics have not counted it yet."""
    index = Late("FAILED")
    index.verify = "auto"

    (found,) = verify(store, index, outcome("modified"), ended=CLEAN)

    assert (found.state, found.late) == ("doubtful", True)


@pytest.mark.parametrize(
    ("verify_as", "by_id", "sent", "held", "asks"),
    [
        ("auto", True, 1_000, 10**6, True),
        ("auto", True, 1_001, 10**6, False),
        ("auto", False, 5, 1_000, True),  # a hundred calls list the data source
        ("auto", False, 5, 1_001, False),
        ("all", False, 10**6, 10**6, True),
        ("metrics", True, 1, 1, False),
    ],
)
def test_a_small_run_is_verified_at_once(*, verify_as: Verify, by_id: bool, sent: int, held: int, asks: bool) -> None:
    """As far as it costs a hundred calls: a service that lists its documents lists all of them."""
    index = FakeIndex()
    index.verify, index.limits = verify_as, structs.replace(LIMITS, statuses=10, statuses_by_id=by_id)

    assert asks_for_all(index, sent=sent, held=held) is asks


@pytest.mark.parametrize(("verify_as", "asks"), [("auto", True), ("all", True), ("metrics", False)])
def test_a_service_without_jobs_is_asked_for_every_document(*, verify_as: Verify, asks: bool) -> None:
    """Nobody counts later what its statuses did not say at the end of the run."""
    index = FakeIndex()
    index.verify, index.service = verify_as, structs.replace(index.service, has_jobs=False)

    assert asks_for_all(index, sent=10**6, held=10**7) is asks


@pytest.mark.parametrize("forgets", [False, True])
def test_a_list_of_statuses_goes_on_in_another_invocation(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, forgets: bool
) -> None:
    """What an index that only lists says of millions of documents is asked once, and sorted outside of memory.

    A page that the service has forgotten meanwhile makes it begin anew.
    """
    monkeypatch.setattr("docferry.state.sorting.CHUNK_LINES", 4)
    monkeypatch.setattr("docferry.state.sorting.FAN_IN", 2)
    index = FakeIndex()
    index.limits = structs.replace(LIMITS, statuses_by_id=False)
    ids = [f"d{number:02}" for number in range(20)]
    index.says(*(DocumentStatus(id_, "INDEXED") for id_ in ids[::2]))
    state, found, times, invocations = Settling(base=None), list[Outcome](), iter([0, RESERVE_MS, 0, 0]), 0

    while ids:
        statuses = Statuses(wired(store, index), "run-1", ENDED, lambda: next(times, RESERVE_MS), state, small=False)
        judge = Trusting(index, ENDED, statuses, sent=10**6, held=10**6)
        with suppress(Unfinished):
            found += judge.judge([outcome("added", id_=id_) for id_ in ids[:7]])
            state, ids = structs.replace(state, after=ids[:7][-1]), ids[7:]
        state = structs.replace(state, statuses=judge.listed)
        invocations += 1
        if forgets and invocations == 1:
            index.forgotten_pages = {judge.listed.token or ""}
        elif forgets:
            index.forgotten_pages = set()

    assert [one.state == "acknowledged" for one in found] == [True, False] * 10
    assert len(index.asked) == (4 if forgets else 2)
    assert invocations > 3


def test_an_index_that_only_lists_is_not_asked_where_nothing_is_to_be_known(store: Store) -> None:
    """Its list is of the whole data source."""
    index = FakeIndex()
    index.limits = structs.replace(LIMITS, statuses_by_id=False)

    assert verify(store, index, outcome("added"), ended=CLEAN, small=False) == [outcome("added")]
    assert index.asked == []


def test_a_rejected_delete_of_a_document_that_never_came_in_is_done() -> None:
    """The index says FAILED of it for ever, and rejects each delete: there is nothing left to delete."""
    gone = outcome("deleted", "rejected", "InvalidRequest: it does not exist", "a")

    assert judged(gone, DocumentStatus("a", "FAILED")).state == "acknowledged"
    assert judged(gone, DocumentStatus("a", "UPDATE_FAILED")).state == "doubtful"
    assert judged(gone, DocumentStatus("a", "INDEXED")).state == "doubtful"
