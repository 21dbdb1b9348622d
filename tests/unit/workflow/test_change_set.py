"""What the crawl says beside the counts."""

from docferry.state.manifest import Pointer
from docferry.state.runs import Counts
from docferry.state.store import Store
from docferry.workflow.change_set import remarks

KNOWN = Pointer(1, "manifest/before.jsonl.zst", 1, "0" * 64)


def test_a_connector_that_outgrows_its_functions(store: Store) -> None:
    """The report of a run has a note as soon as the source lists four fifths of what the functions are made for."""
    grown = Counts(added=1_000_000, modified=500_000, unchanged=7_000_000, skipped=1)
    (note,) = remarks(store, (), grown, KNOWN)
    assert "8,500,001 documents" in note
    assert list(remarks(store, (), Counts(unchanged=7_000_000), KNOWN)) == []
