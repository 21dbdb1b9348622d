"""What people get wrong: each slip is refused, withheld or undone by one command that the message names."""

import json
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from msgspec import structs

from docferry.connector import Part
from docferry.indexes import Reader, service
from docferry.reporting import ledger, report
from docferry.reporting.report import Report
from docferry.state.keys import MANIFEST, SYNC_JOB, WITHHELD, run_key
from docferry_laptop.laptop import Laptop
from tests.first_layout import lay_out_as_at_first
from tests.workflow.services import PUBLIC, SYNC_JOBS
from tests.workflow.world import World


def files(world: World, *names: str) -> None:
    """Write files of the source."""
    for name in names:
        world.write(name, f"the text of {name}")


def remove(world: World, *names: str) -> None:
    """Remove files of the source."""
    for name in names:
        (world.folder / name).unlink()


def numbered(first: int, last: int) -> list[str]:
    """Names of files."""
    return [f"{number:02}.txt" for number in range(first, last + 1)]


def secret(world: World, *names: str) -> None:
    """Write files that only one group may see."""
    for name in names:
        world.write(name, f"the secret of {name}")
        entry = {"Name": "board", "Type": "GROUP", "Access": "ALLOW"}
        world.write(f"{name}.metadata.json", json.dumps({"AccessControlList": [entry]}))


OTHER = {"index_id": "0a1b2c3d-0000-0000-0000-000000000009", "knowledge_base_id": "OTHER00009"}
"""An index that a world has not, by the setting that names it."""


def in_another_index(aws: Laptop, world: World) -> World:
    """The same connector, pointed at another index."""
    settings, kind = world.connector.index.settings, world.connector.index.kind
    name = service(kind).ids[-2]  # the last one is of the data source
    return World.of(
        aws, world.folder, structs.replace(world.connector, index=Part(kind, {**settings, name: OTHER[name]}))
    )


def test_an_approval_deletes_nothing_that_nobody_was_shown(world: World) -> None:
    """What the run withheld has come back, and something else is gone: that waits for an approval of its own."""
    files(world, *numbered(1, 40))
    world.sync()
    remove(world, *numbered(1, 20))
    shown = world.sync()
    assert shown.withheld == 20
    files(world, *numbered(1, 20))
    remove(world, *numbered(21, 35))

    run = world.sync(approve=shown.run)

    assert (run.deleted, run.withheld, run.approved) == (0, 15, 0)
    assert f"docferry approve {run.run}" in run.withheld_because
    assert world.indexed(*numbered(1, 40)) == set(numbered(1, 40))
    assert world.sync(approve=run.run).deleted == 15


def test_an_approval_works_once(world: World) -> None:
    """Also when two runs end in the same second."""
    files(world, *numbered(1, 20))
    world.sync()
    remove(world, *numbered(1, 15))
    shown = world.sync()
    assert world.sync(approve=shown.run).deleted == 15

    refused = world.sync(approve=shown.run)

    assert refused.status == "FAILED"
    assert "approved already" in refused.error
    world.assert_at_rest()


def test_a_plan_uses_no_approval_up(world: World) -> None:
    """It says what the approval would do."""
    files(world, *numbered(1, 20))
    world.sync()
    remove(world, *numbered(1, 15))
    shown = world.sync()

    plan = world.sync(approve=shown.run, dry_run=True)
    assert (plan.deleted, plan.withheld) == (15, 0)

    assert world.sync(apply=plan.run).deleted == 15


@pytest.mark.parametrize("inputs", [{"approve": "nonsense"}, {"apply": "nonsense"}])
def test_a_run_that_does_not_exist_is_refused(world: World, inputs: dict[str, Any]) -> None:
    """By name, and with the command that lists those that do."""
    files(world, "a.txt")

    run = world.sync(**inputs)

    assert run.status == "FAILED"
    assert "no run nonsense" in run.error
    assert "docferry runs" in run.error
    assert world.jobs() == []
    world.assert_at_rest()


