"""The stage that writes down what a service says of its whole data source, which cannot be asked by id."""

from collections.abc import Iterator

from msgspec import structs

from docferry.errors import RequestRefused
from docferry.indexes.status_lists import status_pages
from docferry.state.keys import statuses_key
from docferry.state.sorting import Chunks
from docferry.workflow.comparison import inputs
from docferry.workflow.comparison.progress import Progress, Work


def statuses(work: Work, progress: Progress) -> Iterator[Progress]:
    """Write what the index says of its documents, in sorted chunks, in steps of a fixed number of pages.

    Begins anew when the service does not know any more where an invocation before this one came to.
    """
    try:
        yield from _listed(work, progress)
    except RequestRefused:
        if progress.token is None:
            raise
        yield from _listed(work, structs.replace(progress, statuses=(), token=None))


def _listed(work: Work, progress: Progress) -> Iterator[Progress]:
    said = Chunks(work.store, lambda number: statuses_key(work.run, f"drift-{number:05}"), progress.statuses)
    for number, page in enumerate(status_pages(work.wired.index, progress.token), 1):
        for status in page.statuses:
            said.add(status)
        if number % inputs.STATUS_CALLS == 0 and page.token is not None:
            said.end()
            yield structs.replace(progress, statuses=tuple(said.written), token=page.token)
    said.end()
    yield structs.replace(progress, stage="order", statuses=tuple(said.written), token=None)
