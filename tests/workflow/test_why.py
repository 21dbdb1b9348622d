"""What `docferry why` says of a document is what the next run does with it, and what the last one did."""

import json
from typing import Any

import pytest
from msgspec import structs

from docferry.changes import quarantine
from docferry.changes.quarantine import RUNS
from docferry.connector import Groups, Part
from docferry.errors import SourceUnavailable
from docferry.indexes import Reader
from docferry.sources import Record
from docferry.state.keys import FAILURES, MANIFEST, MEMBERS
from docferry_cli.next_steps import NextSteps
from docferry_cli.options import CONFIG, STATE
from docferry_cli.targets import Opened, Where
from docferry_cli.why.answer import Why
from docferry_cli.why.evidence import Question
from docferry_cli.why.inquiry import Found, inquire
from docferry_laptop.laptop import Laptop
from docferry_laptop.storage import state_bucket
from tests.workflow.services import PUBLIC
from tests.workflow.sources import shelf
from tests.workflow.sources.world import synced
from tests.workflow.world import World

# Where both services are the same to the command, one is asked: a world takes a second to make.
KENDRA = pytest.mark.parametrize("kind", ["kendra"])
QBUSINESS = pytest.mark.parametrize("kind", ["qbusiness"])
BOARD = {"Name": "board", "Type": "GROUP", "Access": "ALLOW"}


def asked(world: World, text: str, **question: Any) -> Found:
    """What the world's connector answers."""
    connector = world.connector
    part = world.deployment.wired.settings.connector.index
    opened = Opened("here", connector, part, state_bucket(connector.name))
    return inquire(opened, Question(text=text, **question), NextSteps(Where("here", STATE, CONFIG), connector))


def why(world: World, text: str, **question: Any) -> Why:
    """What is said of the one document that is meant."""
    found = asked(world, text, **question)
    assert found.document is not None, found
    return found.document


def describe(world: World, name: str, **sidecar: Any) -> None:
    """Write the sidecar of a file."""
    world.write(f"{name}.metadata.json", json.dumps(sidecar))


def write(world: World, name: str, text: str = "some text") -> None:
    """Write a file that the board may see."""
    world.write(name, text)
    describe(world, name, AccessControlList=[BOARD])


def quarantine_all(world: World) -> None:
    """Let what has failed once have failed often enough."""
    failing = [structs.replace(one, runs=RUNS) for one in quarantine.read(world.store)]
    with world.store.rewriting(world.store.held(FAILURES)) as stream:
        for one in failing:
            stream.add(one)


