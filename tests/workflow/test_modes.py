"""What else a run can do: quarantine, reconcile, rebuild, plan, send everything again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from msgspec import structs

from docferry.changes import quarantine
from docferry.changes.quarantine import RUNS
from docferry.indexes import Index
from docferry.runtime import wiring
from docferry.state.keys import MANIFEST
from tests.workflow.world import World


@contextmanager
def others(world: World) -> Iterator[tuple[Index, str]]:
    """The data source as another program has it, and its open job. At the end the index comes to rest."""
    connector = world.deployment.wired.settings.connector
    boto3.client("s3").create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    theirs = wiring.index(connector.name, connector.index, "elsewhere")
    yield theirs, theirs.start()
    theirs.stop()
    world.aws.clock.sleep(60)


def delete_behind_its_back(world: World, name: str) -> None:
    """Remove a document from the index, as another program would."""
    with others(world) as (theirs, execution_id):
        assert theirs.delete(execution_id, [f"team/{name}"]) == []


def test_a_document_that_always_fails_is_quarantined(world: World) -> None:
    """After so many runs it is not sent any more, and a run without other changes opens no job."""
    world.write("good.txt")
    world.write("bad.txt")
    world.knobs.reject["team/bad.txt"] = "never"
    runs = [world.sync() for _ in range(RUNS)]

    quiet = world.sync()

    assert [run.failed for run in runs] == [1] * RUNS
    assert (quiet.failed, quiet.quarantined, quiet.execution_id) == (0, 1, None)
    assert [(one.id, one.quarantined) for one in quarantine.read(world.store)] == [("team/bad.txt", True)]


def test_a_quarantined_document_is_sent_when_it_changes_or_is_released(world: World) -> None:
    """It may be acceptable now."""
    for name in ("a.txt", "b.txt"):
        world.write(name)
        world.knobs.fail_documents[f"team/{name}"] = "never"
    for _ in range(RUNS):
        world.sync()
    assert world.sync().quarantined == 2
    world.knobs.fail_documents.clear()
    world.write("a.txt", "changed")
    assert (world.sync().added, world.sync().quarantined) == (1, 1)

    quarantine.release(world.store, None)

    assert world.sync().added == 1
    world.assert_converged("a.txt", "b.txt")


def test_a_quarantined_document_that_goes_away_is_forgotten(world: World) -> None:
    """With the next run that has anything to do."""
    world.write("bad.txt")
    world.knobs.reject["team/bad.txt"] = "never"
    for _ in range(RUNS):
        world.sync()
    (world.folder / "bad.txt").unlink()
    world.write("good.txt")

    world.sync()

    assert list(quarantine.read(world.store)) == []


def test_a_full_index_quarantines_nothing(world: World) -> None:
    """The documents are not to blame."""
    world.write("a.txt")
    world.knobs.over_capacity = "text"
    for _ in range(RUNS + 1):
        run = world.sync()
    assert (run.failed, run.quarantined) == (1, 0) or world.connector.index.kind == "qbusiness"
    world.knobs.over_capacity = None

    world.sync()

    world.assert_converged("a.txt")


def test_reconcile_puts_back_what_the_index_has_lost(world: World) -> None:
    """A sync cannot see it; a reconcile asks the index."""
    for name in ("a.txt", "b.txt", "c.txt"):
        world.write(name)
    world.sync()
    delete_behind_its_back(world, "b.txt")
    assert world.sync().unchanged == 3

    dry = world.sync(mode="reconcile", dry_run=True)
    assert (dry.modified, dry.dry_run, dry.execution_id) == (1, True, None)
    assert world.indexed("b.txt") == set()

    run = world.sync(mode="reconcile")
    assert (run.modified, run.unchanged) == (1, 2)
    world.assert_converged("a.txt", "b.txt", "c.txt")


def test_what_a_reconcile_cannot_put_back_is_put_by_the_next_sync(world: World) -> None:
    """The index does not hold it, so it must not count as unchanged."""
    world.write("a.txt")
    world.sync()
    delete_behind_its_back(world, "a.txt")
    world.knobs.reject["team/a.txt"] = "not today"

    run = world.sync(mode="reconcile")

    world.knobs.reject.clear()
    assert (run.modified, run.failed) == (0, 1)
    assert world.sync().modified == 1
    assert world.sync().unchanged == 1


@pytest.mark.parametrize("kind", ["qbusiness", "bedrock"])
def test_reconcile_deletes_what_nobody_accounted_for(world: World) -> None:
    """Documents of this connector that the manifest does not have; Kendra cannot list them.

    Somebody else has put them: they go when a person has seen them. A job of theirs is counted where the service has
    jobs. Where it has none nobody can tell who writes, so all such documents wait.
    """
    world.write("a.txt")
    world.sync()
    index = world.deployment.wired.index
    ghost = world.manifest()["team/a.txt"]
    with others(world) as (theirs, execution_id):
        theirs.put(execution_id, [(structs.replace(ghost, id="team/ghost.txt"), b"boo")])
        theirs.put(execution_id, [(structs.replace(ghost, id="elsewhere/x.txt"), b"not ours")])

    found = world.sync(mode="reconcile")

    assert (found.deleted, found.withheld, found.foreign_jobs) == (0, 1, int(index.service.has_jobs))
    assert "others' perhaps" in found.withheld_because
    assert world.sync(approve=found.run).deleted == 1
    assert world.indexed("ghost.txt") == set()
    assert {status.id for status in index.statuses(None, ["elsewhere/x.txt"]) if status.status == "INDEXED"} >= {
        "elsewhere/x.txt"
    }


@pytest.mark.parametrize("damage", [b"{}", b"not json", b'{"format":99,"key":"x","documents":1,"sha256":"y"}'])
def test_a_manifest_that_cannot_be_read_is_refused_and_rebuilt(world: World, damage: bytes) -> None:
    """The error names the cure; the rebuild puts everything again, and deletes and forgets nothing."""
    for name in ("a.txt", "b.txt"):
        world.write(name)
    world.sync()
    boto3.client("s3").put_object(Bucket=world.store.bucket, Key=world.store.held(MANIFEST), Body=damage)
    (world.folder / "b.txt").unlink()

    refused = world.sync()
    assert refused.status == "FAILED"
    assert "ManifestInvalid" in refused.error
    assert "docferry rebuild" in refused.error

    run = world.sync(mode="rebuild")
    assert (run.status, run.modified, run.deleted) == ("SUCCEEDED", 1, 0)
    run = world.sync()
    assert (run.deleted, run.unchanged) == (1, 1)
    world.assert_converged("a.txt")


def test_a_damaged_manifest_stream_is_refused_and_rebuilt(world: World) -> None:
    """Its digest is in the pointer."""
    world.write("a.txt")
    world.sync()
    (key,) = (key for key in world.store.keys(world.store.held("manifest/")) if key.endswith(".zst"))
    boto3.client("s3").put_object(Bucket=world.store.bucket, Key=key, Body=b"damaged")

    assert "ManifestInvalid" in world.sync().error

    assert world.sync(mode="rebuild").status == "SUCCEEDED"
    world.assert_converged("a.txt")


def test_a_plan_says_what_would_be_done_and_does_nothing(world: World) -> None:
    """No job is opened; the sync after it does just that."""
    world.write("a.txt")
    world.sync()
    world.write("b.txt")
    (world.folder / "a.txt").unlink()

    plan = world.sync(mode="plan")

    assert (plan.status, plan.added, plan.deleted, plan.execution_id) == ("SUCCEEDED", 1, 1, None)
    assert set(world.manifest()) == {"team/a.txt"}
    run = world.sync()
    assert (run.added, run.deleted) == (1, 1)


def test_a_full_run_sends_everything_again(world: World) -> None:
    """And deletes what is gone."""
    for name in ("a.txt", "b.txt"):
        world.write(name)
    world.sync()
    (world.folder / "b.txt").unlink()

    run = world.sync(mode="full")

    assert (run.modified, run.deleted, run.unchanged) == (1, 1, 0)
    world.assert_converged("a.txt")


def test_an_unknown_mode_is_refused(world: World) -> None:
    """By name."""
    inputs: dict[str, Any] = {"mode": "fast"}

    assert "mode" in world.sync(**inputs).error
