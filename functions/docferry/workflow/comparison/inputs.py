"""The two streams of a comparison: what the source lists, and what the index is taken to hold."""

from collections.abc import Iterator

from docferry.changes import drift
from docferry.crawl import listing
from docferry.indexes.status_lists import lists
from docferry.state import blocks, manifest, sorting, windows
from docferry.workflow import looking
from docferry.workflow.comparison.progress import Progress, Work

STATUS_CALLS = 500
"""Calls for statuses in a step, where the service answers by id: 100 s at five calls a second."""


def listed(work: Work, after: str) -> Iterator[bytes]:
    """The listing after an id, in blocks, at most one document an id."""
    return listing.in_blocks(work.store, work.checkpoint.chunks, after=after)


def known(work: Work, after: str) -> Iterator[bytes]:
    """The manifest after an id, in blocks; in a run that has looked at some keys only, what of it they concern.

    Raises ManifestInvalid.
    """
    looked = work.checkpoint.looked
    return looking.held(work.store, looked, after) if looked else manifest.in_blocks(work.store, work.base, after=after)


def own_ids(work: Work, after: str) -> Iterator[bytes]:
    """Of ``known``, in blocks: at least the documents whose ids their places do not tell. Raises ManifestInvalid."""
    if work.checkpoint.looked:
        return known(work, after)
    return manifest.own_ids(work.store, work.base, work.wired.settings.connector.name, after=after)


def held(work: Work, progress: Progress) -> Iterator[bytes]:
    """What the index is taken to hold after the last step: the manifest, seen through the mode of the run."""
    manifest_lines = known(work, progress.after)
    match work.task.input.compares:
        case "full" | "rebuild":
            return drift.mark_doubtful(blocks.split(manifest_lines))
        case "reconcile" if not lists(work.wired.index):
            return drift.asked(work.wired.index, blocks.split(manifest_lines))
        case "reconcile":
            said = sorting.merge(work.store, progress.statuses, after=progress.after)
            return drift.compared(blocks.split(manifest_lines), said, work.wired.settings.connector.name)
        case _:
            return manifest_lines


def step_lines(work: Work) -> int:
    """How many lines a step of the comparison has: no more than an index can be asked about in it."""
    limits = work.wired.index.limits
    asks = work.task.input.compares == "reconcile" and not lists(work.wired.index)
    return min(windows.STEP_LINES, STATUS_CALLS * limits.statuses) if asks else windows.STEP_LINES
