"""The stage that writes down what a service says of its whole data source, which cannot be asked by id."""

from collections.abc import Iterator

from msgspec import structs

from docferry.state.keys import statuses_key
from docferry.state.sorting import Chunks
from docferry.workflow.comparison.progress import Progress, Work


def statuses(work: Work, progress: Progress) -> Iterator[Progress]:
    """Write what the index says of its documents, in sorted chunks."""
    said = Chunks(work.store, lambda number: statuses_key(work.run, f"drift-{number:05}"))
    for status in work.wired.index.statuses(None, ()):
        said.add(status)
    said.end()
    yield structs.replace(progress, stage="order", statuses=tuple(said.written))
