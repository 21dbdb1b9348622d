"""Source ``sql`` on a real PostgreSQL and on SQLite: the promises of every source, and what a database can do wrong."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from docferry import testing
from docferry.errors import ConfigurationError, SourceUnavailable
from docferry.model import Document, Skipped
from docferry.sources.records import sql
from docferry.sources.records.sql import Rows

ROWS = 50_000
DOCUMENT = {"id": "id", "version": "changed", "title": "title", "content": "body", "content_type": "PLAIN_TEXT"}


class Indexed:
    """An index that holds what was listed before."""

    def __init__(self, *held: Document) -> None:
        self._held = frozenset((document.id, document.version) for document in held)

    def holds(self, document: Document) -> bool:
        """See Known."""
        return (document.id, document.version) in self._held

    def notes(self) -> Iterator[bytes]:
        """See Known."""
        return iter(())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server with 50,000 articles."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pgserver  # noqa: PLC0415  # looks for that folder

    running = pgserver.get_server(  # type: ignore[attr-defined]  # it has no __all__
        tmp_path_factory.mktemp("postgresql")
    )
    with psycopg.connect(running.get_uri(), autocommit=True) as database:
        database.execute("create table articles (id integer primary key, title text, body text, changed integer)")
        database.execute(
            "insert into articles select n, 'Title ' || n, 'text ' || n, 1 from generate_series(1, %s) n", [ROWS]
        )
    yield running.get_uri()
    running.cleanup()


@pytest.fixture
def database(server: str) -> Iterator[Any]:
    """A connection to it."""
    with psycopg.connect(server, autocommit=True) as connected:
        yield connected


def articles(server: str, **settings: Any) -> Any:
    """The source."""
    url = server.replace("postgresql:", "postgresql+psycopg:")
    return testing.source("sql", url=url, **{"table": "articles", "document": DOCUMENT, **settings})


class TestPostgreSQL(testing.SourceSuite):
    """The promises of every source."""

    @pytest.fixture(autouse=True)
    def at(self, server: str) -> None:
        """Where the server is."""
        self._server = server

    def source(self) -> Any:
        """The articles."""
        return articles(self._server)


class TestQueryOfSqlite(testing.SourceSuite):
    """The same of a query, whose ids are no column, in another database."""

    @pytest.fixture(autouse=True)
    def at(self, tmp_path: Path) -> None:
        """A file with some rows."""
        self._file = tmp_path / "wiki.db"
        with closing(sqlite3.connect(self._file, isolation_level=None)) as database:
            database.execute("create table pages (space text, name text, body blob)")
            database.executemany("insert into pages values ('it', ?, ?)", [(str(n), b"text") for n in range(250)])

    def source(self) -> Any:
        """The pages."""
        document = {"id": "join('/', [space, name])", "content": "body", "content_type": "MD"}
        return testing.source("sql", url=f"sqlite:///{self._file}", query="select * from pages;", document=document)


def listed(source: Any, known: Indexed) -> tuple[list[Document], list[str]]:
    """What a source lists, and whose content it carries."""
    pages = list(source.pages(None, known))
    documents = [entry for page in pages for entry in page.listed if isinstance(entry, Document)]
    return documents, [document.id for page in pages for document, _ in page.contents]


def test_of_50_000_rows_one_that_changed_is_read(server: str, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version column tells which."""
    read: list[Any] = []
    real = Rows.contents

    def counted(rows: Rows, key: str, keys: list[Any]) -> Any:
        read.extend(keys)
        return real(rows, key, keys)

    monkeypatch.setattr(Rows, "contents", counted)
    before, carried = listed(articles(server), Indexed())
    assert len(before) == len(carried) == ROWS
    read.clear()
    database.execute("update articles set changed = 2, body = 'new' where id = 33333")

    after, carried = listed(articles(server), Indexed(*before))

    assert (len(after), carried, read) == (ROWS, ["demo/33333"], [33333])


def test_a_connection_that_is_dropped_at_row_30_000_is_no_end(server: str, database: Any) -> None:
    """The listing fails; what was listed until then is no listing."""
    pages = articles(server).pages(None)
    count = 0
    while count < 30_000:
        count += len(next(pages).listed)
    database.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid != pg_backend_pid()")

    with pytest.raises(SourceUnavailable, match="the database cannot be read"):
        list(pages)


