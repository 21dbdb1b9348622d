"""The real state machine with the real handlers against the emulators: what a sync moves, and what it reports."""

import json
import os
from pathlib import Path

import pytest

from docferry.state.keys import run_key
from docferry_laptop.laptop import Laptop
from tests.workflow.world import World


def test_the_first_sync_indexes_every_document(world: World) -> None:
    """Everything listed is put, found by a search, and in the manifest; the job ends SUCCEEDED."""
    world.write("a.txt", "the lighthouse keeper")
    world.write("deep/b.md", "# Tides")

    run = world.sync()

    assert (run.status, run.added, run.job_status) == ("SUCCEEDED", 2, "SUCCEEDED")
    world.assert_converged("a.txt", "deep/b.md")
    world.assert_at_rest()
    assert [hit.document_id for hit in world.deployment.wired.index.search("lighthouse", 5)] == ["team/a.txt"]


def test_a_sync_without_changes_opens_no_job(world: World) -> None:
    """The second sync finds everything unchanged, and the list of sync jobs does not grow."""
    world.write("a.txt")
    world.sync()

    run = world.sync()

    assert (run.status, run.unchanged, run.added + run.modified + run.deleted) == ("SUCCEEDED", 1, 0)
    assert run.execution_id is None
    assert len(world.jobs()) == 1
    world.assert_at_rest()


def test_only_what_changed_moves(world: World) -> None:
    """One document changed, one added, one deleted: exactly these three move, and the job counts them."""
    for name in ("a.txt", "b.txt", "c.txt"):
        world.write(name)
    world.sync()
    world.write("a.txt", "another text")
    world.write("d.txt")
    (world.folder / "b.txt").unlink()

    run = world.sync()

    assert (run.added, run.modified, run.deleted, run.unchanged) == (1, 1, 1, 1)
    index = world.deployment.wired.index
    metrics = next(index.jobs()).metrics
    done = {"added": 1, "modified": 1, "deleted": 1, "failed": 0}
    assert all(getattr(metrics, name) == done[name] for name in index.service.counts)
    world.assert_converged("a.txt", "c.txt", "d.txt")
    assert world.indexed("b.txt") == set()


def test_a_new_time_alone_is_no_change(world: World) -> None:
    """A file that was touched, or copied back, with the same content is not sent again."""
    world.write("a.txt")
    world.sync()
    os.utime(world.folder / "a.txt", (1, 1))

    assert world.sync().unchanged == 1


def test_an_empty_source_is_no_error(world: World) -> None:
    """Nothing to index, nothing indexed: the run succeeds without a job."""
    run = world.sync()

    assert (run.status, run.execution_id) == ("SUCCEEDED", None)
    world.assert_at_rest()


def test_a_rejected_document_is_reported_and_tried_again(world: World) -> None:
    """It is in the report with its reason and not in the manifest; once it is acceptable it is added."""
    world.write("good.txt")
    world.write("bad.txt")
    world.knobs.reject["team/bad.txt"] = "not today"

    first = world.sync()
    second = world.sync()
    world.knobs.reject.clear()
    third = world.sync()

    assert (first.status, first.added, first.failed) == ("SUCCEEDED", 1, 1)
    assert "not today" in world.failures(first)["team/bad.txt"]
    assert (second.added, second.failed, second.unchanged) == (0, 1, 1)
    assert (third.added, third.failed) == (1, 0)
    world.assert_converged("good.txt", "bad.txt")


def test_a_rejected_change_leaves_the_document_as_it_was(world: World) -> None:
    """The index still holds the old version, so the manifest says so, and the next run sends the new one."""
    world.write("a.txt", "old")
    world.sync()
    before = world.manifest()
    world.write("a.txt", "new")
    world.knobs.reject["team/a.txt"] = "not today"

    assert world.sync().failed == 1

    assert world.manifest() == before
    world.knobs.reject.clear()
    assert world.sync().modified == 1


def test_a_document_that_fails_after_acceptance_stays_out_of_the_manifest(world: World) -> None:
    """The job counts it as failed, the run finds out which it was, and tries it again next time."""
    world.write("good.txt")
    world.write("bad.txt")
    world.knobs.fail_documents["team/bad.txt"] = "cannot be parsed"

    first = world.sync()
    manifest = world.manifest()
    world.knobs.fail_documents.clear()
    second = world.sync()

    assert (first.status, first.added, first.failed, first.job_status) == ("SUCCEEDED", 1, 1, "INCOMPLETE")
    assert "cannot be parsed" in world.failures(first)["team/bad.txt"]
    assert set(manifest) == {"team/good.txt"}
    assert (second.added, second.unchanged) == (1, 1)
    world.assert_converged("good.txt", "bad.txt")


