"""What the index says of documents: of those that are asked for, or, where it only lists, of all that it has."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from msgspec import structs
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from docferry.errors import RequestRefused
from docferry.indexes import DocumentStatus, SyncJob
from docferry.indexes.status_lists import lists, status_pages
from docferry.model import Outcome
from docferry.runtime.wiring import Wired
from docferry.settlement.settling import RESERVE_MS, Listing, Remaining, Settling, Unfinished
from docferry.state import lines, sorting
from docferry.state.keys import statuses_key
from docferry.state.sorting import Chunks

SMALL_RUN = 1_000
"""Documents of a run whose statuses ``verify: auto`` asks for."""
FEW_CALLS = 100
"""Calls that this may cost: a service that only lists its documents lists all of the data source."""
ATTEMPTS = 4
"""How often statuses that lag are asked for: with waits of 2, 4 and 8 seconds in between."""


class Statuses:
    """What the index says of documents that a sync job has put or deleted, asked for in order of id.

    A service that lists its documents is asked once for all of them, unless the run is ``small``. Ten million are
    100,000 calls of Q Business and 10,000 of Bedrock, so another invocation goes on with the list of the one before;
    ``state`` has it, and after which id the documents come. Raises Unfinished when time runs short.
    """

    def __init__(
        self, wired: Wired, run: str, job: SyncJob, remaining: Remaining, state: Settling, *, small: bool
    ) -> None:
        self.listed = state.statuses
        self._store = wired.store
        self._index = wired.index
        self._run = run
        self._job = job
        self._remaining = remaining
        self._after = state.after
        self._lists = lists(wired.index) and not small
        self._sorted: Iterator[DocumentStatus] | None = None
        self._next: DocumentStatus | None = None

    def of_documents(self, asked: list[Outcome]) -> dict[str, DocumentStatus]:
        """The statuses of these documents. Puts are asked for by their job, deletes without regard to the job."""
        puts = [outcome for outcome in asked if outcome.kind != "deleted"]
        deletes = [outcome for outcome in asked if outcome.kind == "deleted"]
        if self._lists:
            found = self._looked_up(asked)
            return found | {one.id: self._since(found[one.id]) for one in puts if one.id in found}
        return self._asked_for(puts, self._job.execution_id) | self._asked_for(deletes, None)

    def _asked_for(self, outcomes: list[Outcome], execution_id: str | None) -> dict[str, DocumentStatus]:
        """Ask for the statuses of some documents; of few, again where they do not say yet what became of one."""
        said: dict[str, DocumentStatus] = {}
        left = outcomes

        def ask() -> bool:
            nonlocal left
            wanted, told = {outcome.id for outcome in left}, 0
            for told, one in enumerate(self._index.statuses(execution_id, sorted(wanted)), 1):  # noqa: B007  # read after the loop
                if one.id in wanted:
                    said[one.id] = one if execution_id is None else self._since(one)
            left = [outcome for outcome in left if not _is_settled(outcome, said.get(outcome.id))]
            few = len(outcomes) <= SMALL_RUN and told <= FEW_CALLS * self._index.limits.statuses
            return bool(left) and few

        if outcomes:
            # What still does not say is judged as it is.
            with suppress(RetryError):
                Retrying(
                    retry=retry_if_result(bool), wait=wait_exponential(multiplier=2), stop=stop_after_attempt(ATTEMPTS)
                )(ask)
        return said

    def _since(self, status: DocumentStatus) -> DocumentStatus:
        """A status of what the job has put. One from before it, which a list that lags may show, says nothing."""
        # Times of the service may come in whole seconds.
        began = self._job.started_at.replace(microsecond=0)
        if status.updated_at is None or status.updated_at >= began:
            return status
        return structs.replace(status, status="PROCESSING", message="the status is from before the job")

    def _looked_up(self, asked: list[Outcome]) -> dict[str, DocumentStatus]:
        """What the list of all documents has of these."""
        if not asked:
            return {}
        if self._sorted is None:
            self._sorted = self._read_list()
            self._next = next(self._sorted, None)
        wanted, found = {outcome.id for outcome in asked}, {}
        while self._next is not None and self._next.id <= asked[-1].id:
            if self._next.id in wanted:
                found[self._next.id] = self._next
            self._next = next(self._sorted, None)
        return found

    def _read_list(self) -> Iterator[DocumentStatus]:
        if not self.listed.whole:
            self._list()
        while (fewer := sorting.fewer(self._store, partial(statuses_key, self._run), self.listed.chunks)) is not None:
            self.listed = structs.replace(self.listed, chunks=fewer)
            self._check_time()
        said = sorting.merge(self._store, self.listed.chunks, after=self._after)
        return (lines.decode(line, DocumentStatus) for line in said)

    def _list(self) -> None:
        """Write the list in sorted chunks. Begin anew when the service does not know the page of long ago any more."""
        before = self.listed.token
        try:
            self._go_on_listing()
        except RequestRefused:
            if before is None or self.listed.token != before:
                raise
            self.listed = Listing()
            self._go_on_listing()

    def _go_on_listing(self) -> None:
        said = Chunks(self._store, lambda number: statuses_key(self._run, f"job-{number:05}"), self.listed.chunks)
        for page in status_pages(self._index, self.listed.token):
            before = len(said.written)
            for status in page.statuses:
                said.add(status)
            if page.token is not None and len(said.written) > before:
                said.end()
                self.listed = Listing(chunks=tuple(said.written), token=page.token)
                self._check_time()
        said.end()
        self.listed = Listing(chunks=tuple(said.written), whole=True)

    def _check_time(self) -> None:
        if self._remaining() < RESERVE_MS:
            raise Unfinished


def _is_settled(outcome: Outcome, status: DocumentStatus | None) -> bool:
    """Whether a status says what became of a change. A delete that was rejected has changed nothing."""
    state = status.status if status is not None else "NOT_FOUND"
    if outcome.kind == "deleted":
        return outcome.state == "rejected" or state == "NOT_FOUND"
    return state in {"INDEXED", "FAILED", "UPDATE_FAILED"}