def test_another_index_starts_from_nothing_and_the_old_state_is_found_again(aws: Laptop, world: World) -> None:
    """What is known of one index says nothing about another."""
    files(world, "a.txt", "b.txt", "c.txt")
    world.sync()
    assert world.sync().unchanged == 3

    other = in_another_index(aws, world)
    moved = other.sync()

    assert (moved.added, moved.unchanged) == (3, 0)
    assert moved.notes == ("new index: 3 documents to put",)
    assert other.indexed("a.txt") == {"a.txt"}
    assert other.sync().unchanged == 3
    back = World.of(aws, world.folder, world.connector).sync()
    assert (back.unchanged, back.notes) == (3, ())


def test_documents_that_lose_their_access_control_stay_as_they_are_indexed(restricted: World) -> None:
    """Whatever else has changed of them. Nobody sees them who did not before."""
    world = restricted
    secret(world, *numbered(1, 5))
    world.sync()
    before = world.manifest()
    for sidecar in world.folder.glob("*.metadata.json"):
        sidecar.unlink()
    world.write("01.txt", "the secret has changed")

    run = world.sync()

    assert (run.status, world.kept_secret(run), run.execution_id) == ("SUCCEEDED", 5, None)
    assert world.manifest() == before
    assert world.indexed(*numbered(1, 5)) == set(numbered(1, 5))
    assert world.deployment.wired.index.search("secret", 10, Reader("eve")) == []


@PUBLIC
def test_secret_documents_do_not_become_public(world: World) -> None:
    """Their sidecars are lost: they stay as they are indexed until somebody approves."""
    secret(world, *numbered(1, 5))
    files(world, "open.txt")
    world.sync()
    for sidecar in world.folder.glob("*.metadata.json"):
        sidecar.unlink()
    world.write("01.txt", "the secret has changed")

    run = world.sync()

    assert (run.status, run.modified, run.exposed, run.held_back) == ("SUCCEEDED", 0, 5, 5)
    assert list(report.exposed(world.store, run.run)) == [f"team/{name}" for name in numbered(1, 5)]
    assert any(f"docferry approve {run.run}" in note for note in run.notes)
    assert all(world.manifest()[f"team/{name}"].access_control for name in numbered(1, 5))
    approved = world.sync(approve=run.run)
    assert (approved.modified, approved.exposed, approved.approved) == (5, 0, 5)
    assert not any(document.access_control for document in world.manifest().values())


def test_a_sidecar_that_comes_back_undoes_the_slip(restricted: World) -> None:
    """Nothing was sent, so there is nothing to do."""
    world = restricted
    secret(world, "a.txt")
    world.sync()
    sidecar = world.folder / "a.txt.metadata.json"
    lost = sidecar.read_text()
    sidecar.unlink()
    assert world.kept_secret(world.sync()) == 1

    sidecar.write_text(lost)
    run = world.sync()

    assert (run.exposed, run.skipped, run.unchanged, run.execution_id) == (0, 0, 1, None)


def loses_its_id(world: World) -> Report:
    """The run after a secret document has lost its sidecar, which gave it an id of its own."""
    secret(world, "a.txt")
    sidecar = world.folder / "a.txt.metadata.json"
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "DocumentId": "plan-7"}))
    world.sync()
    sidecar.unlink()
    return world.sync()


def test_a_secret_document_that_lost_its_id_with_its_sidecar_stays_secret(restricted: World) -> None:
    """Under the id from its path it looks like another document."""
    run = loses_its_id(restricted)

    assert (run.added, run.deleted, restricted.kept_secret(run), run.unchanged) == (0, 0, 1, 1)
    assert set(restricted.manifest()) == {"team/plan-7"}


@PUBLIC
def test_a_secret_document_that_lost_its_id_becomes_another_with_an_approval(world: World) -> None:
    """It is sent under the id from its path; under its old one it is gone."""
    run = loses_its_id(world)

    approved = world.sync(approve=run.run)
    assert (approved.added, approved.deleted) == (1, 0)
    assert world.sync().deleted == 1


