"""What the index says of documents: of those that are asked for, or, where it only lists, of all that it has."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import dropwhile, groupby
from operator import attrgetter

from msgspec import structs
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from docferry.errors import RequestRefused
from docferry.indexes import DocumentStatus, SyncJob
from docferry.model import Outcome
from docferry.runtime.wiring import Wired
from docferry.settlement.settling import RESERVE_MS, Listing, Remaining, Settling, Unfinished
from docferry.state import lines, sorting
from docferry.state.keys import statuses_key
from docferry.state.sorting import Chunk

SMALL_RUN = 1_000
"""Documents of a run whose statuses ``verify: auto`` asks for."""
FEW_CALLS = 100
"""Calls that this may cost: a service that only lists its documents lists all of the data source."""
ATTEMPTS = 4
"""How often statuses that lag are asked for: with waits of 2, 4 and 8 seconds in between."""


MERGED = 64
"""Chunks of a list that are open at a time. Each takes some 500 KB, or 4 MiB when it was joined of others. Of ten
million documents there are 1,000, and 55 once 15 times 64 of them were joined."""


class Statuses:
    """What the index says of documents that a sync job has put or deleted, asked for in order of id.

    A service that only lists its documents is asked once for all of them, unless the run is ``small``. Ten million are
    100,000 calls of Q Business, so another invocation goes on with the list of the one before; ``state`` has it, and
    after which id the documents come. Raises Unfinished when time runs short.
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
        self._lists = not wired.index.limits.statuses_by_id and not small
        self._old_page = bool(self.listed.next_page)
        self._sorted: Iterator[DocumentStatus] | None = None
        self._next: DocumentStatus | None = None

    def of(self, asked: list[Outcome]) -> dict[str, DocumentStatus]:
        """The statuses of these documents. Puts are asked for by their job, deletes whatever put the document."""
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
        while len(self.listed.chunks) > MERGED:
            self._join()
        statuses = (lines.decode(line, DocumentStatus) for line in sorting.merge(self._store, self.listed.chunks))
        return dropwhile(lambda status: status.id <= self._after, statuses)

    def _list(self) -> None:
        """Write the list in sorted chunks. Begin anew when the service does not know the page of long ago any more."""
        try:
            self._go_on_listing()
        except RequestRefused:
            if not self._old_page:
                raise
            self.listed, self._old_page = Listing(), False
            self._go_on_listing()

    def _go_on_listing(self) -> None:
        said = self._index.statuses(self._job.execution_id, (), self.listed.next_page)
        some: list[DocumentStatus] = []
        for next_page, page in groupby(said, attrgetter("next_page")):
            some += (structs.replace(one, next_page="") for one in page)
            if next_page and len(some) >= sorting.CHUNK_LINES:
                self._keep(some, next_page)
                some = []
                self._check_time()
        self._keep(some, "")
        self.listed = structs.replace(self.listed, whole=True)

    def _keep(self, some: list[DocumentStatus], next_page: str) -> None:
        if some:
            key = statuses_key(self._run, f"job-{len(self.listed.chunks):05}")
            chunks = (*self.listed.chunks, sorting.write_chunk(self._store, key, some))
            self.listed = structs.replace(self.listed, chunks=chunks, next_page=next_page)

    def _join(self) -> None:
        """Make the first chunks one, so that in the end all of them can be open at a time."""
        first, rest = self.listed.chunks[:MERGED], self.listed.chunks[MERGED:]
        key = statuses_key(self._run, f"joined-{self.listed.joined:05}")
        with self._store.writing(key) as stream:
            for line in sorting.merge(self._store, first):
                stream.add_line(line)
        joined = Chunk(key, min(chunk.first for chunk in first), max(chunk.last for chunk in first))
        self.listed = structs.replace(self.listed, chunks=(*rest, joined), joined=self.listed.joined + 1)
        self._check_time()

    def _check_time(self) -> None:
        if self._remaining() < RESERVE_MS:
            raise Unfinished


def _is_settled(outcome: Outcome, status: DocumentStatus | None) -> bool:
    """Whether a status says what became of a change. A delete that was rejected has changed nothing."""
    state = status.status if status is not None else "NOT_FOUND"
    if outcome.kind == "deleted":
        return outcome.state == "rejected" or state == "NOT_FOUND"
    return state in {"INDEXED", "FAILED", "UPDATE_FAILED"}