def test_rows_that_change_meanwhile_are_listed_as_they_were(server: str, database: Any) -> None:
    """One state of the table, whatever happens between two pages."""
    pages = articles(server).pages(None)
    first = next(pages)
    database.execute("delete from articles where id = 50000")
    database.execute("update articles set id = 50001 where id = 2")
    try:
        ids = [entry.id for page in (first, *pages) for entry in page.listed]
    finally:
        database.execute("update articles set id = 2 where id = 50001")
        database.execute("insert into articles values (50000, 'Title 50000', 'text 50000', 1)")

    assert len(set(ids)) == len(ids) == ROWS
    assert "demo/50000" in ids


def test_rows_with_the_key_of_a_pages_end_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the database takes two keys for one; no row is lost between two pages."""
    monkeypatch.setattr(sql, "ROWS", 2)
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as database:
        database.execute("create table names (id text collate nocase, title text, body text, changed integer)")
        database.executemany(
            "insert into names values (?, 't', 'b', 1)", [(name,) for name in ("a", "b", "B", "c", "d")]
        )
    source = testing.source("sql", url=f"sqlite:///{tmp_path}/a.db", table="names", document=DOCUMENT)

    documents, _ = listed(source, Indexed())

    assert sorted(document.id for document in documents) == [f"demo/{name}" for name in ("B", "a", "b", "c", "d")]
    # Between "b" and "B" a listing must not be broken off, so it cannot go on after a text at all.
    assert {page.checkpoint for page in source.pages(None)} == {None}


def test_a_row_that_is_deleted_before_its_content_is_read_is_skipped(tmp_path: Path) -> None:
    """It is not taken for gone: the next run knows."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as database:
        database.execute("create table t (id integer, body text, v integer)")
        database.execute("insert into t values (1, 'text', 1)")
    engine = sa.create_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.connect() as connection:
        source = testing.source(
            "sql",
            url=f"sqlite:///{tmp_path}/a.db",
            table="t",
            document={"id": "id", "version": "v", "content": "body", "content_type": "PLAIN_TEXT"},
        )
        rows = Rows(connection, source._selectable(), source._mapping)  # type: ignore[attr-defined]
        (record,) = rows.by_key("id")
        with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as database:
            database.execute("delete from t")
        source.records = lambda: [record]  # type: ignore[attr-defined]

        (page,) = source.pages(None)

    assert page.listed == [Skipped("demo/1", "was deleted while the table was read")]
    engine.dispose()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "sqlite:////nowhere/at/all.db"}, "there is no file /nowhere/at/all.db"),
        ({"url": "no url"}, "is not an SQLAlchemy URL"),
        ({"url": "nosuchdb://host/name"}, "does not know this database"),
        ({"url": "oracle+oracledb://host/name"}, "the driver oracledb is not installed"),
        ({"url": "env:NOT_SET_ANYWHERE"}, "environment variable NOT_SET_ANYWHERE is not set"),
    ],
)
def test_a_url_that_leads_nowhere_is_told(settings: dict[str, Any], said: str) -> None:
    """Before anything is read, and without repeating what may hold a password."""
    with pytest.raises(ConfigurationError, match=said):
        list(testing.source("sql", table="t", document=DOCUMENT, **settings).pages(None))


def test_a_password_comes_from_a_secret_and_is_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when the database cannot be reached."""
    monkeypatch.setenv("WIKI_PASSWORD", "hunter2")
    source = testing.source(
        "sql",
        url="postgresql+psycopg://reader@127.0.0.1:1/wiki",
        password="env:WIKI_PASSWORD",
        table="t",
        document=DOCUMENT,
    )
    with pytest.raises(SourceUnavailable) as caught:
        list(source.pages(None))

    assert "hunter2" not in str(caught.value)


def test_a_table_that_is_not_there_is_told(server: str) -> None:
    """With what the database says, and nothing of the statement."""
    with pytest.raises(SourceUnavailable, match=r'relation "nothing" does not exist$'):
        list(articles(server, table="nothing").pages(None))
