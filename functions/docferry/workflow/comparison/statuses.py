"""The stage that writes down what a service says of its whole data source, which cannot be asked by id."""

from collections.abc import Iterator

from msgspec import structs

from docferry.indexes import Index, ListsStatuses, StatusPage
from docferry.state.keys import statuses_key
from docferry.state.sorting import Chunks
from docferry.workflow.comparison import inputs
from docferry.workflow.comparison.progress import Progress, Work


def statuses(work: Work, progress: Progress) -> Iterator[Progress]:
    """Write what the index says of its documents, in sorted chunks. A step is STATUS_CALLS pages."""
    said = Chunks(work.store, lambda number: statuses_key(work.run, f"drift-{number:05}"), progress.statuses)
    for number, page in enumerate(_pages(work.wired.index, progress.token), 1):
        for status in page.statuses:
            said.add(status)
        if number % inputs.STATUS_CALLS == 0 and page.token is not None:
            said.end()
            yield structs.replace(progress, statuses=tuple(said.written), token=page.token)
    said.end()
    yield structs.replace(progress, stage="order", statuses=tuple(said.written), token=None)


def _pages(index: Index, token: str | None) -> Iterator[StatusPage]:
    """What the index says. One that does not tell where it goes on says all of it in one invocation."""
    if isinstance(index, ListsStatuses):
        return index.status_pages(token)
    return (StatusPage([status], None) for status in index.statuses(None, ()))
