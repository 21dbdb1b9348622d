"""A source of one's own under the real workflow: what it yields is indexed, and no mistake of it deletes anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from docferry.model import Principal
from docferry.sources import Record, Skip
from docferry_laptop.laptop import Laptop
from tests.workflow.sources import shelf
from tests.workflow.sources.world import carried, held, restricted, synced
from tests.workflow.world import World

OFFICERS = Principal("officers", "GROUP", "ALLOW")
CREW = Principal("crew", "GROUP", "ALLOW")


def letter(number: int, text: str = "", **parts: Any) -> Record:
    """A letter."""
    content = (text or f"letter {number}").encode()
    return Record(**{"id": str(number), "content": content, "content_type": "PLAIN_TEXT", **parts})


@pytest.fixture
def letters() -> Iterator[list[Any]]:
    """A shelf with three letters."""
    shelf.SHELVES["letters"] = [letter(number) for number in range(3)]
    yield shelf.SHELVES["letters"]
    shelf.SHELVES.clear()


@pytest.fixture
def world(aws: Laptop, kind: str, letters: list[Any]) -> World:
    """A connector of the shelf, synced once."""
    del letters
    made = synced(aws, {"kind": shelf.KIND, "shelf": "letters"}, kind)
    assert made.sync().added == 3
    assert carried(made) == []
    return made


def test_only_what_changed_moves(world: World, letters: list[Any]) -> None:
    """Without a version the content's digest is one."""
    assert world.sync().unchanged == 3
    letters[1] = letter(1, "about a lighthouse")
    letters[2] = letter(3)

    run = world.sync()

    assert (run.modified, run.added, run.deleted, run.unchanged) == (1, 1, 1, 1)
    assert set(held(world)) == {"0", "1", "3"}
    assert [hit.document_id for hit in world.deployment.wired.index.search("lighthouse", 5)] == ["team/1"]


def test_content_is_opened_for_what_is_due_only(world: World, letters: list[Any]) -> None:
    """A record with a version and ``open`` is not opened as long as the index holds that version."""
    opened: list[str] = []

    def versioned(number: int, version: str) -> Record:
        def read() -> bytes:
            opened.append(f"{number} {version}")
            return b"read"

        return letter(number, content=None, open=read, version=version)

    letters[:] = [versioned(number, "one") for number in range(3)]
    world.sync()
    letters[1] = versioned(1, "two")
    run = world.sync()

    assert (run.modified, run.unchanged) == (1, 2)
    assert opened == ["0 one", "1 one", "2 one", "1 two"]


def test_a_title_or_who_may_see_it_sends_a_document_again(
    aws: Laptop, kind: str, letters: list[Any], tmp_path: Path
) -> None:
    """The content is the same, and is carried all the same: the service takes documents whole."""
    letters[:] = [letter(number, access_control=[CREW]) for number in range(3)]
    world = restricted(aws, {"kind": shelf.KIND, "shelf": "letters"}, kind, tmp_path)
    assert world.sync().added == 3
    letters[0] = structs.replace(letters[0], title="The first")
    letters[1] = structs.replace(letters[1], access_control=[OFFICERS])

    assert world.sync().modified == 2

    documents = held(world)
    assert documents["0"].title == "The first"
    assert documents["1"].access_control == (OFFICERS,)


def test_a_document_that_failed_is_carried_again(world: World, letters: list[Any]) -> None:
    """What the index did not take is due in the next run, with its content."""
    letters.append(letter(9))
    world.knobs.fail_documents = {"team/9": "cannot be indexed"}
    assert world.sync().failed == 1
    world.knobs.fail_documents = {}

    run = world.sync()

    assert (run.added, run.failed) == (1, 0)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (KeyError("date"), "KeyError: 'date'"),
        (ConnectionResetError("by peer"), "ConnectionResetError: by peer"),
        ("a text", "which is no Record"),
        (None, "which is no Record"),
    ],
)
def test_a_source_that_raises_or_yields_nonsense_fails_the_run(
    world: World, letters: list[Any], item: object, said: str
) -> None:
    """It is no end of the listing: nothing is deleted, and the content that was carried so far is removed."""
    letters[:] = [letter(7), item]

    run = world.sync()

    assert run.status == "FAILED"
    assert said in run.error
    assert set(held(world)) == {"0", "1", "2"}
    assert carried(world) == []


BAD = {
    "text": (letter(5, content="text"), "its content must be bytes, not str"),
    "empty": (letter(5, content=b""), "is empty"),
    "latin": (letter(5, content=b"\xff\xfe"), "is not UTF-8 text"),
    "nothing": (letter(5, content=None), "has neither content nor open"),
    "type": (letter(5, content_type="TXT"), "has the content type 'TXT'; allowed: CSV"),
    "reserved": (letter(5, attributes={"_data_source_id": "x"}), "Attributes._data_source_id cannot be given"),
    "access": (letter(5, access_control="crew"), "its access_control must be a list"),
    "nobody": (letter(5, access_control=[Principal("", "USER", "ALLOW")]), "names nobody"),
    "draft": (Skip(id="draft", reason="is a draft"), "is a draft"),
}
"""Records that cannot be indexed, each under its id, with the reason."""


def test_records_that_cannot_be_indexed_are_told_and_harm_no_other(world: World, letters: list[Any]) -> None:
    """What is indexed under their ids stays; the rest goes on."""
    letters += [letter(4), *(structs.replace(bad, id=id_) for id_, (bad, _) in BAD.items())]

    run = world.sync()

    assert (run.added, run.skipped, run.deleted) == (1, len(BAD), 0)
    skipped = world.skipped(run)
    assert [id_ for id_, (_, reason) in BAD.items() if reason not in skipped[f"team/{id_}"]] == []


@pytest.mark.parametrize("id_", [None, "", 7])
def test_a_record_without_an_id_deletes_nothing(world: World, letters: list[Any], id_: Any) -> None:
    """Nobody knows which document it is, so no other is known to be gone."""
    letters[:] = [letters[0], letter(4), structs.replace(letters[1], id=id_)]

    run = world.sync()

    assert (run.added, run.deleted, run.withheld) == (1, 0, 2)


def test_a_listing_that_comes_back_empty_deletes_nothing(world: World, letters: list[Any]) -> None:
    """It may be a source that is not there today."""
    letters.clear()

    run = world.sync()

    assert (run.deleted, run.withheld) == (0, 3)


def test_of_two_records_with_one_id_one_is_indexed_with_its_own_content(world: World, letters: list[Any]) -> None:
    """Their contents are not mixed up, whichever it is."""
    letters += [letter(8, "x" * 10, title="ten"), letter(8, "y" * 20, title="twenty")]

    run = world.sync()

    assert (run.added, run.skipped) == (1, 1)
    document = held(world)["8"]
    assert (document.title, document.size) in {("ten", 10), ("twenty", 20)}


def test_a_plan_is_applied_as_it_was_shown(world: World, letters: list[Any]) -> None:
    """The plan keeps no content; applied, the listing carries it anew."""
    letters[0] = letter(0, "another text")
    plan = world.sync(mode="plan")
    assert carried(world) == []

    run = world.sync(apply=plan.run)

    assert (run.status, run.modified) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("mode", ["full", "reconcile", "rebuild"])
def test_every_mode_has_the_content_that_it_sends(world: World, mode: str) -> None:
    """Modes that do not trust what is known carry everything."""
    run = world.sync(mode=mode)

    assert (run.status, run.failed) == ("SUCCEEDED", 0)
    assert set(held(world)) == {"0", "1", "2"}
