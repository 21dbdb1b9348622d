"""What the index says, after its job has ended, of documents that it accepted: some may have failed since.

https://docs.aws.amazon.com/kendra/latest/dg/data-source-custom.html: FailedDocuments are those not accepted,
DocumentsFailed those accepted that could not be indexed.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import structs

from docferry import lines, sorting
from docferry.changes import Outcome
from docferry.chunks import chunks
from docferry.indexes import DocumentStatus, Index
from docferry.store import Store, run_key

Outcomes = Callable[[], Iterator[Outcome]]
"""Outcomes sorted by id, from the start at each call: they are read once for their ids and once to be judged."""


def verified(
    store: Store,
    run: str,
    index: Index,
    *,
    execution_id: str | None,
    outcomes: Outcomes,
    asked: Callable[[Outcome], bool],
) -> Iterator[Outcome]:
    """The outcomes, those that ``asked`` picks judged by what the index says of them.

    ``execution_id`` is the job that put them; None asks for documents whatever put them, as after a delete.
    """
    ids = (outcome.id for outcome in outcomes() if asked(outcome))
    prefix = run_key(run, f"statuses/{'put' if execution_id else 'delete'}-")
    sorted_chunks = [
        sorting.write_chunk(store, f"{prefix}{number:05}.jsonl.zst", chunk)
        for number, chunk in enumerate(chunks(index.statuses(execution_id, ids), sorting.CHUNK_LINES))
    ]
    statuses = (lines.decode(line, DocumentStatus) for line in sorting.merge(store, sorted_chunks))
    for outcome, status in _joined(outcomes(), statuses):
        yield judged(outcome, status) if asked(outcome) else outcome


def judged(outcome: Outcome, status: DocumentStatus | None) -> Outcome:
    """One outcome in the light of the document's status. Pure."""
    state = status.status if status else "NOT_FOUND"
    said = f"{state}: {status.message}" if status and status.message else state
    if outcome.kind == "deleted":
        # A delete that was rejected as unknown, of a document that was never indexed.
        if state == "NOT_FOUND" or (state == "FAILED" and outcome.state == "rejected"):
            return structs.replace(outcome, state="acknowledged", reason="")
        reason = outcome.reason or f"the index still has the document: {said}"
        return structs.replace(outcome, state="rejected", reason=reason)
    if state == "INDEXED":
        return outcome
    # FAILED says that the index does not hold what was sent; what it held before may or may not be gone.
    state_known = outcome.kind == "added" and state != "PROCESSING"
    reason = f"accepted, but the index then said {said}"
    poison = state in {"FAILED", "UPDATE_FAILED"}
    return structs.replace(outcome, state="rejected" if state_known else "doubtful", reason=reason, poison=poison)


def _joined(
    outcomes: Iterable[Outcome], statuses: Iterator[DocumentStatus]
) -> Iterator[tuple[Outcome, DocumentStatus | None]]:
    status = next(statuses, None)
    for outcome in outcomes:
        while status is not None and status.id < outcome.id:
            status = next(statuses, None)
        yield outcome, status if status is not None and status.id == outcome.id else None
