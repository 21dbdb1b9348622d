"""The list of groups is read as it is meant, or not at all, and the error names the line."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from docferry.connector import Groups
from docferry.errors import ConfigurationError
from docferry.groups.reading import MemberFile, MembershipUnreadable, MembersOfSource, membership
from docferry.model import Member

DECK = [Member("deck", "ann", "user"), Member("crew", "deck", "group")]


def read(folder: Path, name: str, content: str | bytes) -> list[Member]:
    """The members that a file lists."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(MemberFile(str(file), None).members())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "group,member,kind\ndeck,ann,user\ncrew,deck,group\n"),
        ("a.csv", "\ufeffKind,Group , member,note\r\nuser,deck,ann,x\r\nGROUP, crew,deck ,\r\n"),
        ("a.csv", 'group,member,kind\n"deck",ann,user\n\ncrew,"deck",group'),
        ("a.jsonl", '{"group":"deck","member":"ann","kind":"user"}\n\n{"member":"deck","group":"crew","kind":"group"}'),
    ],
    ids=["plain", "from Excel", "quoted", "JSON Lines"],
)
def test_what_people_write_is_read(tmp_path: Path, name: str, content: str) -> None:
    """In any order of columns, with others beside them."""
    assert read(tmp_path, name, content) == DECK


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_an_empty_file_has_no_members(tmp_path: Path, name: str) -> None:
    """Which is no error here."""
    assert read(tmp_path, name, "") == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "deck,ann,user\n", "line 1: has no column group, member, kind"),
        ("a.csv", "group,member\n", "line 1: has no column kind"),
        ("a.csv", 'group,member,kind\n"deck,ann,user\n', "line 2: is not CSV"),
        ("a.csv", "group,member,kind\ndeck,a\u202enn,user\n", "line 2: member is"),
        ("a.csv", b"group,member,kind\ndeck,ann,user\ndeck,\xff,user\n", "is not UTF-8"),
        ("a.csv", f"group,member,kind\n{'x' * 1025},ann,user\n", "line 2: group is"),
        ("a.jsonl", '{"group":"deck","member":"ann","kind":"user"}\n["deck"]', "line 2: is not a JSON object"),
        ("a.jsonl", '{"group":"deck","member":"ann","kind":"user"}\n{"group":"de', "line 2: is not a JSON object"),
        ("a.jsonl", '{"group":"deck","member":7,"kind":"user"}', "line 1: Expected `str`"),
        ("a.jsonl", '{"group":"deck","kind":"user"}', "line 1: Object missing required field `member`"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    """With its line."""
    with pytest.raises(MembershipUnreadable, match=said):
        read(tmp_path, name, content)


class Directory(Struct):
    """A source that knows groups."""

    found: list[Member]

    def groups(self) -> Any:
        """Every member."""
        return iter(self.found)


def test_a_source_may_know_its_groups() -> None:
    """By a method of its own."""
    assert list(membership(Groups(source=True), Directory(DECK), "directory", None).members()) == DECK


def test_a_source_that_knows_none_is_refused() -> None:
    """Before anything is listed."""
    with pytest.raises(ConfigurationError, match="a source of kind files does not know the members of groups"):
        membership(Groups(source=True), object(), "files", None)


def test_what_a_source_gives_is_checked_like_a_file() -> None:
    """One bad name spoils it, too."""
    with pytest.raises(MembershipUnreadable, match="entry 2: member is ''"):
        list(MembersOfSource(Directory([*DECK[:1], Member("deck", " ", "user")]), "directory").members())
