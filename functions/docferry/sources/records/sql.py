"""A table, or a query, of any database that SQLAlchemy speaks with."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from docferry.errors import ConfigurationError, DocumentUnreadable, DocumentVanished, SourceUnavailable
from docferry.registry import Clients
from docferry.sources import secrets
from docferry.sources.records import mapping
from docferry.sources.records.mapping import DocumentMapping
from docferry.sources.records.record import Record, Skip
from docferry.sources.records.records import Records

try:
    import sqlalchemy as sa
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
except ModuleNotFoundError as error:
    raise ConfigurationError("a source of kind sql needs SQLAlchemy: pip install 'docferry[sql]'") from error

ROWS = 1_000
"""Rows of one page without their content."""
ROWS_WITH_CONTENT = 100
READ_AHEAD = 64
SNAPSHOTS = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ", "mariadb": "REPEATABLE READ"}
"""The isolation in which all statements of a transaction see one state. One SELECT of SQLite always does."""


class SqlSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``source`` part of a connector of kind ``sql``."""

    url: Annotated[
        str,
        Meta(
            min_length=1,
            description="an SQLAlchemy URL without password, such as postgresql+psycopg://reader@db.example.com/wiki, "
            "or the ARN of a secret that holds one",
        ),
    ]
    document: DocumentMapping
    table: Annotated[str, Meta(min_length=1, description="a table or view, such as public.articles")] | None = None
    query: Annotated[str, Meta(min_length=1, description="a SELECT statement")] | None = None
    password: Annotated[str, Meta(min_length=1, description="the ARN of a secret, or env:NAME")] | None = None

    def __post_init__(self) -> None:
        """Refuse settings that do not go together. Raises ValueError."""
        if (self.table is None) == (self.query is None):
            raise ValueError("a source of kind sql has either a table or a query")
        if self.document.content is None:
            raise ValueError("document.content: is required (the column that holds the content)")


class Sql(Records):
    """Every row of a table, or of a query, as a document."""

    Settings: type[Struct] = SqlSettings

    def __init__(self, *, connector: str, settings: SqlSettings, clients: Clients) -> None:
        super().__init__(connector=connector, settings=settings, clients=clients)
        self._mapping = settings.document
        # Only a column can be compared in the database; what an expression makes of it cannot.
        self._key = settings.document.id if mapping.fields(settings.document.id) == {settings.document.id} else None
        if self._key is not None:
            self.abilities |= {"resumes"}
        if settings.document.version is not None:
            self.abilities |= {"cheap_version"}

    def records(self) -> Iterator[Record | Skip]:
        """See Records.records: all rows of one snapshot, where the database has snapshots."""
        with self._connected() as connection:
            rows = Rows(connection, self._selectable(), self._mapping)
            yield from rows.by_key(self._key) if self._key else rows.streamed()

    def resume(self, checkpoint: str) -> Iterator[Record | Skip]:
        """See Records.resume."""
        assert self._key is not None
        with self._connected() as connection:
            rows = Rows(connection, self._selectable(), self._mapping)
            yield from rows.by_key(self._key, after=int(checkpoint))

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """A connection in a transaction that only reads. Raises SourceUnavailable and ConfigurationError."""
        engine = self._engine()
        options: dict[str, Any] = {}
        if isolation := SNAPSHOTS.get(engine.dialect.name):
            options["isolation_level"] = isolation
        if engine.dialect.name == "postgresql":
            options["postgresql_readonly"] = True
        try:
            with engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise SourceUnavailable(f"the database cannot be read: {_reason(error)}") from error
        finally:
            engine.dispose()

    def _engine(self) -> sa.Engine:
        try:
            url = sa.make_url(self._url())
            if self.settings.password:
                url = url.set(password=self.secret(self.settings.password))
            return sa.create_engine(_read_only(url), poolclass=sa.pool.NullPool, hide_parameters=True)
        except NoSuchModuleError as error:
            raise ConfigurationError(f"source.url: SQLAlchemy does not know this database: {error}") from error
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"source.url: the driver {error.name} is not installed: pip install 'docferry[sql]' brings psycopg and "
                "PyMySQL; another one goes into requirements.txt beside connectors.yaml"
            ) from error
        except ArgumentError as error:  # its text repeats the URL
            raise ConfigurationError(
                "source.url: is not an SQLAlchemy URL, such as postgresql+psycopg://reader@db.example.com/wiki"
            ) from error

    def _url(self) -> str:
        written: str = self.settings.url
        return self.secret(written) if written.startswith((secrets.ENVIRONMENT, secrets.ARN)) else written

    def _selectable(self) -> sa.FromClause:
        if self.settings.table is not None:
            schema, _, name = self.settings.table.rpartition(".")
            return sa.table(name, schema=schema or None)
        return sa.text(self.settings.query.rstrip().rstrip(";")).columns().subquery("documents")