def test_a_document_that_changed_and_then_failed_is_put_again(world: World) -> None:
    """Whether the index kept the old version is not known, so even a return to the old content is sent."""
    world.write("a.txt", "old")
    world.sync()
    world.write("a.txt", "new")
    world.knobs.fail_documents["team/a.txt"] = "cannot be parsed"
    assert world.sync().failed == 1
    world.knobs.fail_documents.clear()
    world.write("a.txt", "old")

    run = world.sync()

    assert (run.modified, run.unchanged) == (1, 0)
    world.assert_converged("a.txt")


def test_metadata_and_access_control_come_from_the_sidecar(world: World) -> None:
    """Title and attributes arrive; a broken sidecar keeps the document out, for no ACL would make it public."""
    world.write("a.txt", "alpha")
    sidecar = {"Title": "The Alpha Paper", "Attributes": {"_category": "letters", "weight": 3}}
    world.write("a.txt.metadata.json", json.dumps(sidecar))
    world.write("secret.txt", "beta")
    world.write("secret.txt.metadata.json", '{"AccessControlList": [')

    run = world.sync()

    assert (run.added, run.skipped) == (1, 1)
    assert "sidecar secret.txt.metadata.json" in world.skipped(run)["team/secret.txt"]
    assert world.indexed("a.txt", "secret.txt") == {"a.txt"}
    assert [hit.title for hit in world.deployment.wired.index.search("alpha", 5)] == ["The Alpha Paper"]


def test_a_sidecar_that_breaks_deletes_nothing(world: World) -> None:
    """The document is in the source still, even under the id that only its sidecar knew."""
    world.write("a.txt", "alpha")
    world.write("a.txt.metadata.json", '{"DocumentId": "the-alpha"}')
    world.sync()
    world.write("a.txt.metadata.json", "{")

    run = world.sync()

    assert (run.deleted, run.skipped, run.unchanged) == (0, 1, 1)
    assert set(world.manifest()) == {"team/the-alpha"}


def test_large_content_goes_through_the_staging_area(world: World) -> None:
    """Over 5 MB is staged on S3 for the service to read, and removed when the run ends; small content goes inline."""
    world.write("large.txt", "lorem ipsum " * 200_000 + "x" * 3_000_000)
    world.write("small.txt")
    seen: list[str] = []
    world.aws.emulation.faults.hooks[world.operation("stop")] = lambda: seen.extend(world.store.keys("staging/"))

    run = world.sync()

    assert run.added + run.failed == 2
    assert len(set(seen)) == 1
    assert list(world.store.keys("staging/")) == []
    assert "small.txt" in world.indexed("small.txt")


def test_a_file_that_vanishes_between_crawl_and_put_harms_nothing_else(world: World) -> None:
    """It is reported; the others are indexed; the next run finds nothing left to do."""
    world.write("a.txt")
    world.write("b.txt")
    world.aws.emulation.faults.hooks[world.operation("start")] = (world.folder / "b.txt").unlink

    run = world.sync()
    world.aws.emulation.faults.hooks.clear()

    assert (run.status, run.added, run.failed) == ("SUCCEEDED", 1, 1)
    assert "b.txt is gone" in world.failures(run)["team/b.txt"]
    assert world.sync().unchanged == 1
    world.assert_converged("a.txt")


def test_a_file_that_changes_between_crawl_and_put_is_recorded_as_it_was_sent(world: World) -> None:
    """The manifest holds the version that the index holds, so the return to the listed one is a change."""
    world.write("a.txt", "listed")
    world.aws.emulation.faults.hooks[world.operation("start")] = lambda: world.write("a.txt", "sent")
    world.sync()
    world.aws.emulation.faults.hooks.clear()

    assert world.sync().unchanged == 1
    world.write("a.txt", "listed")
    assert world.sync().modified == 1


def test_two_documents_with_one_id_are_named_and_one_is_indexed(world: World) -> None:
    """The first stays; the other is skipped with both names; nothing else is harmed."""
    for name in ("a.txt", "b.txt", "c.txt"):
        world.write(name, name)
    for name in ("a.txt", "b.txt"):
        world.write(f"{name}.metadata.json", '{"DocumentId": "same"}')

    run = world.sync()

    assert (run.added, run.skipped) == (2, 1)
    assert "same document id" in world.skipped(run)["team/same"]
    assert set(world.manifest()) == {"team/same", "team/c.txt"}


def test_an_unusual_number_of_deletes_is_withheld_until_approved(world: World) -> None:
    """Puts go on meanwhile; the approval applies the deletes after a fresh crawl."""
    for number in range(12):
        world.write(f"{number:02}.txt")
    world.sync()
    for number in range(12):
        (world.folder / f"{number:02}.txt").unlink()
    world.write("new.txt")

    withheld = world.sync()
    assert (withheld.status, withheld.added, withheld.deleted, withheld.withheld) == ("SUCCEEDED", 1, 0, 12)
    assert f"docferry approve {withheld.run}" in withheld.withheld_because
    assert len(world.manifest()) == 13

    approved = world.sync(approve=withheld.run)
    assert (approved.deleted, approved.withheld, approved.approved) == (12, 0, 12)
    world.assert_converged("new.txt")


