"""Groups, by outcome: who may see a document and who may not, whatever happens to the list of groups on the way.

Of services that are told of groups. A knowledge base is not: its documents name their members, see test_bedrock.py.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from msgspec import structs

from docferry.connector import DeleteGuard, Groups
from docferry.groups import known
from docferry.workflow import sync_groups
from docferry_emulators import Knobs
from docferry_laptop.laptop import Laptop
from tests.workflow.team import PEOPLE, Team
from tests.workflow.world import World


@pytest.fixture(params=["kendra", "qbusiness"])
def kind(request: pytest.FixtureRequest) -> str:
    """The services that know groups."""
    return str(request.param)


class Readers(Team):
    """A connector that withholds more than two deletes."""

    def __init__(self, world: World, file: Path) -> None:
        super().__init__(world, file, deletes=DeleteGuard(documents=2, percent=10))

    def readers(self, name: str) -> set[str]:
        """Who of PEOPLE may see a document, in the word of the service."""
        settings = self.world.deployment.wired.settings.connector.index.settings
        id_ = f"team/{name}"
        if self.world.connector.index.kind == "kendra":
            kendra = boto3.client("kendra")
            return {
                person
                for person in PEOPLE
                for reply in [
                    kendra.query(IndexId=settings["index_id"], QueryText="ferry", UserContext={"UserId": person})
                ]
                if id_ in {item["DocumentId"] for item in reply["ResultItems"]}
            }
        ids = {"applicationId": settings["application_id"], "indexId": settings["index_id"]}
        check = boto3.client("qbusiness").check_document_access
        return {person for person in PEOPLE if check(**ids, userId=person, documentId=id_)["hasAccess"]}

    def known(self) -> dict[str, tuple[str, ...]]:
        """The groups that the state bucket says the index has, with their members; an @ before groups."""
        store = self.world.store
        record = known.read(store)
        found = known.groups(store, record.value if record else None)
        return {one.id: (*one.users, *(f"@{name}" for name in one.groups)) for one in found if not one.doubtful}

    def calls(self) -> Mapping[str, int]:
        """How often each operation was called."""
        return self.world.aws.emulation.faults.calls

    def changes(self) -> int:
        """How many calls have changed a group so far."""
        names = ("PutPrincipalMapping", "DeletePrincipalMapping", "PutGroup", "DeleteGroup")
        return sum(self.calls()[name] for name in names)

    @property
    def knobs(self) -> Knobs:
        """What goes wrong."""
        return self.world.knobs


@pytest.fixture
def team(world: World, tmp_path: Path) -> Readers:
    """A connector with an empty folder and an empty list of groups."""
    team = Readers(world, tmp_path / "groups.csv")
    team.groups()
    return team


def test_a_member_sees_what_the_group_may_see_directly_and_through_other_groups(team: Readers) -> None:
    """And who is in no group does not."""
    team.groups(deck="ann", crew="@deck", company="@crew bob")
    team.secret("deck.txt", "deck")
    team.secret("crew.txt", "crew")
    team.secret("company.txt", "company")

    report = team.sync()

    assert report.groups is not None
    assert (report.groups.put, report.groups.deleted, report.notes) == (3, 0, ())
    assert team.readers("deck.txt") == {"ann"}
    assert team.readers("crew.txt") == {"ann"}
    assert team.readers("company.txt") == {"ann", "bob"}


def test_who_leaves_a_group_sees_no_more_and_who_joins_sees(team: Readers) -> None:
    """Though no document has changed, so that there is no sync job."""
    team.groups(deck="ann bob", crew="@deck")
    team.secret("a.txt", "crew")
    team.sync()
    assert team.readers("a.txt") == {"ann", "bob"}

    team.groups(deck="bob eve", crew="@deck")
    report = team.sync()

    assert report.execution_id is None
    assert report.groups is not None
    assert report.groups.put == 1
    assert team.readers("a.txt") == {"bob", "eve"}


def test_a_change_of_access_control_alone_counts(team: Readers) -> None:
    """The content is as it was, and so are the groups."""
    team.groups(deck="ann", bridge="bob")
    team.secret("a.txt", "deck")
    team.sync()
    before = team.changes()

    team.secret("a.txt", "bridge")
    team.sync()

    assert team.readers("a.txt") == {"bob"}
    assert team.changes() == before


def test_a_member_who_is_denied_stays_out(team: Readers) -> None:
    """A denial counts more than a group."""
    team.groups(crew="ann bob")
    team.secret("a.txt", "crew", bob="DENY")

    team.sync()

    assert team.readers("a.txt") == {"ann"}


def test_only_what_has_changed_is_sent(team: Readers) -> None:
    """An unchanged list costs no call at all; one group that has changed costs one."""
    team.groups(deck="ann", crew="@deck", bridge="bob")
    team.sync()
    before = team.changes()

    team.sync()
    assert team.changes() == before

    team.groups(deck="ann", crew="@deck", bridge="bob eve")
    team.sync()
    assert team.changes() == before + 1


def test_a_connector_without_groups_does_not_enter_the_state(world: World) -> None:
    """It pays for a choice."""
    world.write("a.txt")
    report = world.sync()

    entered = {event.get("stateEnteredEventDetails", {}).get("name") for event in world.history(report)}
    assert "AnyGroups" in entered
    assert "SyncGroups" not in entered
    assert report.groups is None


@pytest.mark.parametrize("inputs", [{"dry_run": True}, {"mode": "plan"}])
def test_a_dry_run_sends_no_group(team: Readers, inputs: dict[str, object]) -> None:
    """It says what it would send of documents, and leaves groups alone."""
    team.groups(deck="ann")

    team.sync(**inputs)

    assert team.changes() == 0
    assert team.known() == {}


def test_a_group_that_is_gone_from_the_list_is_deleted(team: Readers) -> None:
    """As long as those are few."""
    team.groups(deck="ann", bridge="bob")
    team.secret("a.txt", "deck")
    team.sync()

    team.groups(bridge="bob")
    report = team.sync()

    assert report.groups is not None
    assert (report.groups.put, report.groups.deleted, report.groups.withheld) == (0, 1, 0)
    assert report.groups.undefined == ("deck",)
    assert team.readers("a.txt") == set()
    assert set(team.known()) == {"bridge"}


@pytest.mark.parametrize("empty", ["", "group,member,kind\n"], ids=["no byte", "header"])
def test_an_empty_list_deletes_nothing_until_that_is_approved(team: Readers, empty: str) -> None:
    """A file that was cut off is no order to delete every group."""
    team.groups(deck="ann")
    team.secret("a.txt", "deck")
    team.sync()

    team.file.write_text(empty)
    report = team.sync()

    assert report.groups is not None
    assert (report.groups.deleted, report.groups.withheld, report.held_back) == (0, 1, 1)
    assert any(
        "the list of groups is empty" in note and f"docferry approve {report.run}" in note for note in report.notes
    )
    assert team.readers("a.txt") == {"ann"}

    report = team.sync(approve=report.run)

    assert report.groups is not None
    assert (report.groups.deleted, report.groups.withheld) == (1, 0)
    assert team.readers("a.txt") == set()


def test_many_groups_that_are_gone_are_withheld_and_an_approval_names_them(team: Readers) -> None:
    """What was not shown is not approved."""
    names = [f"group-{number}" for number in range(8)]
    team.groups(**dict.fromkeys(names, "ann"))
    team.sync()

    team.groups(**dict.fromkeys(names[:4], "ann"), new="bob")
    withheld = team.sync()
    assert withheld.groups is not None
    assert (withheld.groups.put, withheld.groups.deleted, withheld.groups.withheld) == (1, 0, 4)
    assert "4 of 9 groups are gone from the list, more than 2 and more than 10 %" in withheld.groups.withheld_because

    team.groups(new="bob")
    report = team.sync(approve=withheld.run)

    assert report.groups is not None
    assert (report.groups.deleted, report.groups.withheld) == (4, 4)
    assert set(team.known()) == {*names[:4], "new"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("deck,bob", "line 3: has 2 cells, not 3"),
        ("deck,bob,user,x", "line 3: has 4 cells, not 3"),
        ("deck,,user", "line 3: member is ''"),
        ("deck,bob,person", "line 3: kind is 'person'; allowed: user, group"),
    ],
)
def test_one_line_that_is_not_understood_changes_nothing(team: Readers, line: str, said: str) -> None:
    """It is named, with its number; documents go on."""
    team.groups(deck="ann", bridge="bob")
    team.secret("a.txt", "deck")
    team.sync()
    before = team.changes()

    team.file.write_text(f"group,member,kind\ndeck,eve,user\n{line}\n")
    team.secret("b.txt", "bridge")
    report = team.sync()

    assert (report.status, report.added) == ("SUCCEEDED", 1)
    assert any(said in note and "no group was changed" in note for note in report.notes), report.notes
    assert team.changes() == before
    assert team.readers("a.txt") == {"ann"}


def test_a_missing_list_changes_nothing(team: Readers) -> None:
    """A share that is not mounted is no order to delete every group."""
    team.groups(deck="ann")
    team.sync()

    team.file.unlink()
    report = team.sync()

    assert any("cannot be read (No such file or directory)" in note for note in report.notes)
    assert set(team.known()) == {"deck"}


def test_groups_that_contain_themselves_are_refused_and_the_rest_goes_on(team: Readers) -> None:
    """The cycle is named; what only contains such a group is sent."""
    team.groups(a="@b ann", b="@c", c="@a", d="@a bob", own="@own")
    team.secret("a.txt", "a")
    team.secret("d.txt", "d")

    report = team.sync()

    assert report.groups is not None
    assert report.groups.cycles == (("a", "b", "c", "a"), ("own", "own"))
    assert (report.groups.refused, report.groups.put) == (4, 1)
    assert any("a contains itself: a → b → c → a" in note for note in report.notes)
    assert set(team.known()) == {"d"}
    assert team.readers("d.txt") == {"bob"}

    team.groups(a="@b ann", b="@c", c="eve", d="@a bob", own="bob")
    team.sync()
    assert team.readers("a.txt") == {"ann", "eve"}
    assert team.readers("d.txt") == {"ann", "bob", "eve"}


def test_groups_that_documents_name_and_the_list_does_not_are_reported(team: Readers) -> None:
    """Also when no document has changed."""
    team.groups(deck="ann")
    team.secret("a.txt", "deck", "bridge")
    team.secret("b.txt", "engine", "deck")
    team.sync()

    report = team.sync()

    assert report.groups is not None
    assert report.groups.undefined == ("bridge", "engine")
    assert any("documents name bridge, engine" in note for note in report.notes)


def test_a_group_that_the_index_refuses_is_tried_again_by_the_next_run(team: Readers) -> None:
    """The other groups and the documents go on."""
    team.groups(deck="ann", bridge="bob")
    team.secret("a.txt", "deck")
    team.knobs.reject_groups = {"deck": "not today"}

    report = team.sync()

    assert report.groups is not None
    assert (report.status, report.groups.put, report.groups.failed) == ("SUCCEEDED", 1, 1)
    assert "not today" in report.groups.failures["deck"]
    assert team.readers("a.txt") == set()

    team.knobs.reject_groups = {}
    report = team.sync()

    assert report.groups is not None
    assert (report.groups.put, report.groups.failed) == (1, 0)
    assert team.readers("a.txt") == {"ann"}


def test_a_group_that_fails_after_it_was_accepted_is_tried_again(team: Readers) -> None:
    """An answer without an error is no proof yet."""
    team.groups(deck="ann")
    team.secret("a.txt", "deck")
    team.knobs.fail_groups = {"deck": "cannot be processed"}

    report = team.sync()

    assert report.groups is not None
    assert (report.groups.put, report.groups.failed) == (0, 1)

    team.knobs.fail_groups = {}
    team.sync()
    assert team.readers("a.txt") == {"ann"}


def test_no_document_is_sent_while_somebody_who_has_left_a_group_is_still_in_it(team: Readers) -> None:
    """The run ends, and says which group; the next run sends both."""
    team.groups(deck="ann bob")
    team.secret("a.txt", "deck")
    team.sync()

    team.groups(deck="ann")
    team.secret("new.txt", "deck")
    team.knobs.reject_groups = {"deck": "not today"}
    report = team.sync()

    assert report.status == "FAILED"
    assert "somebody has left: deck" in report.error
    assert team.world.indexed("new.txt") == set()
    team.world.assert_at_rest()

    team.knobs.reject_groups = {}
    team.sync()
    assert team.readers("new.txt") == {"ann"}
    assert team.readers("a.txt") == {"ann"}


def test_a_group_of_more_members_than_a_request_takes_goes_by_s3(team: Readers) -> None:
    """The index reads the list of its members itself."""
    team.groups(everybody=" ".join(["bob", *(f"person-{number}" for number in range(1_000))]))
    team.secret("a.txt", "everybody")

    report = team.sync()

    assert report.groups is not None
    assert (report.groups.put, report.groups.failed) == (1, 0)
    assert team.readers("a.txt") == {"bob"}


def test_throttling_is_waited_out(team: Readers) -> None:
    """Every second call is refused."""
    team.groups(deck="ann", crew="@deck", bridge="bob")
    team.secret("a.txt", "crew")
    team.knobs.throttle_every = {"PutPrincipalMapping": 2, "PutGroup": 2, "GetGroup": 2, "DescribePrincipalMapping": 2}

    report = team.sync()

    assert report.groups is not None
    assert (report.status, report.groups.put) == ("SUCCEEDED", 3)
    assert team.readers("a.txt") == {"ann"}


def test_many_groups_are_sent_in_lots(team: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lot is noted before the next is begun."""
    monkeypatch.setattr(sync_groups, "LOT", 300)
    team.groups(**{f"group-{number}": "ann" for number in range(7)})

    report = team.sync()

    assert report.groups is not None
    assert report.groups.put == 7
    assert len(team.known()) == 7


