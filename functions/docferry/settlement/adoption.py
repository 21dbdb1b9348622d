"""Takes over a state bucket in the layout of the first versions, which knew one data source only.

They kept the manifest, the sync job and the failures at the top of the bucket, whatever index they belonged to. That
state is copied to the data source that it was last used with, and removed after the first commit there.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from msgspec import structs

from docferry.errors import ManifestInvalid
from docferry.indexes import Index
from docferry.state import lines, manifest
from docferry.state.keys import FAILURES, MANIFEST, SYNC_JOB
from docferry.state.manifest import Pointer
from docferry.state.objects import Moved
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.sync_job.job import SyncJobRecord

SAMPLE = 20
JOBS = 200


def adopt(store: Store, index: Index, *, rebuild: bool = False) -> None:
    """Copy the state of an old layout to this data source, if it is this one's. May be repeated.

    The manifest comes last: as long as it is not there, whatever else is missing is copied. Raises ManifestInvalid when
    the old manifest cannot be read, but not for a ``rebuild``, which can do without.
    """
    if not store.data_source or store.exists(store.held(MANIFEST)):
        return
    old = store.as_first_laid_out()
    record = sync_job.read(old)
    pointer = None
    with _tolerating(rebuild=rebuild):
        pointer = manifest.pointer(old)
    ours = _knows_job(index, record)
    with _tolerating(rebuild=rebuild):
        ours = ours or (pointer is not None and _holds_documents(old, index, pointer.value))
    if not ours:
        return
    if record is not None:
        known = (record.execution_id,) if record.execution_id else ()
        with suppress(Moved):
            store.create(store.held(SYNC_JOB), structs.replace(record, ours=known))
    if store.exists(old.held(FAILURES)) and not store.exists(store.held(FAILURES)):
        with store.writing(store.held(FAILURES)) as stream:
            for line in store.lines(old.held(FAILURES)):
                stream.add_line(line)
    if pointer is not None:
        with suppress(Moved):
            store.create(store.held(MANIFEST), pointer.value)


def forget(store: Store) -> None:
    """Remove the state of an old layout, once the manifest that comes after it is committed. May be repeated."""
    current = manifest.pointer(store)
    if current is None or not store.data_source:
        return
    old = store.as_first_laid_out()
    try:
        left = manifest.pointer(old)
    except ManifestInvalid:
        return
    if left is not None and left.value.key == current.value.before:
        store.delete_all([old.held(name) for name in (MANIFEST, SYNC_JOB, FAILURES)])


@contextmanager
def _tolerating(*, rebuild: bool) -> Iterator[None]:
    """Go on after a manifest that cannot be read, in a rebuild."""
    try:
        yield
    except ManifestInvalid:
        if not rebuild:
            raise


def _knows_job(index: Index, record: SyncJobRecord | None) -> bool:
    """Whether the last sync job of the old state is one of this data source."""
    if record is None or record.execution_id is None:
        return False
    return any(job.execution_id == record.execution_id for job in islice(index.jobs(), JOBS))


def _holds_documents(old: Store, index: Index, pointer: Pointer) -> bool:
    """Whether this data source holds some of the documents that the old state knows. Raises ManifestInvalid."""
    ids = frozenset(map(lines.line_id, islice(manifest.documents(old, pointer), SAMPLE)))
    return any(status.id in ids and status.status == "INDEXED" for status in index.statuses(None, sorted(ids)))
