"""The handbook moved from one index to another: every document arrives or is listed, and who sees what stays."""

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
import yaml

from docferry.config.connectors import describe
from docferry.indexes import Reader
from docferry.model import Document
from docferry_cli.migration import planned
from docferry_cli.migration.facts import Migration
from docferry_cli.migration.moving import move
from docferry_cli.migration.pair import pair
from docferry_cli.result import finish
from docferry_cli.targets import Opened, Where

EXAMPLES = Path(__file__).parents[2] / "examples"
FIELDS = {
    "department": "STRING",
    "review_date": "DATE",
    "revision": "NUMBER",
    "tags": "STRING_LIST",
    "vessels": "STRING_LIST",
}
INDEXES: dict[str, dict[str, object]] = {
    "kendra": {"fields": FIELDS},
    "qbusiness": {"fields": FIELDS},
    "bedrock": {"acl": True},
}
STAFF = [{"keyPrefix": "", "aclEntries": [{"Name": "staff", "Type": "GROUP", "Access": "ALLOW"}]}]
NOBODY = "nobody-in-particular@example.com"


class House:
    """A copy of the handbook, and two connectors that sync it into two services."""

    def __init__(self, folder: Path, old: str, new: str) -> None:
        self.handbook = folder / "handbook"
        shutil.copytree(EXAMPLES / "handbook", self.handbook)
        self.groups = folder / "groups.csv"
        shutil.copy(EXAMPLES / "handbook-groups.csv", self.groups)
        self.kinds = (old, new)
        self.where = Where("here", folder / "state", folder / "connectors.yaml")
        self.describe()

    def describe(self, **source: object) -> None:
        """Write connectors.yaml."""
        read = {"kind": "files", "path": str(self.handbook), **source}
        connectors = {
            name: {"source": read, "index": {"kind": kind, **INDEXES[kind]}, "groups": {"file": str(self.groups)}}
            for name, kind in zip(("old", "new"), self.kinds, strict=True)
        }
        self.where.config.write_text(yaml.safe_dump({"connectors": connectors}))

    def users(self) -> set[str]:
        """Everybody whom a sidecar names, everybody in a group, and somebody who is neither."""
        sidecars = (json.loads(file.read_text()) for file in self.handbook.rglob("*.metadata.json"))
        named = {
            entry["Name"]
            for sidecar in sidecars
            for entry in sidecar.get("AccessControlList", [])
            if entry["Type"] == "USER"
        }
        with self.groups.open() as rows:
            return named | {row["member"] for row in csv.DictReader(rows) if row["kind"] == "user"} | {NOBODY}

    def sync(self, name: str) -> None:
        """Sync a connector."""
        with pytest.raises(typer.Exit) as ended:
            finish(self.where, describe(self.where.config)[name].connector, {}, as_json=True)
        assert ended.value.exit_code == 0

    def migrate(self, *, fills: bool = True) -> Migration:
        """Move from the old index to the new one."""
        chosen = pair(describe(self.where.config), "old", "new")
        return move(self.where, chosen, lambda _: None, fills=fills).migration

    @contextmanager
    def opened(self) -> Iterator[tuple[Opened, Opened]]:
        """Both connectors, to look at them."""
        with self.where.see() as opener:
            old, new = (opener(self.where.connector(name)) for name in ("old", "new"))
            yield old, new


def seen(opened: Opened, user: str, documents: list[Document]) -> set[str]:
    """Which of these documents a user may see, as the index itself says, by what follows the connector's name."""
    index = opened.index
    return {document.id.partition("/")[2] for document in documents if index.access(document, Reader(user)).allowed}


def held(opened: Opened) -> dict[str, Document]:
    """What an index holds, by what follows the connector's name."""
    return {document.id.partition("/")[2]: document for document in planned.held(opened.store)}


@pytest.mark.parametrize(
    ("old", "new"), [("kendra", "bedrock"), ("qbusiness", "kendra"), ("bedrock", "qbusiness")], ids="-".join
)
def test_every_document_arrives_or_is_listed_and_every_user_sees_the_same(tmp_path: Path, old: str, new: str) -> None:
    """User by user: those that the sidecars name, those in groups and in groups of groups, and a stranger."""
    house = House(tmp_path, old, new)
    house.sync("old")

    moved = house.migrate()

    assert (moved.stage, moved.kinds) == ("filled", (old, new))
    with house.opened() as (before, after):
        was, is_ = held(before), held(after)
        missing = {one.id: one for one in moved.missing}
        assert not missing.keys() & is_.keys()
        assert was.keys() <= is_.keys() | missing.keys()
        assert all(one.reason for one in missing.values())
        assert {id_ for id_, one in missing.items() if one.held} == was.keys() - is_.keys()
        both = sorted(was.keys() & is_.keys())
        assert len(both) >= 20
        views = set()
        for user in house.users():
            old_sees = seen(before, user, [was[id_] for id_ in both])
            new_sees = seen(after, user, [is_[id_] for id_ in both])
            assert old_sees == new_sees, user
            views.add(frozenset(old_sees))
        assert len(views) > 5, "the sidecars tell people apart"


def test_what_everybody_may_see_arrives_where_a_group_of_everybody_says_so(tmp_path: Path) -> None:
    """An index that shows a document without access control to nobody takes it once the source names who may see it."""
    house = House(tmp_path, "kendra", "bedrock")
    house.sync("old")
    before = house.migrate(fills=False)
    (house.handbook / "acl.json").write_text(json.dumps(STAFF))
    house.describe(acl="acl.json")
    house.sync("old")

    moved = house.migrate()

    assert len(before.missing) == 25
    assert all("nobody would see it" in one.reason and one.held for one in before.missing)
    assert (moved.stage, moved.missing) == ("filled", ())
    with house.opened() as (one, other):
        was, is_ = held(one), held(other)
        assert was.keys() == is_.keys()
        assert len(is_) == 45
        for user in house.users():
            old_sees = seen(one, user, list(was.values()))
            assert old_sees == seen(other, user, list(is_.values())), user
            assert bool(old_sees) == (user != NOBODY)


def test_who_leaves_a_group_leaves_it_in_both(tmp_path: Path) -> None:
    """While both are synced, a change of membership reaches both: the documents of the group are sent again."""
    house = House(tmp_path, "kendra", "bedrock")
    house.sync("old")
    house.migrate()
    rows = house.groups.read_text().splitlines(keepends=True)
    house.groups.write_text("".join(row for row in rows if "accountant@example.com" not in row))

    house.sync("old")
    again = house.migrate()

    assert again.stage == "filled"
    with house.opened() as (before, after):
        was, is_ = held(before), held(after)
        both = was.keys() & is_.keys()
        assert seen(before, "accountant@example.com", [was[id_] for id_ in both]) == set()
        assert seen(after, "accountant@example.com", [is_[id_] for id_ in both]) == set()
