"""Adoption: the state of a bucket that the first versions of Docferry laid out, which knew one data source only.

They kept the manifest, the sync job and the failures at the top of the bucket, whatever index they belonged to. That
state is copied to the data source that it was last used with, and removed after the first commit there.
"""

from contextlib import suppress
from itertools import islice

from msgspec import structs

from docferry import lines, manifest, sync_job
from docferry.errors import ManifestInvalid
from docferry.indexes import Index
from docferry.manifest import Pointer
from docferry.store import FAILURES, MANIFEST, SYNC_JOB, Moved, Record, Store
from docferry.sync_job import SyncJobRecord

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
    record, pointer = sync_job.read(old), None
    try:
        pointer = manifest.pointer(old)
        if (pointer is None and record is None) or not _is_ours(old, index, pointer, record):
            return
    except ManifestInvalid:
        if not rebuild:
            raise
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


def _is_ours(old: Store, index: Index, pointer: Record[Pointer] | None, record: SyncJobRecord | None) -> bool:
    """Whether the old state is about this data source: it knows the last sync job, or holds some of the documents."""
    if record is not None and record.execution_id is not None:
        recent = islice(index.jobs(), JOBS)
        if any(job.execution_id == record.execution_id for job in recent):
            return True
    held = manifest.documents(old, pointer.value if pointer else None)
    ids = frozenset(map(lines.line_id, islice(held, SAMPLE)))
    return any(status.id in ids and status.status == "INDEXED" for status in index.statuses(None, sorted(ids)))