def test_nothing_is_sent_without_access_control_where_a_connector_requires_it(aws: Laptop, restricted: World) -> None:
    """What had some stays as it is indexed, also under an id that it has lost with it."""
    world = World.of(aws, restricted.folder, structs.replace(restricted.connector, access="required"))
    run = loses_its_id(world)
    assert (run.deleted, run.skipped, run.unchanged) == (0, 1, 1)
    files(world, "b.txt")

    run = world.sync()

    assert (run.added + run.modified + run.deleted, run.skipped, run.exposed) == (0, 2, 0)
    assert set(world.manifest()) == {"team/plan-7"}
    assert world.indexed("plan-7") == {"plan-7"}


@PUBLIC
@pytest.mark.parametrize(("access", "sent", "skipped", "exposed"), [("public", 2, 0, 0), ("required", 0, 2, 0)])
def test_a_connector_says_what_access_control_it_expects(
    aws: Laptop, world: World, access: Any, sent: int, skipped: int, exposed: int
) -> None:
    """Everything is public, or nothing is sent without access control."""
    secret(world, "a.txt")
    world.sync()
    (world.folder / "a.txt.metadata.json").unlink()
    files(world, "b.txt")

    run = World.of(aws, world.folder, structs.replace(world.connector, access=access)).sync()

    assert (run.added + run.modified, run.skipped, run.exposed) == (sent, skipped, exposed)
    assert world.indexed("a.txt") == {"a.txt"}


def test_an_empty_source_deletes_nothing(world: World) -> None:
    """Five documents, below any limit: a share that is not mounted looks the same."""
    files(world, *numbered(1, 5))
    world.sync()
    remove(world, *numbered(1, 5))

    run = world.sync()

    assert (run.deleted, run.withheld) == (0, 5)
    assert "no document at all" in run.withheld_because
    assert world.sync(approve=run.run).deleted == 5


def test_a_document_of_the_inbox_is_deleted_beside_an_empty_source(world: World) -> None:
    """Somebody has said so: that is no listing."""
    for line in (b'{"DocumentId": "a.txt", "Content": "a"}', b'{"DocumentId": "a.txt", "Delete": true}'):
        world.store.put_content("inbox/1.jsonl", line)
        run = world.sync()

    assert (run.deleted, run.withheld) == (1, 0)


@pytest.mark.parametrize("change", [{"include": ("0*.txt",)}, {"exclude": ("10.txt",)}, {"path": "elsewhere"}])
def test_changed_settings_of_the_source_delete_nothing(
    aws: Laptop, world: World, tmp_path: Path, change: dict[str, Any]
) -> None:
    """A prefix that was narrowed by mistake makes documents seem gone."""
    files(world, *numbered(8, 11))
    world.sync()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "08.txt").write_text("the text of 08.txt")
    (name,) = change
    settings = world.connector.source.settings | change | ({"path": str(elsewhere)} if name == "path" else {})

    def narrowed(**inputs: object) -> Report:
        connector = structs.replace(world.connector, source=Part("files", settings))
        return World.of(aws, world.folder, connector).sync(**inputs)

    run = narrowed()
    assert run.deleted == 0
    assert run.withheld > 0
    assert f"settings of the source have changed ({name})" in run.withheld_because
    assert f"the settings of the source have changed: {name}" in run.notes
    assert narrowed().withheld == run.withheld  # as long as nobody has approved
    assert narrowed(mode="rebuild").deleted == 0
    assert narrowed().withheld == run.withheld  # and nobody has by a rebuild
    back = World.of(aws, world.folder, world.connector).sync()
    assert (back.unchanged + back.modified, back.withheld, back.notes) == (4, 0, ())

    again = narrowed()
    assert narrowed(approve=again.run).deleted == run.withheld
    files(world, "08.txt")
    assert narrowed().notes == ()