def test_what_the_next_sync_does_is_what_it_then_does(restricted: World) -> None:
    """Whatever has become of a document since the last run; said before the run, and looked up in it afterwards."""
    world = restricted
    for name in ("same.txt", "changed.txt", "gone.txt", "broken.txt", "moved.txt"):
        write(world, name, f"the text of {name}")
    for name in ("secret.txt", "lost.txt"):
        write(world, name, f"the secret of {name}")
    describe(world, "lost.txt", AccessControlList=[BOARD], DocumentId="own")
    write(world, "bad.txt")
    world.knobs.reject["team/bad.txt"] = "bad"
    world.sync()
    quarantine_all(world)
    world.write("changed.txt", "another text")
    write(world, "new.txt")
    world.write("program.exe")
    (world.folder / "gone.txt").unlink()
    world.write("broken.txt.metadata.json", "[]")
    describe(world, "moved.txt", AccessControlList=[BOARD], DocumentId="elsewhere")
    for name in ("secret.txt", "lost.txt"):
        (world.folder / f"{name}.metadata.json").unlink()
    ids = {
        *("same.txt", "changed.txt", "gone.txt", "broken.txt", "moved.txt", "elsewhere", "secret.txt", "own"),
        *("bad.txt", "new.txt", "program.exe"),
    }

    # Without access control everybody would see it, or nobody.
    public = world.deployment.wired.index.unprotected == "everybody"
    lost, became_of_lost = ("hold back", "exposed") if public else ("keep", "skipped")

    said = {id_: why(world, f"team/{id_}").next.due for id_ in ids}
    before = set(world.manifest())
    run = world.sync()
    became = {id_: why(world, f"team/{id_}") for id_ in ids - {"moved.txt"}}

    assert said == {
        "same.txt": "nothing",
        "changed.txt": "modify",
        "gone.txt": "delete",
        "broken.txt": "keep",
        "moved.txt": "delete",
        "elsewhere": "add",
        "secret.txt": lost,
        "own": "keep",
        "bad.txt": "quarantine",
        "new.txt": "add",
        "program.exe": "skip",
    }
    fates = {id_: one.fates[0].became for id_, one in became.items() if one.fates and one.fates[0].run == run.run}
    assert fates == {
        "changed.txt": "modified",
        "gone.txt": "deleted",
        "broken.txt": "skipped",
        "elsewhere": "added",
        "secret.txt": became_of_lost,
        "bad.txt": "quarantined",
        "new.txt": "added",
        "program.exe": "skipped",
    }
    held = {f"team/{id_}" for id_, one in became.items() if one.manifest.held}
    assert held == set(world.manifest())
    assert before - held == {"team/gone.txt", "team/moved.txt"}
    assert why(world, "moved.txt").id == "team/elsewhere"
    assert all((one.index.status == "INDEXED") == bool(one.manifest.held) for one in became.values())
    sentences = {id_: one.advice for id_, one in became.items()}
    cure = f"docferry approve {run.run} --connector team" if public else "has no access control"
    assert cure in sentences["secret.txt"]
    assert "docferry retry team/bad.txt --connector team" in sentences["bad.txt"]
    assert "sidecar broken.txt.metadata.json" in sentences["broken.txt"]
    assert ".exe is not a type" in sentences["program.exe"]
    assert sentences["same.txt"] == "Nothing: the index holds it as the source has it."
    assert became["same.txt"].manifest.since == became["same.txt"].manifest.sent != ""


@KENDRA
def test_deletes_that_wait_for_approval(world: World) -> None:
    """The command that lets them pass names the newest run that withheld them."""
    names = [f"{number:02}.txt" for number in range(20)]
    for name in names:
        world.write(name)
    world.sync()
    for name in names[:15]:
        (world.folder / name).unlink()
    first, second = world.sync(), world.sync()

    said = why(world, "03.txt")

    assert (said.source.state, said.next.due, said.manifest.held) == ("absent", "delete", True)
    fate = said.fates[0]
    assert (fate.became, fate.run, fate.since, fate.runs) == ("withheld", second.run, first.run, 2)
    assert f"docferry approve {second.run} --connector team" in said.advice


def test_what_the_index_has_lost_or_made_fail(world: World) -> None:
    """The index's own word counts beside the manifest; a document that fails late says why."""
    world.write("kept.txt")
    world.write("late.txt")
    world.knobs.fail_documents["team/late.txt"] = "cannot be parsed"
    world.sync()
    index = world.deployment.wired.index
    job = index.start()
    index.delete(job, ["team/kept.txt"])
    index.stop()
    world.aws.clock.sleep(600)

    lost, late = why(world, "kept.txt"), why(world, "late.txt")

    assert (lost.manifest.held, lost.index.status) == (True, "NOT_FOUND")
    assert "docferry reconcile team" in lost.advice
    assert (late.manifest.held, late.fates[0].became, late.next.due) == (False, "failed", "add")
    assert "cannot be parsed" in late.fates[0].reason
    assert late.failures is not None
    assert "cannot be parsed" in late.failures.reason


