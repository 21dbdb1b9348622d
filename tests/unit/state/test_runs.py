"""What the states of a run hand to each other on S3."""

import pytest

from docferry.errors import FatalError
from docferry.state.keys import BATCHES, CHANGES, CHECKPOINT, run_key
from docferry.state.manifest import Pointer
from docferry.state.runs import ChangeSet, Checkpoint, Counts, Shard, change_set, shards
from docferry.state.sorting import Chunk
from docferry.state.store import Store


def test_a_change_set_is_read_as_it_was_written(store: Store) -> None:
    """With the manifest that it was made against, or none."""
    for pointer in (None, Pointer(1, "manifest/run-0.jsonl.zst", 5, "digest")):
        written = ChangeSet(counts=Counts(added=2, withheld=1), manifest=pointer, withheld_because="too many")
        store.write(run_key("run-1", CHANGES), written)

        assert change_set(store, "run-1") == written


def test_a_run_whose_crawl_did_not_end_has_no_change_set(store: Store) -> None:
    """Nothing can be committed of it."""
    with pytest.raises(FatalError, match="run run-1 has no change set"):
        change_set(store, "run-1")


def test_shards_are_read_in_order(store: Store) -> None:
    """None when the crawl did not end, or had nothing to do."""
    assert shards(store, "run-1") == []
    written = [Shard("run-1", "put", "put-00000", 500, "a"), Shard("run-1", "delete", "delete-00000", 1, "b")]

    store.write(run_key("run-1", BATCHES), written)

    assert shards(store, "run-1") == written


def test_a_checkpoint_is_read_as_it_was_written(store: Store) -> None:
    """A crawl goes on exactly where it stopped."""
    written = Checkpoint(
        chunks=(Chunk("k", "a", "b"),), source="after", listed=7, uncertain=frozenset({"/x"}), incomplete="folder"
    )
    store.write(run_key("run-1", CHECKPOINT), written)

    record = store.read(run_key("run-1", CHECKPOINT), Checkpoint)
    assert record is not None
    assert record.value == written
