"""Carrying the rows of an older state's tables over into the tables of this release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.queries.customers.findable import make_all_findable
from database.schema import metadata
from database.tables import incident
from domain.failures import Misuse

ASIDE = "billclose_before"  # PostgreSQL: the schema of the old tables; SQLite: what they begin with

# -- what is named otherwise now -------------------------------------------------------------------

TABLES = {"gateway_payment": "scheduled_payment"}  # now: before (where the new one was not there)
COLUMNS = {"period": "run"}  # in whichever table: now, before

# -- what is found by a query of the old rows, which are `o` ---------------------------------------

FILLED = {
    "web_user.default_method": (
        "wallet_method.is_default",
        "COALESCE((SELECT MIN(w.token) FROM {wallet_method} w WHERE w.user_number = o.number "
        "AND w.is_default AND w.removed_at IS NULL), '')",
    ),
}
MADE = {  # tables that were not there, by what they are made of
    "once_closed": ("period_close", "INSERT INTO once_closed (period) SELECT {period} FROM {old}"),
    "checkout_line": (
        "checkout.amount",
        "INSERT INTO checkout_line (checkout, number, account_key, account, amount) "
        "SELECT key, 1, account_key, account, amount FROM {old}",
    ),
}

COMMAND_BEHIND = " At a terminal: "  # in incident.remedy, where incident.command was not there

# -- what is left behind, and why that loses nothing -----------------------------------------------

LEFT = {
    "customer_search",  # made anew, as `account_search` is
    "account_search",
    "checkout.account_key",  # in checkout_line
    "checkout.account",
    "checkout.amount",
    "wallet_method.is_default",  # in web_user.default_method
    "look_round.looks_today",  # counts of one day, which is over
    "look_round.starts_today",
    "look_round.failures_today",
    "look_round.longest_gap_seconds",
}


class _Unknown(Exception):
    """Something of the old tables has no place in the new ones."""


def carry_over(books: Connection, found: str) -> None:
    """
    Put the tables of this release in the place of older ones, with every row of them.

    In the transaction of whoever calls, so that a break leaves the old tables as they were. The
    new tables are made as in a new database; nothing of them depends on how the old ones were
    made. Raises Misuse, with nothing changed, where a table or a column has values that this
    release has no place for, or where an old row breaks a rule of the new tables.
    """
    tables = _OldTables(books)
    try:
        tables.require_known()
        tables.put_aside()
        metadata.create_all(books)
        with _without_triggers(books):
            for table in metadata.sorted_tables:
                _fill(books, tables, table)
        _part_advice(books, tables)
        tables.count_on()
        tables.drop()
        _require_references(books)
        make_all_findable(books)
    except _Unknown as fault:
        raise _refused(found, str(fault)) from None
    except (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError) as fault:
        raise _refused(found, f"the database said {type(fault.orig).__name__}") from None


def earlier_states() -> tuple[str, ...]:
    """Return the revisions that this release leads on from, the oldest first, itself the last."""
    lines = (Path(__file__).parent / "states.txt").read_text(encoding="ascii").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def _refused(found: str, why: str) -> Misuse:
    return Misuse(
        f"The database (schema {found}) cannot be brought up to date: {why}. Nothing was changed; "
        "go on with the program that made it, and see docs/upgrading.md.",
        "old-database",
    )


class _OldTables:
    """The tables that are there, by name with their columns, and where they are put aside."""

    def __init__(self, books: Connection) -> None:
        self.books = books
        self.is_sqlite = books.dialect.name == "sqlite"
        inspector = sa.inspect(books)
        self.columns = {
            name: [column["name"] for column in inspector.get_columns(name)]
            for name in inspector.get_table_names()
            if name != "billclose_version"
        }
        self.sources: dict[str, str] = {}  # new table: the old one that its rows came from

    def source_of(self, table: str) -> str | None:
        """Return the old table that a new one's rows are in."""
        if table in self.columns:
            return table
        before = TABLES.get(table, "")
        return before if before in self.columns else None

    def has(self, place: str) -> bool:
        table, _, column = place.partition(".")
        return table in self.columns and (not column or column in self.columns[table])

    def column_of(self, table: str, column: str) -> str | None:
        """Return the old table's column that a new column's values are in."""
        there = self.columns[table]
        before = COLUMNS.get(column, "")
        return column if column in there else before if before in there else None

    def require_known(self) -> None:
        """Raise _Unknown where something has values and this release has no place for it."""
        readers = {self.source_of(table.name): table for table in metadata.sorted_tables}
        for name, columns in self.columns.items():
            if name in LEFT:
                continue
            table = readers.get(name)
            if table is None:
                self._require_empty(name, "1 = 1", f"its table {name} has rows and no place here")
                continue
            used = {self.column_of(name, column.name) for column in table.columns}
            for column in columns:
                if column not in used and f"{name}.{column}" not in LEFT:
                    self._require_empty(
                        name,
                        f'"{column}" IS NOT NULL',
                        f"its column {name}.{column} has values and no place here",
                    )

    def _require_empty(self, table: str, condition: str, sentence: str) -> None:
        query = f'SELECT 1 FROM "{table}" WHERE {condition} LIMIT 1'
        if self.books.exec_driver_sql(query).first():
            raise _Unknown(sentence)

    def aside(self, table: str) -> str:
        return f'"{ASIDE}_{table}"' if self.is_sqlite else f'"{ASIDE}"."{table}"'

    def put_aside(self) -> None:
        """Move every table out of the way, without the views, triggers and indexes of ours."""
        if self.is_sqlite:
            self._drop_parts()
            self.books.exec_driver_sql("PRAGMA legacy_alter_table=ON")  # it follows no reference
            for name in self.columns:
                self.books.exec_driver_sql(f'ALTER TABLE "{name}" RENAME TO {self.aside(name)}')
            self.books.exec_driver_sql("PRAGMA legacy_alter_table=OFF")
            return
        self._require_right()
        for name in sa.inspect(self.books).get_view_names():
            self.books.exec_driver_sql(f'DROP VIEW "{name}" CASCADE')
        self.books.exec_driver_sql(f'CREATE SCHEMA "{ASIDE}"')
        for name in self.columns:
            self.books.exec_driver_sql(f'ALTER TABLE "{name}" SET SCHEMA "{ASIDE}"')

    def _require_right(self) -> None:
        query = "SELECT has_database_privilege(current_database(), 'CREATE')"
        if not self.books.exec_driver_sql(query).scalar_one():
            raise _Unknown(
                "its user may make no schema, where the old tables stand meanwhile (GRANT CREATE "
                "ON DATABASE … TO …)"
            )

    def _drop_parts(self) -> None:
        query = "SELECT type, name FROM sqlite_master WHERE type = ? AND sql IS NOT NULL"
        for kind in ("trigger", "view", "index"):
            for _, name in self.books.exec_driver_sql(query, (kind,)).all():
                self.books.exec_driver_sql(f'DROP {kind.upper()} "{name}"')

    def count_on(self) -> None:
        """Let numbers that count themselves up go on after the last that was ever given."""
        if self.is_sqlite:
            return
        serials = (
            (table.name, column.name)
            for table in metadata.sorted_tables
            for column in table.columns
            if column is table.autoincrement_column
        )
        for table, column in serials:
            sequence = f"pg_get_serial_sequence('{table}', '{column}')"
            if self.books.exec_driver_sql(f"SELECT {sequence}").scalar() is None:
                continue
            highest = [f'SELECT MAX("{column}") FROM "{table}"']
            if self.has(f"{table}.{column}"):
                before = f"pg_get_serial_sequence('{ASIDE}.{table}', '{column}')"
                highest.append(f"SELECT pg_sequence_last_value({before}::regclass)")
            last = self.books.exec_driver_sql(
                f"SELECT MAX(n) FROM ({' UNION ALL '.join(highest)}) AS numbers (n)"
            ).scalar()
            if last is not None:
                self.books.exec_driver_sql(f"SELECT setval({sequence}, {int(last)})")

    def drop(self) -> None:
        """Take the old tables away, and what belonged to them alone."""
        if self.is_sqlite:
            for name in self.columns:
                self.books.exec_driver_sql(f"DROP TABLE {self.aside(name)}")
            return
        self.books.exec_driver_sql(f'DROP SCHEMA "{ASIDE}" CASCADE')
        unused = self.books.exec_driver_sql(
            "SELECT p.oid::regprocedure FROM pg_proc p WHERE p.prorettype = 'trigger'::regtype "
            "AND p.pronamespace = current_schema()::regnamespace "
            "AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgfoid = p.oid)"
        )
        for function in unused.scalars().all():
            self.books.exec_driver_sql(f"DROP FUNCTION {function}")