def test_settings_that_only_present_documents_change_nothing_else(aws: Laptop, world: World) -> None:
    """Another address of the same files."""
    files(world, "a.txt", "b.txt")
    world.sync()
    settings = {**world.connector.source.settings, "uri": "https://wiki.example.com/"}
    remove(world, "b.txt")

    run = World.of(aws, world.folder, structs.replace(world.connector, source=Part("files", settings))).sync()

    assert (run.modified, run.deleted, run.notes) == (1, 1, ())


@SYNC_JOBS
def test_jobs_of_others_are_named(world: World) -> None:
    """A second connector, or another program, writes to the data source: once told, not again."""
    files(world, "a.txt")
    world.sync()
    index = world.deployment.wired.index
    stranger = index.start()
    index.stop()
    world.aws.clock.sleep(60)

    run = world.sync()

    assert (run.foreign_jobs, run.foreign_job_ids) == (1, (stranger,))
    assert any("somebody else writes to it" in note and "--full" in note for note in run.notes)
    assert world.sync().foreign_jobs == 0


def test_an_older_manifest_is_refused(world: World) -> None:
    """It would say "unchanged" of what the index holds otherwise."""
    files(world, "a.txt")
    world.sync()
    key = world.store.held(MANIFEST)
    s3 = boto3.client("s3")
    older = s3.get_object(Bucket=world.store.bucket, Key=key)["Body"].read()
    world.write("a.txt", "changed")
    world.sync()
    s3.put_object(Bucket=world.store.bucket, Key=key, Body=older)
    world.write("a.txt", "the text of a.txt")

    refused = world.sync()

    assert refused.status == "FAILED"
    assert "names an older manifest" in refused.error
    assert "docferry rebuild" in refused.error
    assert world.sync(mode="rebuild").modified == 1
    world.assert_converged("a.txt")
    assert world.sync().unchanged == 1


def test_a_manifest_that_is_gone_is_refused(world: World) -> None:
    """An index that holds documents is not taken for an empty one; a rebuild finds what it knew."""
    files(world, "a.txt", "b.txt")
    world.sync()
    world.store.delete(world.store.held(MANIFEST))
    remove(world, "b.txt")

    refused = world.sync()

    assert "manifest/current.json is gone" in refused.error
    assert world.sync(mode="rebuild").modified == 1
    assert world.sync().deleted == 1


def test_a_bucket_of_the_first_layout_is_taken_over(world: World) -> None:
    """It belongs to the data source that it was last used with, and is moved by the first commit."""
    files(world, "a.txt", "b.txt")
    world.knobs.reject["team/b.txt"] = "never"
    world.sync()
    world.knobs.reject.clear()
    lay_out_as_at_first(world.store, boto3.client("s3"))

    plan = world.sync(mode="plan")
    assert (plan.unchanged, plan.added, plan.foreign_jobs) == (1, 1, 0)
    assert world.store.exists(MANIFEST)
    files(world, "c.txt")
    run = world.sync()

    assert (run.unchanged, run.added, run.notes) == (1, 2, ())
    assert not [key for key in world.store.keys("manifest/") if key.endswith(".json")]
    assert not world.store.exists(SYNC_JOB)
    world.assert_converged("a.txt", "b.txt", "c.txt")


def test_a_bucket_of_the_first_layout_is_not_taken_for_another_index(aws: Laptop, world: World) -> None:
    """The old layout does not say what it belongs to; the jobs and documents of the data source do."""
    files(world, "a.txt")
    world.sync()
    lay_out_as_at_first(world.store, boto3.client("s3"))

    other = in_another_index(aws, world).sync()

    assert (other.added, other.notes) == (1, ("new index: 1 documents to put",))
    assert World.of(aws, world.folder, world.connector).sync().unchanged == 1


def test_a_deleted_data_source_is_named_and_made_anew(aws: Laptop, world: World) -> None:
    """The run fails before it lists anything; a new data source is filled from nothing."""
    files(world, "a.txt")
    world.sync()
    world.delete_data_source()

    refused = world.sync()

    assert "ResourceNotFound" in refused.error
    assert "was the index or its data source deleted?" in refused.error
    anew = World.of(aws, world.folder, world.connector)
    assert anew.sync().added == 1
    assert anew.indexed("a.txt") == {"a.txt"}