def test_a_folder_that_disappears_fails_the_run_and_deletes_nothing(world: World) -> None:
    """No listing is not an empty listing."""
    world.write("a.txt")
    world.sync()
    world.folder.rename(world.folder.with_name("elsewhere"))

    run = world.sync()

    assert run.status == "FAILED"
    assert "source.path" in run.error
    assert set(world.manifest()) == {"team/a.txt"}
    world.assert_at_rest()


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({"approve_deletes": 3}, "approve_deletes"),
        ({"approve": 3}, "approve"),
        ({"apply": "x", "mode": "full"}, "apply"),
    ],
)
def test_a_wrong_input_is_refused(world: World, inputs: dict[str, object], named: str) -> None:
    """The execution fails, says which member is wrong, and has touched nothing."""
    world.write("a.txt")

    execution = world.start(**inputs)
    run = world.finish(execution)

    assert run.status == "FAILED"
    assert named in run.error
    assert world.jobs() == []
    world.assert_at_rest()


def test_two_connectors_on_one_index_leave_each_other_alone(aws: Laptop, tmp_path: Path, kind: str) -> None:
    """Each has its own data source, ids and state: emptying one deletes nothing of the other."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    first = World(aws, one, kind)
    first.write("a.txt", "from one")
    first.write("b.txt", "another one")
    first.sync()
    second = World(aws, other, kind, name="crew")
    second.write("a.txt", "from the other")
    second.sync()
    (one / "a.txt").unlink()

    assert first.sync().deleted == 1
    assert second.sync().unchanged == 1
    assert [hit.document_id for hit in second.deployment.wired.index.search("from", 5)] == ["crew/a.txt"]


def test_the_state_does_not_grow_with_the_documents(world: World) -> None:
    """600 documents make two shards: the states hand each other keys and counts, of a few hundred bytes."""
    for number in range(600):
        world.write(f"{number:04}.txt", f"document {number}")

    run = world.sync()

    assert run.added == 600
    events = world.history(run)
    assert len(events) < 60
    inputs = [event["stateEnteredEventDetails"]["input"] for event in events if "stateEnteredEventDetails" in event]
    assert max(map(len, inputs)) < 2_000
    assert len(list(world.store.keys(run_key(run.run, "results/")))) == 2


def test_documents_of_the_inbox_are_synced_beside_those_of_the_source(world: World) -> None:
    """A change set that is dropped is taken by the next run, and its documents stay until one deletes them."""
    world.write("a.txt")
    leave = {"DocumentId": "leave.md", "Title": "Leave", "Content": "# Leave of absence"}
    logo = {"DocumentId": "logo.txt", "ContentBase64": "bGlnaHRob3VzZQ=="}
    world.store.put_content("inbox/1.jsonl", f"{json.dumps(leave)}\n{json.dumps(logo)}\n".encode())
    assert world.sync().added == 3
    world.assert_converged("a.txt", "leave.md", "logo.txt")
    assert [hit.title for hit in world.deployment.wired.index.search("absence", 5)] == ["Leave"]
    assert world.sync().unchanged == 3

    world.store.put_content("inbox/2.jsonl", json.dumps(leave | {"Content": "# Leave, changed"}).encode())
    world.store.put_content("inbox/3.jsonl", b'{"DocumentId": "logo.txt", "Delete": true}')
    world.store.put_content("inbox/4.jsonl", b'{"DocumentId": "a.md", "Content": "unfinished')
    run = world.sync()

    assert (run.added, run.modified, run.deleted, run.unchanged) == (0, 1, 1, 1)
    assert world.skipped(run)["team/inbox/4.jsonl"].startswith("line 1 is not JSON")
    assert list(world.store.keys("inbox/")) == ["inbox/4.jsonl"]
    world.assert_converged("a.txt", "leave.md")
    world.assert_at_rest()


def test_a_rejected_document_of_the_inbox_is_tried_again(world: World) -> None:
    """Its content is kept for that; so is what a full sync sends."""
    world.store.put_content("inbox/1.jsonl", b'{"DocumentId": "bad.txt", "Content": "rejected"}')
    world.knobs.reject["team/bad.txt"] = "not today"
    assert world.sync().failed == 1
    world.knobs.reject.clear()

    assert world.sync().added == 1
    assert world.sync(mode="full").modified == 1
    world.assert_converged("bad.txt")


def test_an_id_in_source_and_inbox_is_the_sources(world: World) -> None:
    """The other one is skipped, and named."""
    world.write("a.txt", "of the source")
    world.store.put_content("inbox/1.jsonl", b'{"DocumentId": "a.txt", "Content": "of the inbox"}')

    run = world.sync()

    assert (run.added, run.skipped) == (1, 1)
    assert "the document in the inbox has the same document id" in world.skipped(run)["team/a.txt"]
    assert [hit.document_id for hit in world.deployment.wired.index.search("source", 5)] == ["team/a.txt"]