@pytest.mark.parametrize("mode", ["full", "rebuild"])
def test_a_run_that_sends_everything_sends_every_group_once(team: Readers, mode: str) -> None:
    """Who has changed groups by hand gets them back."""
    team.groups(deck="ann", bridge="bob")
    team.sync()
    before = team.changes()

    report = team.sync(mode=mode)

    assert report.groups is not None
    assert report.groups.put == 2
    assert team.changes() == before + 2
    assert set(team.known()) == {"deck", "bridge"}


def test_what_is_known_of_groups_and_corrupt_is_refused_and_rebuilt(team: Readers) -> None:
    """As a manifest is."""
    team.groups(deck="ann")
    team.secret("a.txt", "deck")
    team.sync()
    store = team.world.store
    record = known.read(store)
    assert record is not None
    store.put_content(record.value.key, b"damaged")
    team.groups(deck="bob")

    report = team.sync()
    assert report.status == "FAILED"
    assert "docferry rebuild" in report.error

    report = team.sync(mode="rebuild")
    assert report.status == "SUCCEEDED"
    assert team.readers("a.txt") == {"bob"}


def test_ordering_ids_grow_from_run_to_run(team: Readers) -> None:
    """Also when the clock goes backwards: a late call of an old run is not the last word."""
    orderings: list[Any] = []
    for member in ("ann", "bob", "eve"):
        team.groups(deck=member)
        team.sync()
        record = known.read(team.world.store)
        assert record is not None
        orderings.append(record.value.ordering)
        store = team.world.store
        pointer = structs.replace(record.value, ordering=record.value.ordering + 10**9)  # as of a clock far ahead
        store.write(store.held("groups/current.json"), pointer)

    assert orderings[1] > orderings[0] + 10**9
    assert orderings[2] > orderings[1] + 10**9


def test_groups_come_from_s3_too(world: World, aws: Laptop) -> None:
    """JSON Lines, by the address of the object."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="directory")
    lines = [{"group": "deck", "member": "ann", "kind": "user"}, {"group": "crew", "member": "deck", "kind": "group"}]
    s3.put_object(Bucket="directory", Key="groups.jsonl", Body="\n".join(map(json.dumps, lines)).encode())
    groups = Groups(file="s3://directory/groups.jsonl")
    there = World.of(aws, world.folder, structs.replace(world.connector, groups=groups))

    report = there.sync()
    assert report.groups is not None
    assert report.groups.put == 2

    s3.delete_object(Bucket="directory", Key="groups.jsonl")
    report = there.sync()
    assert any("cannot be read (NoSuchKey)" in note for note in report.notes)
