"""Groups that documents name and nobody lists are found, in memory that does not grow with the documents."""

import pytest

from docferry.groups import undefined
from docferry.groups.undefined import undefined as found
from docferry.model import Group, Principal
from docferry.state import lines
from tests.unit.fakes import document


def line(id_: str, *groups: str, users: tuple[str, ...] = ()) -> bytes:
    """A document that these may see."""
    principals = [Principal(name, "GROUP", "ALLOW") for name in groups]
    principals += [Principal(name, "USER", "ALLOW") for name in users]
    return lines.encode(document(id_, access_control=tuple(principals)))


def test_exactly_the_groups_without_a_list_are_found() -> None:
    """Users are none, nor is a document whose title is the word."""
    listing = [line("a", "deck", "bridge"), line("b", "engine", users=("ann",)), lines.encode(document('"GROUP"'))]

    assert found(listing, [Group("deck"), Group("other")], 10) == ("bridge", "engine")


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only so many are named."""
    monkeypatch.setattr(undefined, "REMEMBERED", 5)
    listing = (line(str(number), f"group-{number}") for number in range(100))

    assert found(listing, [], 3) == ("group-0", "group-1", "group-2")