def test_who_may_see_it_and_through_which_group(aws: Laptop, restricted: World) -> None:
    """By nested groups; DENY wins. The index says the same of each."""
    world = restricted
    members = [("board", "officers", "group"), ("officers", "ann", "user"), ("officers", "bob", "user")]
    file = world.folder.parent / "groups.csv"
    file.write_text("group,member,kind\n" + "".join(f"{','.join(row)}\n" for row in members))
    world.write("secret.txt")
    describe(world, "secret.txt", AccessControlList=[BOARD, {"Name": "bob", "Type": "USER", "Access": "DENY"}])
    world = World.of(aws, world.folder, structs.replace(world.connector, groups=Groups(file=str(file))))
    world.sync()

    said = {user: why(world, "secret.txt", reader=Reader(user)).reader for user in ("ann", "bob", "eve")}

    verdicts = {user: (one.indexed.may_see, one.index) for user, one in said.items() if one and one.indexed}
    assert verdicts == {"ann": ("yes", True), "bob": ("no", False), "eve": ("no", False)}
    assert said["ann"] is not None
    assert said["ann"].indexed is not None
    # An index that knows no groups was told of ann herself.
    told_of_groups = bool(world.deployment.wired.index.service.on_groups)
    assert said["ann"].indexed.through == (("ann", "officers", "board") if told_of_groups else ())
    assert said["ann"].listed == said["ann"].indexed


@pytest.mark.parametrize("kind", ["bedrock"])
def test_a_question_writes_nothing(restricted: World) -> None:
    """Who may see a document by the groups as they are listed now is told without a word in the bucket."""
    write(restricted, "secret.txt")
    restricted.sync()
    describe(restricted, "secret.txt", AccessControlList=[{**BOARD, "Name": "officers"}])
    keys = set(restricted.store.keys(""))

    said = {user: why(restricted, "secret.txt", reader=Reader(user)).reader for user in ("ann", "bob")}

    verdicts = {user: (one.indexed, one.listed) for user, one in said.items() if one}
    assert {user: (one.may_see, other.may_see) for user, (one, other) in verdicts.items() if one and other} == {
        "ann": ("yes", "no"),
        "bob": ("no", "yes"),
    }
    assert set(restricted.store.keys("")) == keys


@pytest.mark.parametrize("kind", ["bedrock"])
def test_who_is_in_the_groups_of_an_old_run_need_not_be_known_any_more(restricted: World) -> None:
    """It expires with the run. By the source it is told, and so is what the index says."""
    write(restricted, "secret.txt")
    restricted.sync()
    restricted.store.delete_prefix(MEMBERS)

    said = why(restricted, "secret.txt", reader=Reader("ann")).reader

    assert said is not None
    assert said.indexed is not None
    assert said.listed is not None
    assert (said.indexed.may_see, said.listed.may_see, said.index) == ("unknown", "yes", True)


@PUBLIC
def test_everybody_may_see_what_has_no_access_control(world: World) -> None:
    """The index says the same."""
    world.write("open.txt")
    world.sync()

    everybody = why(world, "open.txt", reader=Reader("eve")).reader

    assert everybody is not None
    assert everybody.indexed is not None
    assert (everybody.indexed.may_see, everybody.index) == ("yes", True)


@pytest.mark.parametrize("kind", ["bedrock"])
def test_a_document_that_an_index_without_access_control_must_not_show(world: World) -> None:
    """It has got access control, so it leaves the index, though the source lists it."""
    world.write("plan.txt")
    world.sync()
    describe(world, "plan.txt", AccessControlList=[BOARD])

    said = why(world, "plan.txt")
    run = world.sync()

    assert (said.source.state, said.next.due, run.deleted) == ("skipped", "delete", 1)
    assert "everybody would see it" in said.advice
    assert "deletes it from the index" in said.advice