class Rows:
    """The rows of a table or a query, as records."""

    def __init__(self, connection: sa.Connection, source: sa.FromClause, document: DocumentMapping) -> None:
        self._connection = connection
        self._source = source
        self._mapping = document
        # Nothing but the database knows the columns of a query.
        nothing = sa.select(sa.text("*")).select_from(source).where(sa.text("1 = 0"))
        self._columns = list(connection.execute(nothing).keys())

    def by_key(self, key: str, after: Any = None) -> Iterator[Record | Skip]:
        """In order of a column, page by page. Without a version column every row comes with its content.

        Rows with the key of a page's last row belong to that page, also when the database compares without case.
        """
        lazy = self._mapping.version is not None and self._content_columns() is not None
        columns = [name for name in self._columns if not lazy or name not in (self._content_columns() or set())]
        length = ROWS if lazy else ROWS_WITH_CONTENT
        column: sa.ColumnClause[Any] = sa.column(key)
        select = self._select(columns).order_by(column).limit(length)
        while True:
            # A row without a key is reported however the database sorts it.
            page = select if after is None else select.where(sa.or_(column > after, column.is_(None)))
            rows = [dict(row) for row in self._connection.execute(page).mappings()]
            full, keyed = len(rows) == length, [row for row in rows if row[key] is not None]
            if full and keyed:
                after = keyed[-1][key]
                same = self._connection.execute(self._select(columns).where(column == after)).mappings()
                ties = [dict(row) for row in same]
                rows = [row for row in rows if row not in ties] + ties
            yield from self._records(rows, key, lazy=lazy)
            if not full:
                return
            if not keyed:
                yield Skip(id=key, reason=f"{length:,} rows and more have no {key}", incomplete=True)
                return

    def streamed(self) -> Iterator[Record | Skip]:
        """In the database's own order, each row with its content."""
        streaming = self._connection.execution_options(yield_per=ROWS_WITH_CONTENT)
        for number, row in enumerate(streaming.execute(self._select(self._columns)).mappings(), start=1):
            yield mapping.record(self._mapping, dict(row), place=f"row {number:,}")

    def _records(self, rows: list[dict[str, Any]], key: str, *, lazy: bool) -> Iterator[Record | Skip]:
        contents = Contents(self, key, [row[key] for row in rows]) if lazy else None
        for number, row in enumerate(rows):
            opener = contents.opener(number) if contents else None
            where = f"a row without {key}" if row[key] is None else f"the row {row[key]}"
            yield mapping.record(self._mapping, row, open=opener, checkpoint=_checkpoint(row[key]), place=where)

    def contents(self, key: str, values: list[Any]) -> dict[Any, list[Mapping[str, Any]]]:
        """The columns of these rows that the content needs, by key."""
        columns = sorted({key, *(self._content_columns() or ())})
        select = self._select(columns).where(sa.column(key).in_(values))
        found: dict[Any, list[Mapping[str, Any]]] = {}
        for row in self._connection.execute(select).mappings():
            found.setdefault(row[key], []).append(dict(row))
        return found

    def content(self, row: Mapping[str, Any]) -> bytes:
        """The content of a row."""
        return mapping.content(self._mapping, {name: mapping.plain(value) for name, value in row.items()})

    def _content_columns(self) -> set[str] | None:
        """The columns that only the content needs; None when there are none, or when that cannot be told."""
        content, others = set[str](), set[str]()
        for part, expression in mapping.expressions(self._mapping):
            (content if part == "content" else others).update(mapping.fields(expression))
        return None if "*" in content | others or not content - others else content - others

    def _select(self, columns: Iterable[str]) -> sa.Select[*tuple[Any, ...]]:
        return sa.select(*(sa.column(name) for name in columns)).select_from(self._source)


class Contents:
    """The contents of a page's rows, read when they are asked for.

    Reads ahead as long as one row after the other is asked for: a first crawl needs them all, a later one needs few.
    """

    def __init__(self, rows: Rows, key: str, keys: list[Any]) -> None:
        self._rows = rows
        self._key = key
        self._keys = keys
        self._read: dict[Any, list[Mapping[str, Any]]] = {}
        self._until = 0
        self._ahead = 1

    def opener(self, number: int) -> Any:
        """Gives the content of a row of the page, when it is called."""
        return lambda: self._open(number)

    def _open(self, number: int) -> bytes:
        key = self._keys[number]
        if key not in self._read:
            self._ahead = min(self._ahead * 2, READ_AHEAD) if number == self._until else 1
            self._until = number + self._ahead
            self._read = self._rows.contents(self._key, self._keys[number : self._until])
        rows = self._read.get(key, [])
        if not rows:
            raise DocumentVanished("was deleted while the table was read")
        if len(rows) > 1:
            raise DocumentUnreadable(f"{len(rows)} rows have this {self._key}; it is no id")
        return self._rows.content(rows[0])


def _read_only(url: sa.URL) -> sa.URL:
    """A URL of SQLite that makes no new database where there is none. Raises ConfigurationError for no file."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return url
    file = Path(url.database).expanduser()
    if not file.is_file():
        raise ConfigurationError(f"source.url: there is no file {file}; a relative path begins in {Path.cwd()}")
    return url.set(database=file.absolute().as_uri()).update_query_dict({"mode": "ro", "uri": "true"})


def _reason(error: SQLAlchemyError) -> str:
    """What the database said, without the statement and its values."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _checkpoint(key: Any) -> str | None:
    """A key to go on after. Only whole numbers: a database may take two texts for one, and lose one of them."""
    return str(key) if isinstance(key, int) and not isinstance(key, bool) else None
