"""Verification: what the index says later decides what is recorded of a document."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from msgspec import structs

from docferry.indexes import DocumentStatus, Indexed, SyncJob, Verify
from docferry.model import Acceptance, Kind, Outcome
from docferry.settlement.verify import ATTEMPTS, asks_for_all, judged, verified
from docferry.state.store import Store
from tests.unit.fakes import LIMITS, NOON, FakeIndex, document, job

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
        ("added", "NOT_FOUND", "rejected"),
        # It may hold the version before, or nothing.
        ("modified", "FAILED", "doubtful"),
        ("modified", "NOT_FOUND", "doubtful"),
        # It may come to hold it.
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
    ("kind", "state"), [("added", "rejected"), ("modified", "doubtful"), ("deleted", "acknowledged")]
)
def test_a_document_that_the_index_says_nothing_of_is_not_there(kind: Kind, state: Acceptance) -> None:
    """Q Business leaves out what it does not hold."""
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
    store: Store, index: FakeIndex, *outcomes: Outcome, deletes: bool = False, ended: SyncJob = ENDED
) -> list[Outcome]:
    """Verify outcomes; only the acknowledged are asked about."""

    def again() -> Iterator[Outcome]:
        return iter(outcomes)

    return list(
        verified(
            store,
            "run-1",
            index,
            ended,
            deletes=deletes,
            outcomes=again,
            asked=lambda outcome: outcome.state == "acknowledged",
        )
    )


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

    assert [(one.id, one.state) for one in found] == [("a", "acknowledged"), ("b", "rejected"), ("c", "rejected")]
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

    verify(store, index, outcome(kind), deletes=kind == "deleted")

    assert index.asked == [execution_id]


STILL_PROCESSING: list[Indexed] = ["PROCESSING"] * ATTEMPTS


class Late(FakeIndex):
    """Says of a document what it said before, for some questions."""

    def __init__(self, *answers: Indexed) -> None:
        super().__init__()
        self._answers = iter(answers)

    def statuses(
        self, execution_id: str | None, ids: Iterable[str], *, strays: bool = False
    ) -> Iterator[DocumentStatus]:
        """See Index.statuses."""
        self.says(DocumentStatus("d", next(self._answers)))
        return super().statuses(execution_id, ids, strays=strays)


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
    (found,) = verify(store, Late("FAILED"), outcome("modified"), ended=CLEAN)

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


def test_statuses_in_many_pieces_are_joined(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the index says of a million documents is sorted outside of memory."""
    monkeypatch.setattr("docferry.state.sorting.CHUNK_LINES", 2)
    monkeypatch.setattr("docferry.settlement.verify.SMALL_RUN", 3)
    index = FakeIndex()
    ids = [f"d{number}" for number in range(7)]
    index.says(*(DocumentStatus(id_, "INDEXED") for id_ in ids[::2]))

    found = verify(store, index, *(outcome("added", id_=id_) for id_ in ids))

    assert [one.state == "acknowledged" for one in found] == [True, False, True, False, True, False, True]


def test_a_rejected_delete_of_a_document_that_never_came_in_is_done() -> None:
    """The index says FAILED of it for ever, and rejects each delete: there is nothing left to delete."""
    gone = outcome("deleted", "rejected", "InvalidRequest: it does not exist", "a")

    assert judged(gone, DocumentStatus("a", "FAILED")).state == "acknowledged"
    assert judged(gone, DocumentStatus("a", "UPDATE_FAILED")).state == "doubtful"
    assert judged(gone, DocumentStatus("a", "INDEXED")).state == "doubtful"
