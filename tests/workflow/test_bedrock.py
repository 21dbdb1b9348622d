"""What is particular to a knowledge base of Bedrock, by outcome: access control, and input that it does not take."""

import json
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from msgspec import structs

from docferry.connector import Groups, Part
from docferry.indexes import Reader
from docferry.state.keys import MEMBERS
from tests.workflow.team import PEOPLE, Team
from tests.workflow.world import World


@pytest.fixture
def kind() -> str:
    """Bedrock alone."""
    return "bedrock"


@pytest.fixture
def team(world: World, tmp_path: Path) -> "Readers":
    """A connector whose data source has access control, and whose groups are in a file."""
    return Readers(world, tmp_path / "groups.csv", index=Part("bedrock", {"acl": True}))


class Readers(Team):
    """A world with access control."""

    def readers(self, name: str) -> set[str]:
        """Who of PEOPLE finds a document."""
        index = self.world.deployment.wired.index
        return {
            person
            for person in PEOPLE
            if f"team/{name}" in {hit.document_id for hit in index.search("ferry", 100, Reader(person))}
        }


def test_members_of_groups_see_its_documents(team: Readers) -> None:
    """Through other groups, too, and groups that contain each other; a DENY stays one."""
    team.groups(crew="ann @deck", deck="bob @crew")
    team.secret("crew.txt", "crew")
    team.secret("not-bob.txt", "deck", bob="DENY")
    team.secret("eve.txt", eve="ALLOW")

    run = team.sync()

    assert (run.status, run.added) == ("SUCCEEDED", 3)
    assert team.readers("crew.txt") == {"ann", "bob"}
    assert team.readers("not-bob.txt") == {"ann"}
    assert team.readers("eve.txt") == {"eve"}


def test_a_change_of_membership_is_a_change_of_the_documents_of_that_group(team: Readers) -> None:
    """Of no others, and of none when the list is only written in another order."""
    team.groups(crew="ann bob", deck="eve")
    team.secret("crew.txt", "crew")
    team.secret("deck.txt", "deck")
    team.sync()
    team.groups(deck="eve", crew="bob ann")
    assert team.sync().unchanged == 2

    team.groups(crew="ann", deck="eve")
    run = team.sync()

    assert (run.modified, run.unchanged) == (1, 1)
    assert team.readers("crew.txt") == {"ann"}
    assert team.sync().unchanged == 2


def test_a_document_whose_group_cannot_be_expanded_is_not_sent(team: Readers) -> None:
    """Nor one that nobody would see; each with its reason, and nothing else is harmed."""
    team.groups(crew="ann @ghosts", deck="bob")
    team.secret("crew.txt", "crew")
    team.secret("nobody.txt", "nobody")
    team.secret("deck.txt", "deck")
    team.world.write("public.txt", "ferry")

    run = team.sync()

    skipped = team.world.skipped(run)
    assert (run.status, run.added, run.skipped) == ("SUCCEEDED", 1, 3)
    assert "the group 'ghosts'" in skipped["team/crew.txt"]
    assert "the group 'nobody'" in skipped["team/nobody.txt"]
    assert "nobody would see it" in skipped["team/public.txt"]
    assert team.readers("deck.txt") == {"bob"}


def test_a_list_of_groups_that_is_broken_changes_nobodys_access(team: Readers) -> None:
    """The documents of groups stay as they are indexed, and the report says why; others go on."""
    team.groups(crew="ann")
    team.secret("crew.txt", "crew")
    team.sync()
    team.file.write_text("group,member,kind\ncrew,bob\n")
    team.secret("eve.txt", eve="ALLOW")

    run = team.sync()

    assert (run.status, run.added, run.skipped, run.deleted) == ("SUCCEEDED", 1, 1, 0)
    assert "line 2" in team.world.skipped(run)["team/crew.txt"]
    assert any("line 2" in note for note in run.notes)
    assert team.readers("crew.txt") == {"ann"}


def test_access_control_that_changes_alone_counts(team: Readers) -> None:
    """The content is as it was, and so are the groups."""
    team.groups(deck="ann", bridge="bob")
    team.secret("a.txt", "deck")
    team.sync()

    team.secret("a.txt", "bridge")

    assert team.sync().modified == 1
    assert team.readers("a.txt") == {"bob"}


def test_a_document_that_cannot_be_sent_is_not_left_to_those_who_must_not_see_it(team: Readers) -> None:
    """Its title is too long now, and bob may not see it any more. One that only has a long title stays as it is."""
    for name in ("fewer.txt", "same.txt"):
        team.secret(name, ann="ALLOW", bob="ALLOW")
    team.sync()
    team.secret("fewer.txt", ann="ALLOW")
    for name in ("fewer.txt", "same.txt"):
        file = team.world.folder / f"{name}.metadata.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "Title": "x" * 3_000}))

    run = team.sync()

    assert (run.skipped, run.deleted, run.withheld) == (2, 1, 0)
    assert (team.readers("fewer.txt"), team.readers("same.txt")) == (set(), {"ann", "bob"})


