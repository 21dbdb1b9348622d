"""A table in SQLite and in PostgreSQL: what a sync moves."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from docferry.sources.records.sql import Rows
from docferry_laptop.laptop import Laptop
from tests.workflow.sources.world import carried, held, restricted, synced

Execute = Callable[..., None]

DOCUMENT = {
    "id": "id",
    "version": "changed",
    "title": "title",
    "content": "body",
    "content_type": "PLAIN_TEXT",
    "attributes": {"department": "dept"},
    "allow_groups": "team",
}
TABLE = "create table tickets (id integer, title text, body text, changed integer, dept text, team text)"
ROW = "insert into tickets values ({0}, 'Ticket {0}', 'the text of {0}', 1, 'support', 'crew')"


@pytest.fixture
def kind() -> str:
    """One service: a source knows nothing of the index. test_own.py tries them all."""
    return "bedrock"


class Database:
    """A database with a table of tickets, and the number of contents that were read from it."""

    def __init__(self, url: str, execute: Execute) -> None:
        self.source = {"kind": "sql", "url": url, "table": "tickets", "document": DOCUMENT}
        self.execute = execute
        self.read: list[Any] = []


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of our own, reached through a socket."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pgserver  # noqa: PLC0415  # looks for that folder

    server = pgserver.get_server(  # type: ignore[attr-defined]  # it has no __all__
        tmp_path_factory.mktemp("postgresql")
    )
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A table with four rows, in each of the two."""
    stack = ExitStack()
    if request.param == "sqlite":
        file = stack.enter_context(closing(sqlite3.connect(tmp_path / "tickets.db", isolation_level=None)))
        made = Database(f"sqlite:///{tmp_path}/tickets.db", cast("Execute", file.execute))
    else:
        uri = request.getfixturevalue("postgresql")
        server = stack.enter_context(psycopg.connect(uri, autocommit=True))
        server.execute("drop table if exists tickets")
        made = Database(uri.replace("postgresql:", "postgresql+psycopg:"), cast("Execute", server.execute))
    real = Rows.contents

    def counted(rows: Rows, key: str, values: list[Any]) -> Any:
        made.read += values
        return real(rows, key, values)

    monkeypatch.setattr(Rows, "contents", counted)
    made.execute(TABLE)
    for number in range(1, 5):
        made.execute(ROW.format(number))
    with stack:
        yield made


def test_only_the_row_that_changed_is_read_and_put(aws: Laptop, kind: str, database: Database) -> None:
    """With a version column: everything at first, then nothing, then one row, one delete, one that is new."""
    document = {name: expression for name, expression in DOCUMENT.items() if name != "allow_groups"}
    world = synced(aws, {**database.source, "document": document}, kind)

    assert world.sync().added == 4
    assert (held(world)["3"].title, held(world)["3"].attributes["department"]) == ("Ticket 3", "support")
    assert sorted(database.read) == [1, 2, 3, 4]

    assert world.sync().unchanged == 4
    assert sorted(database.read) == [1, 2, 3, 4]

    database.execute("update tickets set body = 'a lighthouse', changed = 2 where id = 3")
    database.execute("delete from tickets where id = 2")
    database.execute(ROW.format(5))
    run = world.sync()

    assert (run.modified, run.added, run.deleted, run.unchanged) == (1, 1, 1, 2)
    assert sorted(database.read[4:]) == [3, 5]
    assert [hit.document_id for hit in world.deployment.wired.index.search("lighthouse", 5)] == ["team/3"]
    assert carried(world) == []


def test_a_row_without_version_is_compared_by_its_content(
    aws: Laptop, kind: str, database: Database, tmp_path: Path
) -> None:
    """Every row comes with its content; the digest tells what has changed."""
    document = {name: expression for name, expression in DOCUMENT.items() if name != "version"}
    world = restricted(aws, {**database.source, "document": document}, kind, tmp_path)
    world.sync()
    database.execute("update tickets set body = 'another text' where id = 1")
    database.execute("update tickets set changed = 9 where id = 2")

    run = world.sync()

    assert (run.modified, run.unchanged) == (1, 3)


def test_who_may_see_a_row_moves_with_it(aws: Laptop, kind: str, database: Database, tmp_path: Path) -> None:
    """A change of the team alone is a change, and a row whose team is unknown is kept back as it is indexed."""
    world = restricted(aws, database.source, kind, tmp_path)
    world.sync()
    database.execute("update tickets set team = 'officers' where id = 1")
    database.execute("update tickets set team = null where id = 2")

    run = world.sync()

    assert (run.modified, run.skipped, run.exposed, run.unchanged) == (1, 1, 0, 3)
    assert "neither a name nor a list of names" in world.skipped(run)["team/2"]
    documents = held(world)
    assert [[one.name for one in documents[id_].access_control] for id_ in ("1", "2")] == [["officers"], ["crew"]]


def test_a_row_without_an_id_deletes_nothing(aws: Laptop, kind: str, database: Database, tmp_path: Path) -> None:
    """It may be any of the rows that are missing."""
    world = restricted(aws, database.source, kind, tmp_path)
    world.sync()
    database.execute("update tickets set id = null where id = 2")

    run = world.sync()

    assert (run.deleted, run.withheld, run.skipped) == (0, 1, 1)
    assert "2" in held(world)


def test_two_rows_with_one_id_are_told_and_harm_no_other(
    aws: Laptop, kind: str, database: Database, tmp_path: Path
) -> None:
    """Neither is taken for the other; the rest goes on."""
    world = restricted(aws, database.source, kind, tmp_path)
    world.sync()
    database.execute("insert into tickets values (3, 'Another', 'another', 1, 'support', 'crew')")
    database.execute(ROW.format(5))

    run = world.sync()

    assert (run.added, run.deleted) == (1, 0)
    assert run.skipped
    assert held(world)["3"].title == "Ticket 3"
