"""Adoption: the state of the first layout goes to the data source that it is about, and to no other."""

import pytest

from docferry.changes.quarantine import Failing, read
from docferry.errors import ManifestInvalid
from docferry.indexes import DocumentStatus
from docferry.model import Outcome
from docferry.settlement import adoption
from docferry.state import lines, manifest
from docferry.state.keys import FAILURES, MANIFEST, SYNC_JOB
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from tests.unit.fakes import FakeIndex, document, write_manifest


@pytest.fixture
def index() -> FakeIndex:
    """A data source with one job."""
    index = FakeIndex()
    index.open("job-1", "SUCCEEDED")
    return index


def laid_out(store: Store, *, job: str | None = "job-1") -> Store:
    """A bucket of the first layout: a manifest of two documents, a settled job, a document that fails."""
    old = store.as_first_laid_out()
    written = write_manifest(old, "run-0", [Outcome(id_, "added", document(id_)) for id_ in "ab"])
    manifest.move(old, None, written)
    if job:
        old.write(SYNC_JOB, {"run": "run-0", "state": "settled", "execution_id": job})
    with old.writing(FAILURES) as stream:
        stream.add(Failing("c", document("c"), "bad", 2, "run-0"))
    return old


def held(store: Store) -> list[str]:
    """The documents of the manifest."""
    current = manifest.pointer(store)
    return [lines.line_id(line) for line in manifest.documents(store, current.value if current else None)]


def test_the_state_goes_to_the_data_source_that_knows_its_job(store: Store, index: FakeIndex) -> None:
    """All of it; the old one stays until the first commit."""
    laid_out(store)

    adoption.adopt(store, index)
    adoption.adopt(store, index)

    record = sync_job.read(store)
    assert held(store) == ["a", "b"]
    assert [one.id for one in read(store)] == ["c"]
    assert record is not None
    assert (record.execution_id, record.ours) == ("job-1", ("job-1",))
    assert store.exists(MANIFEST)


def test_the_state_goes_to_the_data_source_that_holds_its_documents(store: Store, index: FakeIndex) -> None:
    """Its job may be forgotten by now."""
    laid_out(store, job="forgotten")
    index.says(DocumentStatus("b", "INDEXED"))

    adoption.adopt(store, index)

    assert held(store) == ["a", "b"]


def test_the_state_of_another_data_source_stays_where_it_is(store: Store, index: FakeIndex) -> None:
    """Neither its job nor its documents are known here."""
    laid_out(store, job="of another")

    adoption.adopt(store, index)

    assert manifest.pointer(store) is None
    assert sync_job.read(store) is None
    assert store.exists(MANIFEST)


def test_the_first_commit_removes_the_old_state(store: Store, index: FakeIndex) -> None:
    """Only then: whoever goes back to the version before finds it."""
    old = laid_out(store)
    adoption.adopt(store, index)
    adoption.forget(store)
    assert old.exists(MANIFEST)
    current = manifest.pointer(store)
    assert current is not None

    manifest.move(store, current.etag, write_manifest(store, "run-1", []), base=current.value)
    adoption.forget(store)
    adoption.forget(store)

    assert not any(old.exists(name) for name in (MANIFEST, SYNC_JOB, FAILURES))
    assert held(store) == []


def test_another_data_source_removes_nothing(store: Store, index: FakeIndex) -> None:
    """It has a manifest of its own, which does not come after the old one."""
    old = laid_out(store, job="of another")
    manifest.move(store, None, write_manifest(store, "run-1", []))

    adoption.adopt(store, index)
    adoption.forget(store)

    assert old.exists(MANIFEST)


def test_a_crash_amid_the_adoption_leaves_nothing_out(
    store: Store, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest comes last."""
    laid_out(store)
    create = store.create

    def killed(key: str, value: object) -> None:
        if key == store.held(MANIFEST):
            raise RuntimeError("killed")
        create(key, value)

    with monkeypatch.context() as patch:
        patch.setattr(store, "create", killed)
        with pytest.raises(RuntimeError):
            adoption.adopt(store, index)

    adoption.adopt(store, index)
    assert held(store) == ["a", "b"]
    assert sync_job.read(store) is not None


def test_a_damaged_manifest_is_refused_but_not_by_a_rebuild(store: Store, index: FakeIndex) -> None:
    """Which knows then at least whose jobs there were."""
    old = laid_out(store)
    old.write(MANIFEST, {"words": 1})

    with pytest.raises(ManifestInvalid, match="docferry rebuild"):
        adoption.adopt(store, index)
    adoption.adopt(store, index, rebuild=True)

    record = sync_job.read(store)
    assert record is not None
    assert record.ours == ("job-1",)
    assert manifest.pointer(store) is None
