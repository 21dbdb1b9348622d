"""Which outcomes of a run are believed. Of documents that the index accepted, some may have failed since.

https://docs.aws.amazon.com/kendra/latest/dg/data-source-custom.html: FailedDocuments are those not accepted,
DocumentsFailed those accepted that could not be indexed. Statuses may lag behind the end of the job.
"""

from typing import Protocol

from msgspec import structs

from docferry.indexes import ENDED, DocumentStatus, Index, SyncJob
from docferry.model import Acceptance, Outcome
from docferry.settlement.settling import Listing
from docferry.settlement.statuses import FEW_CALLS, SMALL_RUN, Statuses


class Judge(Protocol):
    """Says what became of documents, some at a time, in order of id."""

    @property
    def listed(self) -> Listing:
        """What the index says of all its documents, from the questions asked until now."""
        ...

    def asks(self, outcome: Outcome) -> bool:
        """Whether the index is asked about the document of an outcome."""
        ...

    def judge(self, outcomes: list[Outcome]) -> list[Outcome]:
        """What is to be recorded of these. Raises Unfinished when the index has much to list, and time runs short."""
        ...


def asks_for_all(index: Index, *, sent: int, held: int) -> bool:
    """Whether each document of a run is asked for, though its job has counted no failure.

    ``sent`` documents are in the run, ``held`` ones in the data source. The metrics of a service without jobs are
    counted from its statuses, once: what is late with these is never counted, so each document needs its own status.
    """
    if index.verify != "auto":
        return index.verify == "all"
    if not index.service.has_jobs:
        return True
    asked = sent if index.limits.statuses_by_id else max(sent, held)
    return sent <= SMALL_RUN and asked <= FEW_CALLS * index.limits.statuses


class Doubting:
    """Of a job that was not seen to end: everything that it was sent is doubtful."""

    @property
    def listed(self) -> Listing:
        """See Judge."""
        return Listing()

    def asks(self, _: Outcome) -> bool:
        """See Judge."""
        return False

    def judge(self, outcomes: list[Outcome]) -> list[Outcome]:
        """See Judge."""
        reason = "sent, but the sync job was not seen to end"
        return [
            structs.replace(one, state="doubtful", reason=reason) if one.state == "acknowledged" else one
            for one in outcomes
        ]


class Trusting:
    """Of a job that has ended: the outcomes, and where those do not tell, what the index says.

    A job that succeeded without failures is believed. In a run that is small, each document is looked up all the same,
    and its job is believed where a status does not say yet what became of the document, unless the connector verifies
    all. ``sent`` documents are in the run, ``held`` ones in the data source.
    """

    def __init__(self, index: Index, job: SyncJob, statuses: Statuses, *, sent: int, held: int) -> None:
        self._statuses = statuses
        clean = is_clean(job)
        # Where the service has no jobs, the metrics are counted from these very statuses.
        self._lenient = clean and index.verify != "all" and index.service.has_jobs
        # A delete that a clean job has taken is asked for only where nothing is believed unseen: it may take an hour. A
        # job of the adapter's own has waited for it, and has nobody else's word.
        self._every_put = not clean or asks_for_all(index, sent=sent, held=held)
        self._every_delete = not clean or index.verify == "all" or (self._every_put and not index.service.has_jobs)

    @property
    def listed(self) -> Listing:
        """See Judge."""
        return self._statuses.listed

    def asks(self, outcome: Outcome) -> bool:
        """See Judge."""
        if outcome.kind != "deleted":
            return outcome.state == "acknowledged" and self._every_put
        # A rejected delete may be of a document that is gone already.
        return outcome.state == "rejected" or (outcome.state == "acknowledged" and self._every_delete)

    def judge(self, outcomes: list[Outcome]) -> list[Outcome]:
        """See Judge."""
        said = self._statuses.of_documents([outcome for outcome in outcomes if self.asks(outcome)])
        return [
            verdict(outcome, said.get(outcome.id), lenient=self._lenient) if self.asks(outcome) else outcome
            for outcome in outcomes
        ]


def has_ended(job: SyncJob | None) -> bool:
    """Whether a job was seen to end."""
    return job is not None and job.status in ENDED


def is_clean(job: SyncJob) -> bool:
    """Whether a job has succeeded, and counted no failure."""
    return job.status == "SUCCEEDED" and job.metrics.failed == 0


def verdict(outcome: Outcome, status: DocumentStatus | None, *, lenient: bool) -> Outcome:
    """One outcome in the light of the document's status. ``lenient``: it is believed unless the document has failed."""
    return outcome if lenient and not _has_failed(outcome, status) else judged(outcome, status)


def _has_failed(outcome: Outcome, status: DocumentStatus | None) -> bool:
    if outcome.state == "rejected" or outcome.kind == "deleted":
        return outcome.state == "rejected"
    return status is not None and status.status in {"FAILED", "UPDATE_FAILED"}


def judged(outcome: Outcome, status: DocumentStatus | None) -> Outcome:
    """One outcome in the light of the document's status. Pure."""
    state = status.status if status else "NOT_FOUND"
    said = f"{state}: {status.message}" if status and status.message else state
    failed = state in {"FAILED", "UPDATE_FAILED"}
    late = failed and outcome.state == "acknowledged"
    if outcome.kind == "deleted":
        # A delete that was rejected as unknown, of a document that was never indexed.
        if state == "NOT_FOUND" or (state == "FAILED" and outcome.state == "rejected"):
            return structs.replace(outcome, state="acknowledged", reason="")
        # A status that lags may still show what is gone: so it is deleted again, or put again when it is back.
        reason = outcome.reason or f"the index still has the document: {said}"
        return structs.replace(outcome, state="doubtful", reason=reason, late=late)
    if state == "INDEXED":
        return outcome
    # FAILED says that the index does not hold what was sent; what it held before may or may not be gone. Other states
    # leave open what it will hold, NOT_FOUND, too: statuses lag behind what was accepted.
    state_known = outcome.kind == "added" and state == "FAILED"
    reason = f"accepted, but the index then said {said}"
    verdict: Acceptance = "rejected" if state_known else "doubtful"
    return structs.replace(outcome, state=verdict, reason=reason, poison=failed, late=late)