def test_a_damaged_ledger_is_named_and_harms_nothing(world: World) -> None:
    """The run is cleaned up all the same."""
    files(world, "a.txt")
    world.sync()
    boto3.client("s3").put_object(Bucket=world.store.bucket, Key="ledger.json", Body=b"{")

    refused = world.sync()

    assert "ledger.json is not what a run has written" in refused.error
    world.assert_at_rest()
    world.store.delete("ledger.json")
    assert world.sync().unchanged == 1


def test_the_ledger_has_every_run(world: World) -> None:
    """Those that were refused, too, newest first."""
    files(world, "a.txt")
    world.sync(trigger="schedule")
    world.sync(approve="nonsense")
    world.sync(mode="plan")

    entries = list(ledger.newest(world.store))

    assert [(entry.mode, entry.status, entry.trigger) for entry in entries] == [
        ("plan", "SUCCEEDED", "manual"),
        ("approve", "FAILED", "manual"),
        ("sync", "SUCCEEDED", "schedule"),
    ]
    assert [entry.added for entry in entries] == [0, 0, 1]
    assert entries[-1].execution_id is not None


def test_a_rebuild_does_not_expose_what_was_secret(restricted: World) -> None:
    """It puts everything again, but for what the manifest knows as secret."""
    world = restricted
    secret(world, "a.txt", "b.txt")
    world.sync()
    (world.folder / "a.txt.metadata.json").unlink()

    run = world.sync(mode="rebuild")

    assert (run.modified, world.kept_secret(run)) == (1, 1)
    assert world.manifest()["team/a.txt"].access_control


@SYNC_JOBS
def test_two_connectors_of_one_name_on_one_data_source(aws: Laptop, world: World, tmp_path: Path) -> None:
    """In two folders, each with a state bucket of its own: each is told of the other, and one command leads back."""
    files(world, "a.txt", "b.txt")
    world.sync()
    other_folder = tmp_path / "other"
    shutil.copytree(world.folder, other_folder)
    (other_folder / "a.txt").write_text("of the other")
    other = World.of(
        aws, other_folder, structs.replace(world.connector, source=Part("files", {"path": str(other_folder)}))
    )
    with patch("docferry_laptop.laptop.state_bucket", lambda connector: f"docferry-{connector}-elsewhere"):
        other = World.of(aws, other_folder, other.connector)
    theirs = other.sync()
    assert theirs.foreign_jobs == 1

    World.of(aws, world.folder, world.connector)
    told = world.sync()

    assert told.foreign_jobs == 1
    assert any("--full" in note for note in told.notes)
    world.sync(mode="full")
    assert [hit.document_id for hit in world.deployment.wired.index.search("text", 5)] == ["team/a.txt", "team/b.txt"]


def test_a_plan_is_applied_exactly_or_not_at_all(world: World) -> None:
    """The documents that it names, and no other."""
    files(world, "a.txt", "b.txt", "c.txt")
    world.sync()
    world.write("a.txt", "changed")
    remove(world, "b.txt")
    files(world, "d.txt")
    plan = world.sync(mode="plan")
    assert (plan.added, plan.modified, plan.deleted, plan.execution_id) == (1, 1, 1, None)

    run = world.sync(apply=plan.run)

    assert (run.added, run.modified, run.deleted) == (1, 1, 1)
    world.assert_converged("a.txt", "c.txt", "d.txt")
    again = world.sync(apply=plan.run)
    assert again.status == "FAILED"
    assert "the manifest moved" in again.error