@QBUSINESS
def test_each_part_may_fail_alone(world: World) -> None:
    """A folder that is not mounted here, a manifest that is damaged: the rest is told."""
    world.write("a.txt")
    world.sync()
    away = world.folder.rename(world.folder.parent / "away")

    unread = why(world, "a.txt")

    assert (unread.source.state, unread.next.due, unread.manifest.held) == ("unknown", "unknown", True)
    assert "cannot be read from this machine" in unread.source.reason
    assert unread.index.status == "INDEXED"
    away.rename(world.folder)
    world.store.write(world.store.held(MANIFEST), {"format": 99})
    damaged = why(world, "a.txt", reader=Reader("ann"))
    assert (damaged.source.state, damaged.manifest.held, damaged.index.status) == ("listed", None, "INDEXED")
    assert "docferry rebuild" in damaged.manifest.problem
    assert "docferry rebuild team" in damaged.advice
    assert damaged.reader is not None
    assert (damaged.reader.indexed, damaged.reader.index) == (None, True)


@KENDRA
def test_a_document_of_the_inbox(world: World) -> None:
    """It is listed beside the source, and counts as there."""
    line = {"DocumentId": "leave.md", "Content": "# Leave"}
    world.store.put_content("inbox/hr.jsonl", json.dumps(line).encode())
    world.sync()

    said = why(world, "team/leave.md")

    assert (said.source.state, said.next.due, said.index.status) == ("listed", "nothing", "INDEXED")
    assert said.source.document is not None
    assert said.source.document.origin == "inbox"


@KENDRA
def test_a_document_is_found_by_each_of_its_names(world: World) -> None:
    """Id, place, path of this machine, address, and the beginning of one of them when nothing else begins so.

    Several that begin so are listed. Of those that are written nearly so a few are named.
    """
    for name in ("a/one.txt", "a/two.txt", "b/Plan.txt"):
        world.write(name)
    world.sync()
    names = ("team/a/one.txt", "a/one.txt", f"{world.folder}/a/one.txt", f"file://{world.folder}/a/one.txt", "a/on")

    several, near, moved = (asked(world, text) for text in ("a/", "a/onne.txt", "c/plan.txt"))

    assert {(one.id, one.source.state) for one in (why(world, name) for name in names)} == {
        ("team/a/one.txt", "listed")
    }
    assert [one.id for one in several.matches] == ["team/a/one.txt", "team/a/two.txt"]
    assert (near.document, near.matches, near.problems) == (None, [], [])
    assert (near.nearest[0].id, moved.nearest[0].id) == ("team/a/one.txt", "team/b/Plan.txt")
    narrowed = Part("files", {"path": str(world.folder), "exclude": ["b/**"]})
    world.connector = structs.replace(world.connector, source=narrowed)
    left_out = why(world, "b/Plan.txt")
    assert (left_out.source.state, left_out.next.due) == ("left out", "delete")
    assert "'b/**' of exclude" in left_out.source.reason
    assert "exclude" in left_out.next.why[0]


@QBUSINESS
def test_a_source_that_can_only_list_is_listed_up_to_a_limit(aws: Laptop, kind: str) -> None:
    """To the document, and no further; what lies beyond the limit is not said to be absent."""
    letters = [Record(id=str(number), content=b"text", content_type="PLAIN_TEXT") for number in range(3)]
    shelf.SHELVES["why"] = [*letters]
    world = synced(aws, {"kind": shelf.KIND, "shelf": "why"}, kind)
    world.sync()

    found = why(world, "team/2")
    beyond = why(world, "team/2", limit=1)
    unknown = asked(world, "team/none", limit=2)
    del shelf.SHELVES["why"][2]
    gone = why(world, "team/2")
    shelf.SHELVES["why"][0] = SourceUnavailable("the library is closed")
    closed = why(world, "team/2")

    assert (found.source.state, found.next.due) == ("listed", "nothing")
    assert (beyond.source.state, beyond.next.due) == ("unknown", "unknown")
    assert (unknown.document, "first 2 documents" in unknown.problems[0]) == (None, True)
    assert (gone.source.state, gone.next.due) == ("absent", "delete")
    assert (closed.source.state, "the library is closed" in closed.source.reason) == ("unknown", True)
