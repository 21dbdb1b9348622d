"""The stages of a comparison, one after the other, as long as there is time."""

from collections.abc import Callable, Iterator

from msgspec import structs

from docferry.indexes.status_lists import lists
from docferry.state import sorting
from docferry.workflow.comparison import progress as record
from docferry.workflow.comparison.progress import Progress, Stage, Work
from docferry.workflow.comparison.renaming import bare, rename, secret
from docferry.workflow.comparison.sorter import sort
from docferry.workflow.comparison.statuses import statuses
from docferry.workflow.comparison.withholding import withhold

Step = Callable[[Work, Progress], Iterator[Progress]]
"""A stage: it gives how far it came after each step, and goes on from there. At its end it names the next stage."""


def gathering(*names: str, then: Stage) -> Step:
    """A stage that merges sorted chunks until they are few enough to be read side by side."""

    def gather(work: Work, progress: Progress) -> Iterator[Progress]:
        for name in names:
            while (left := sorting.fewer(work.store, work.key, getattr(progress, name))) is not None:
                progress = structs.replace(progress, **{name: left})
                yield progress
        yield structs.replace(progress, stage=then)

    return gather


STAGES = dict[Stage, Step](
    {
        "statuses": statuses,
        "order": gathering("statuses", then="secret"),
        "secret": secret,
        "bare": bare,
        "gather": gathering("secret", "bare", then="rename"),
        "rename": rename,
        "settle": gathering("kept", "listed", then="sort"),
        "sort": sort,
        "withhold": withhold,
    }
)


def go_on(work: Work, before: Progress | None, in_time: Callable[[], bool]) -> Progress | None:
    """Go through the stages while it is ``in_time``, from where an invocation before this one came to.

    None: there is something left to do, and it is written down where to go on. A comparison with another manifest
    begins anew. A small one leaves no record: it is no dearer than if it could not be interrupted.
    """
    progress = before if before is not None and before.base == work.base else _beginning(work)
    while progress.stage != "whole":
        stage = progress.stage
        steps = STAGES[stage](work, progress)
        for progress in steps:
            late = not in_time()
            if late or progress.stage == stage:
                record.save(work.store, work.run, progress)
            if late:
                return None
    return progress


def _beginning(work: Work) -> Progress:
    listed = work.task.input.compares == "reconcile" and lists(work.wired.index)
    return Progress(base=work.base, stage="statuses" if listed else "secret")
