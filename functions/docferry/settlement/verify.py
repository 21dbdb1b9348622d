"""What the index says, after its job has ended, of documents that it accepted: some may have failed since.

https://docs.aws.amazon.com/kendra/latest/dg/data-source-custom.html: FailedDocuments are those not accepted,
DocumentsFailed those accepted that could not be indexed. Statuses may lag behind the end of the job.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, islice

from msgspec import structs
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from docferry.indexes import DocumentStatus, Index, SyncJob
from docferry.model import Acceptance, Outcome
from docferry.state import lines, sorting
from docferry.state.chunks import chunks
from docferry.state.keys import statuses_key
from docferry.state.merge import align
from docferry.state.store import Store

Outcomes = Callable[[], Iterator[Outcome]]
"""Outcomes sorted by id, from the start at each call: they are read once for their ids and once to be judged."""

StatusesOf = Callable[[str | None, Iterable[str]], Iterator[DocumentStatus]]
"""Index.statuses, or what has its shape."""

SMALL_RUN = 1_000
"""Documents of a run whose statuses ``verify: auto`` asks for."""
FEW_CALLS = 100
"""Calls that this may cost: a service that only lists its documents lists all of the data source."""
ATTEMPTS = 4
"""How often statuses that lag are asked for: with waits of 2, 4 and 8 seconds in between."""


def asks_for_all(index: Index, *, sent: int, held: int) -> bool:
    """Whether each document of a run is asked for, though its job has counted no failure.

    ``sent`` documents are in the run, ``held`` ones in the data source.
    """
    if index.verify != "auto":
        return index.verify == "all"
    asked = sent if index.limits.statuses_by_id else max(sent, held)
    return sent <= SMALL_RUN and asked <= FEW_CALLS * index.limits.statuses


def verified(
    store: Store,
    run: str,
    index: Index,
    job: SyncJob,
    *,
    deletes: bool,
    outcomes: Outcomes,
    asked: Callable[[Outcome], bool],
) -> Iterator[Outcome]:
    """The outcomes. Those that ``asked`` picks are judged by the status that the index reports.

    ``deletes`` asks for documents whatever put them; otherwise the job must have. A job that counted no failure is
    believed where its documents' statuses do not say yet what became of them, unless the connector verifies all.
    """
    # Where the service has no jobs, the metrics are counted from these very statuses.
    told = index.service.has_jobs and index.verify != "all"
    lenient = told and job.status == "SUCCEEDED" and job.metrics.failed == 0
    execution_id = None if deletes else job.execution_id
    statuses_of = index.statuses if deletes else partial(_since, index, job)
    about = filter(asked, outcomes())
    some = list(islice(about, SMALL_RUN + 1))
    if len(some) <= SMALL_RUN:
        statuses = iter(_patiently(index, statuses_of, execution_id, some))
    else:
        kind = "delete" if deletes else "put"
        ids = (outcome.id for outcome in chain(some, about))
        statuses = _sorted(store, run, kind, statuses_of(execution_id, ids))
    for outcome, status in align(outcomes(), statuses, lambda one: one.id, lambda one: one.id):
        if outcome is None:
            continue
        if not asked(outcome) or (lenient and not _has_failed(outcome, status)):
            yield outcome
        else:
            yield judged(outcome, status)


def _since(index: Index, job: SyncJob, execution_id: str | None, ids: Iterable[str]) -> Iterator[DocumentStatus]:
    """The statuses. One from before the job, which a list that lags may show, says nothing of what the job has put."""
    # Times of the service may come in whole seconds.
    began = job.started_at.replace(microsecond=0)
    for one in index.statuses(execution_id, ids):
        before = one.updated_at is not None and one.updated_at < began
        yield structs.replace(one, status="PROCESSING", message="the status is from before the job") if before else one


def _patiently(
    index: Index, statuses_of: StatusesOf, execution_id: str | None, outcomes: list[Outcome]
) -> list[DocumentStatus]:
    """The statuses of some documents, asked for again where they do not say yet what became of a document."""
    said: dict[str, DocumentStatus] = {}
    left = outcomes

    def ask() -> bool:
        nonlocal left
        wanted, told = [outcome.id for outcome in left], 0
        for told, one in enumerate(statuses_of(execution_id, wanted), 1):  # noqa: B007  # read after the loop
            said[one.id] = one
        left = [outcome for outcome in left if not _is_settled(outcome, said.get(outcome.id))]
        return bool(left) and told <= FEW_CALLS * index.limits.statuses

    # What still does not say is judged as it is.
    with suppress(RetryError):
        Retrying(retry=retry_if_result(bool), wait=wait_exponential(multiplier=2), stop=stop_after_attempt(ATTEMPTS))(
            ask
        )
    return sorted(said.values(), key=lambda one: one.id)


def _is_settled(outcome: Outcome, status: DocumentStatus | None) -> bool:
    """Whether a status says what became of a change. A delete that was rejected has changed nothing."""
    state = status.status if status is not None else "NOT_FOUND"
    if outcome.kind == "deleted":
        return outcome.state == "rejected" or state == "NOT_FOUND"
    return state in {"INDEXED", "FAILED", "UPDATE_FAILED"}


def _sorted(store: Store, run: str, kind: str, statuses: Iterator[DocumentStatus]) -> Iterator[DocumentStatus]:
    sorted_chunks = [
        sorting.write_chunk(store, statuses_key(run, f"{kind}-{number:05}"), chunk)
        for number, chunk in enumerate(chunks(statuses, sorting.CHUNK_LINES))
    ]
    return (lines.decode(line, DocumentStatus) for line in sorting.merge(store, sorted_chunks))


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
    # FAILED says that the index does not hold what was sent; what it held before may or may not be gone. UPDATE_FAILED
    # of a new document: the index holds a part of it.
    state_known = outcome.kind == "added" and state not in {"PROCESSING", "UPDATE_FAILED"}
    reason = f"accepted, but the index then said {said}"
    verdict: Acceptance = "rejected" if state_known else "doubtful"
    return structs.replace(outcome, state=verdict, reason=reason, poison=failed, late=late)