@contextmanager
def _without_triggers(books: Connection) -> Iterator[None]:
    """Let rows in as they were: what is append-only was so before, and closes are remembered."""
    if books.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        triggers = books.exec_driver_sql(query).all()
        for name, _ in triggers:
            books.exec_driver_sql(f'DROP TRIGGER "{name}"')
        yield
        for _, statement in triggers:
            books.exec_driver_sql(statement)
        return
    for table in metadata.sorted_tables:
        books.exec_driver_sql(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER')
    yield
    for table in metadata.sorted_tables:
        books.exec_driver_sql(f'ALTER TABLE "{table.name}" ENABLE TRIGGER USER')


def _require_references(books: Connection) -> None:
    """Raise _Unknown where a row refers to one that is not there; PostgreSQL looked each time."""
    if books.dialect.name == "sqlite":
        broken = books.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken:
            raise _Unknown(
                f"a row of its table {broken[0]} refers to one of {broken[2]} that is gone"
            )


def _fill(books: Connection, tables: _OldTables, table: sa.Table) -> None:
    source = tables.source_of(table.name)
    if table.name in LEFT:
        return
    if source is None:
        _make(books, tables, table.name)
        return
    pairs = dict(_columns(books, tables, table, source))
    names = ", ".join(f'"{name}"' for name in pairs)
    values = ", ".join(pairs.values())
    old = tables.aside(source)
    books.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM {old} o')
    count = "SELECT (SELECT COUNT(*) FROM {}), (SELECT COUNT(*) FROM {})"
    before, now = books.exec_driver_sql(count.format(old, f'"{table.name}"')).one()
    if before != now:
        raise _Unknown(f"of {before:,} rows of its table {source} {now:,} arrived")


def _part_advice(books: Connection, tables: _OldTables) -> None:
    """Part the advice of incidents from what is typed for it, which stood at the end of it."""
    if not tables.has("incident") or tables.has("incident.command"):
        return
    rows = sa.select(incident.c.key, incident.c.remedy).where(
        incident.c.remedy.contains(COMMAND_BEHIND)
    )
    for row in books.execute(rows).all():
        remedy, _, command = row.remedy.partition(COMMAND_BEHIND)
        parted = incident.update().where(incident.c.key == row.key)
        books.execute(parted.values(remedy=remedy, command=command))


def _make(books: Connection, tables: _OldTables, name: str) -> None:
    needs, statement = MADE.get(name, ("", ""))
    if not needs or not tables.has(needs):
        return
    table = needs.partition(".")[0]
    period = tables.column_of(table, "period")
    books.exec_driver_sql(statement.format(old=tables.aside(table), period=period))


def _columns(
    books: Connection, tables: _OldTables, table: sa.Table, source: str
) -> Iterator[tuple[str, str]]:
    """Yield the new table's columns, each with what gives its value; the others have defaults."""
    for column in table.columns:
        before = tables.column_of(source, column.name)
        needs, query = FILLED.get(f"{table.name}.{column.name}", ("", ""))
        if before is not None:
            yield column.name, f'o."{before}"'
        elif needs and tables.has(needs):
            aside = {name: tables.aside(name) for name in tables.columns}
            yield column.name, query.format(**aside)
        elif column.server_default is None and not column.nullable:
            yield column.name, _default(books, tables, column, source)


def _default(books: Connection, tables: _OldTables, column: sa.Column[object], source: str) -> str:
    """Return what a column gets that the old rows lack; raise _Unknown where nobody knows."""
    default = column.default
    if default is not None and default.is_scalar:
        literal = sa.literal(default.arg, column.type)  # type: ignore[attr-defined]
        return str(literal.compile(books, compile_kwargs={"literal_binds": True}))
    if books.exec_driver_sql(f"SELECT 1 FROM {tables.aside(source)} LIMIT 1").first():
        raise _Unknown(f"nothing says what {column.table.name}.{column.name} of its rows is")
    return "NULL"