def test_a_plan_whose_source_moved_sends_nothing(world: World) -> None:
    """The refusal names what moved."""
    files(world, "a.txt", "b.txt")
    world.sync()
    world.write("a.txt", "changed")
    plan = world.sync(mode="plan")
    world.write("b.txt", "changed, too")

    run = world.sync(apply=plan.run)

    assert (run.status, run.execution_id) == ("FAILED", None)
    assert "PlanMoved: the source moved" in run.error
    assert "team/b.txt" in run.error
    assert world.sync().modified == 2


def test_a_plan_for_another_index_sends_nothing(aws: Laptop, world: World) -> None:
    """What it says was never compared with this one."""
    files(world, "a.txt")
    plan = world.sync(mode="plan")

    run = in_another_index(aws, world).sync(apply=plan.run)

    assert "PlanMoved: the index moved" in run.error


def test_a_sync_is_no_plan(world: World) -> None:
    """It has been sent already."""
    files(world, "a.txt")
    run = world.sync()

    assert "is not a plan" in world.sync(apply=run.run).error


def test_a_document_that_changes_while_a_plan_is_applied_is_not_sent(world: World) -> None:
    """Between its listing and its put: the next sync sends it."""
    files(world, "a.txt")
    plan = world.sync(mode="plan")
    world.aws.emulation.faults.hooks[world.operation("start")] = lambda: world.write("a.txt", "another text")
    run = world.sync(apply=plan.run)
    world.aws.emulation.faults.hooks.clear()

    assert (run.added, run.failed) == (0, 1)
    assert "has changed since the plan was made" in world.failures(run)["team/a.txt"]
    assert world.sync().added == 1


def test_what_a_run_withheld_is_kept_with_it(world: World) -> None:
    """The list is what a person approves."""
    files(world, "a.txt")
    world.sync()
    remove(world, "a.txt")
    run = world.sync()

    assert world.store.exists(run_key(run.run, WITHHELD))
    assert list(report.withheld(world.store, run.run)) == ["team/a.txt"]


def failing_unseen(world: World, *names: str) -> None:
    """Let documents fail in a way that nobody sees as long as their run goes on."""
    context = world.aws.emulation.engine.context
    structs.force_setattr(context, "settings", structs.replace(context.settings, metrics_lag=3600.0, status_lag=3600.0))
    world.knobs.fail_documents = {f"team/{name}": "cannot be read" for name in names}


def seen_again(world: World) -> None:
    """Let statuses and metrics catch up."""
    context = world.aws.emulation.engine.context
    structs.force_setattr(context, "settings", structs.replace(context.settings, metrics_lag=0.0, status_lag=0.0))
    world.knobs.fail_documents = {}


@SYNC_JOBS
def test_what_failed_after_the_run_had_ended_is_taken_back(world: World) -> None:
    """Metrics may grow after SUCCEEDED: the next run looks at the last job once more, and sends again what failed."""
    files(world, "a.txt", "b.txt", "c.txt")
    world.sync()
    world.write("a.txt", "changed")
    files(world, "d.txt")
    remove(world, "c.txt")
    failing_unseen(world, "a.txt", "c.txt", "d.txt")
    unseen = world.sync()
    assert (unseen.modified, unseen.added, unseen.deleted, unseen.failed) == (1, 1, 1, 0)

    seen_again(world)
    run = world.sync()

    assert (run.modified, run.deleted, run.unchanged) == (2, 1, 1)
    assert run.notes == ("3 documents of the last run failed after it had ended; they are due again",)
    world.assert_converged("a.txt", "b.txt", "d.txt")
    again = world.sync()
    assert (again.unchanged, again.execution_id, again.notes) == (3, None, ())


@SYNC_JOBS
def test_a_document_that_always_fails_late_is_quarantined(world: World) -> None:
    """It would be sent, believed and taken back for ever."""
    files(world, "a.txt")
    hooks = world.aws.emulation.faults.hooks
    for _ in range(5):
        hooks[world.operation("start")] = lambda: failing_unseen(world, "a.txt")
        assert world.sync().failed == 0
        seen_again(world)
    hooks.clear()

    run = world.sync()

    assert (run.quarantined, run.execution_id) == (1, None)
