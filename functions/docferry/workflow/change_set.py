"""The change set of a crawl whose listing is whole: compared, guarded, and written in shards."""

from collections.abc import Callable, Iterator

from docferry.changes import approvals, plans, scope
from docferry.runtime.lambdas import outgrown
from docferry.runtime.wiring import Wired
from docferry.state import manifest
from docferry.state.keys import BATCHES, CHANGES, DATA_SOURCES, MANIFEST, run_key
from docferry.state.manifest import Pointer
from docferry.state.runs import ChangeSet, Checkpoint, Counts, Input
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.workflow.comparison import progress as record
from docferry.workflow.comparison import stages, withholding
from docferry.workflow.comparison.progress import Progress, Task, Work


def write_change_set(
    wired: Wired, run: str, checkpoint: Checkpoint, task: Task, *, begun: bool, in_time: Callable[[], bool]
) -> Counts | None:
    """Compare the listing with the manifest, and write the shards, ``batches.json`` and ``changes.json``.

    Goes on with what is ``begun``, as long as it is ``in_time``. None: there is something left to do. Raises
    ManifestInvalid, ApprovalRefused, PlanMoved, and ConfigurationError for attributes that the index does not take;
    then nothing is sent.
    """
    store, wanted = wired.store, task.input
    base = base_manifest(store, wanted)
    if task.plan is not None:
        plans.check_manifest(store, task.plan, base)
    work = Work(wired, run, checkpoint, task, base)
    whole = stages.go_on(work, record.read(store, run) if begun else None, in_time)
    if whole is None:
        return None
    shards = [*whole.puts.shards, *whole.deletes.shards]
    if task.plan is not None:
        plans.check_changes(store, task.plan, shards)
    if wanted.approve is not None and wanted.sends:
        approvals.use(store, wanted.approve, by=run)
    store.write(run_key(run, BATCHES), shards)
    store.write(run_key(run, CHANGES), _change_set(work, whole))
    return whole.counts


def _change_set(work: Work, whole: Progress) -> ChangeSet:
    wanted, counts, found = work.task.input, whole.counts, whole.found
    verdict = withholding.judge(work, whole) if counts.withheld else None
    changed = found.changed if found is not None else ()
    return ChangeSet(
        counts=counts,
        manifest=work.base,
        withheld_because=verdict.because if verdict is not None else "",
        rebuild=wanted.compares == "rebuild",
        sends=wanted.sends,
        input=wanted,
        # A rebuild deletes nothing, so what the change would delete is still to be withheld by the next crawl.
        scope=None if changed and (counts.withheld or wanted.compares == "rebuild") else whole.scope,
        settings=scope.settings(work.wired.settings.connector),
        keys=work.checkpoint.looked.keys if work.checkpoint.looked else None,
        notes=(*work.task.notes, *whole.wrong, *remarks(work.store, changed, counts, work.base)),
    )


def base_manifest(store: Store, wanted: Input) -> Pointer | None:
    """The manifest that the listing is compared with.

    A rebuild takes the newest one that can be read, so that nothing is forgotten that is known, and does without where
    none can. Raises ManifestInvalid.
    """
    job = sync_job.read(store)
    committed = job.committed if job else None
    if wanted.compares == "rebuild":
        return manifest.newest_readable(store, committed)
    current = manifest.pointer(store)
    pointer = current.value if current else None
    manifest.check_last(store, pointer, committed)
    return pointer


def remarks(store: Store, changed: tuple[str, ...], counts: Counts, base: Pointer | None) -> Iterator[str]:
    """What a person should know beside the counts."""
    if grown := outgrown(counts.added + counts.modified + counts.unchanged + counts.skipped):
        yield grown
    if changed:
        yield f"the settings of the source have changed: {', '.join(changed)}"
    if base is None and is_new_index(store):
        yield f"new index: {counts.added + counts.modified:,} documents to put"


def is_new_index(store: Store) -> bool:
    """Whether the connector was used with another data source before."""
    others = (key for key in store.keys(DATA_SOURCES) if not key.startswith(store.held("")))
    return next(others, None) is not None or store.exists(MANIFEST)