def hand_in(team: Readers, name: str, **fields: object) -> None:
    """Drop a change set with one document into the inbox."""
    line = {"DocumentId": name, "Content": f"ferry, said {name}", **fields}
    team.world.store.put_content(f"inbox/{uuid4()}.jsonl", json.dumps(line).encode())


def test_who_leaves_a_group_loses_what_was_handed_in(team: Readers) -> None:
    """Documents of the inbox are checked anew in every run, as those of the source are."""
    team.groups(crew="ann bob")
    hand_in(team, "inbox.txt", AccessControlList=[{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}])
    assert (team.sync().added, team.readers("inbox.txt")) == (1, {"ann", "bob"})
    assert team.sync().unchanged == 1

    team.groups(crew="ann")

    assert (team.sync().modified, team.readers("inbox.txt")) == (1, {"ann"})


def test_what_was_handed_in_is_sent_again_long_after(team: Readers) -> None:
    """The users of its groups expire with the runs that have met them; each run writes them anew."""
    team.groups(crew="ann")
    hand_in(team, "inbox.txt", AccessControlList=[{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}])
    team.sync()
    team.world.store.delete_prefix(MEMBERS)

    run = team.sync(mode="full")

    assert (run.status, run.failed, team.readers("inbox.txt")) == ("SUCCEEDED", 0, {"ann"})
    assert [one.key for one in team.world.store.objects(MEMBERS)], "a worker that starts later reads them"


def test_what_names_an_unknown_group_waits_for_it_in_the_inbox(team: Readers) -> None:
    """It need not be handed in again."""
    team.groups(deck="bob")
    hand_in(team, "inbox.txt", AccessControlList=[{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}])
    run = team.sync()
    assert (run.added, run.skipped) == (0, 1)
    assert "the group 'crew'" in team.world.skipped(run)["team/inbox.txt"]

    team.groups(crew="ann", deck="bob")

    assert (team.sync().added, team.readers("inbox.txt")) == (1, {"ann"})


@pytest.mark.parametrize("listed", ["", "group,member,kind\n", "group,member,kind\nbridge,bob,user\n", None])
def test_a_list_that_lacks_a_group_changes_nobodys_access(team: Readers, listed: str | None) -> None:
    """Empty, cut off or gone: that must not look like people who have left. Each run names the documents."""
    team.groups(crew="ann")
    team.secret("crew.txt", "crew")
    team.sync()
    team.file.unlink()
    if listed is not None:
        team.file.write_text(listed)

    run = team.sync()

    assert (run.status, run.skipped, run.deleted, run.execution_id) == ("SUCCEEDED", 1, 0, None)
    assert "names the group 'crew'" in team.world.skipped(run)["team/crew.txt"]
    assert team.readers("crew.txt") == {"ann"}
    team.groups(crew="bob")
    assert team.sync().modified == 1
    assert team.readers("crew.txt") == {"bob"}


def test_a_document_leaves_the_index_when_those_who_may_see_it_now_are_not_known(team: Readers) -> None:
    """Its access control names another group than before, and nobody knows its members: the old ones must not stay.

    One that names a group beside those it had stays as it is.
    """
    team.groups(crew="ann")
    team.secret("moved.txt", "crew")
    team.secret("wider.txt", "crew")
    team.sync()
    team.secret("moved.txt", "ghosts")
    team.secret("wider.txt", "crew", "ghosts")

    run = team.sync()

    assert (run.status, run.deleted, run.skipped) == ("SUCCEEDED", 1, 2)
    assert "the group 'ghosts'" in team.world.skipped(run)["team/moved.txt"]
    assert (team.readers("moved.txt"), team.readers("wider.txt")) == (set(), {"ann"})
    team.groups(crew="ann", ghosts="bob")
    assert (team.sync().added, team.readers("moved.txt")) == (1, {"bob"})


def test_groups_come_from_s3_too(team: Readers) -> None:
    """JSON Lines, by the address of the object."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="directory", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    lines = [{"group": "deck", "member": "ann", "kind": "user"}, {"group": "crew", "member": "deck", "kind": "group"}]
    s3.put_object(Bucket="directory", Key="groups.jsonl", Body="\n".join(map(json.dumps, lines)).encode())
    groups = Groups(file="s3://directory/groups.jsonl")
    team.world = World.of(team.world.aws, team.world.folder, structs.replace(team.world.connector, groups=groups))
    team.secret("crew.txt", "crew")

    assert team.sync().added == 1

    assert team.readers("crew.txt") == {"ann"}


def test_members_that_are_lost_from_the_bucket_are_not_guessed(team: Readers) -> None:
    """What a put cannot resolve is not sent; the next run writes it anew."""
    team.groups(crew="ann")
    team.secret("crew.txt", "crew")
    store, operation = team.world.store, team.world.operation("start")

    def lose() -> None:
        store.delete_prefix(MEMBERS)

    team.world.aws.emulation.faults.hooks[operation] = lose
    run = team.sync()
    team.world.aws.emulation.faults.hooks.clear()

    assert run.failed == 1
    assert "not known any more" in team.world.failures(run)["team/crew.txt"]
    assert team.sync().added == 1
    assert team.readers("crew.txt") == {"ann"}


def test_documents_with_access_control_are_left_out_where_there_is_none(world: World) -> None:
    """Everybody would see them."""
    world.write("public.txt")
    world.write("secret.txt")
    entries = [{"Name": "ann", "Type": "USER", "Access": "ALLOW"}]
    world.write("secret.txt.metadata.json", json.dumps({"AccessControlList": entries}))

    run = world.sync()

    assert (run.added, run.skipped) == (1, 1)
    assert "everybody would see it" in world.skipped(run)["team/secret.txt"]


def test_documents_that_get_access_control_are_deleted_where_there_is_none(world: World) -> None:
    """All of them, at once: everybody would go on seeing what only some may see now. The report says why."""
    names = [f"{number:02}.txt" for number in range(12)]
    for name in (*names, "gone.txt"):
        world.write(name)
    world.sync()
    for name in names:
        entries = [{"Name": "ann", "Type": "USER", "Access": "ALLOW"}]
        world.write(f"{name}.metadata.json", json.dumps({"AccessControlList": entries}))
    (world.folder / "gone.txt").unlink()

    run = world.sync()

    assert (run.status, run.deleted, run.skipped, run.withheld) == ("SUCCEEDED", 12, 12, 1)
    assert "everybody would see it" in world.skipped(run)["team/00.txt"]
    assert world.indexed(*names, "gone.txt") == {"gone.txt"}
    for name in names:
        (world.folder / f"{name}.metadata.json").unlink()
    assert (world.sync().added, world.indexed(*names)) == (12, set(names))


def test_eleven_documents_and_one_of_5_3_mb_arrive(world: World) -> None:
    """In requests of ten, and by S3."""
    for number in range(11):
        world.write(f"{number}.txt")
    world.write("large.txt", "ferry" + " " * 5_300_000)

    run = world.sync()

    assert (run.status, run.added, run.failed) == ("SUCCEEDED", 12, 0)
    world.assert_converged("large.txt", *(f"{number}.txt" for number in range(11)))


def test_a_type_that_is_not_taken_is_skipped(world: World) -> None:
    """With its name."""
    world.write("a.rtf", r"{\rtf1 ferry}")
    world.write("b.txt")

    run = world.sync()

    assert (run.added, run.skipped) == (1, 1)
    assert "RTF" in world.skipped(run)["team/a.rtf"]


def test_a_document_that_is_indexed_in_part_is_sent_again(world: World) -> None:
    """It is reported, stays doubtful, and is deleted when it is gone from the source: a part of it is found."""
    world.write("a.txt")
    world.write("b.txt")
    world.knobs.end_documents = {"team/a.txt": "PARTIALLY_INDEXED", "team/b.txt": "METADATA_UPDATE_FAILED"}

    run = world.sync()
    world.knobs.end_documents = {}
    (world.folder / "b.txt").unlink()
    world.aws.clock.sleep(60)

    assert run.failed == 2
    assert "PARTIALLY_INDEXED" in world.failures(run)["team/a.txt"]
    assert {document.version for document in world.manifest().values()} == {""}
    again = world.sync()
    assert (again.failed, again.deleted) == (0, 1)
    world.assert_converged("a.txt")


@pytest.mark.parametrize("small_run", [1_000, 2])
def test_what_a_status_does_not_say_in_time_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, small_run: int
) -> None:
    """However many documents a run has: nobody counts later what failed, as a sync job of the service would."""
    for module in ("settle", "verify", "statuses"):
        monkeypatch.setattr(f"docferry.settlement.{module}.SMALL_RUN", small_run)
    names = ["a.txt", "b.txt", "c.txt"]
    for name in names:
        world.write(name, "ferry")
    world.knobs.fail_documents = {"team/b.txt": "cannot be read"}
    lag(world, 36_000.0)
    unseen = world.sync()
    lag(world, 0.0)
    world.knobs.fail_documents = {}
    run = world.sync()

    assert (unseen.added, unseen.failed) == (0, 3)
    assert (run.added + run.modified, run.failed) == (3, 0)
    world.assert_converged(*names)
    assert world.sync().unchanged == len(names)


def lag(world: World, seconds: float) -> None:
    """Let the statuses of documents come so much later."""
    context = world.aws.emulation.engine.context
    structs.force_setattr(context, "settings", structs.replace(context.settings, status_lag=seconds))


def test_a_knowledge_base_that_is_deleted_meanwhile_fails_the_run(world: World) -> None:
    """With the cure, and without a lease that is left."""
    world.write("a.txt")
    ids = world.deployment.wired.settings.connector.index.settings

    def delete() -> None:
        world.aws.emulation.faults.hooks.clear()
        boto3.client("bedrock-agent").delete_knowledge_base(knowledgeBaseId=ids["knowledge_base_id"])

    world.aws.emulation.faults.hooks[world.operation("put")] = delete

    run = world.sync()

    assert run.status == "FAILED"
    assert "give the connector its ids" in run.error
