"""A database on PostgreSQL that is emptied for one test after the other."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import metadata

_TABLES = [table.name for table in reversed(metadata.sorted_tables)]  # what refers to others first
_HOLDS_ROWS = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in _TABLES
)
_COUNT_ANEW = "SELECT " + ", ".join(
    f"setval('{table.name}_{table.autoincrement_column.name}_seq', 1, false)"
    for table in metadata.sorted_tables
    if table.autoincrement_column is not None
)
_END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND datname = current_database()"""


class UsedPostgres:
    """
    Empties the database at `url`.

    Its one connection stays: a new one would learn of every table again, which takes PostgreSQL
    longer than most tests. What holds no row is not touched.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = sa.create_engine(url, pool_size=1, max_overflow=0)

    def empty(self) -> None:
        """
        Delete what an earlier test left, its forgotten connections first.

        Where it migrated the tables or dropped them they are made anew.
        """
        with self._engine.begin() as connection:
            connection.exec_driver_sql(_END_OTHERS)
            if set(sa.inspect(connection).get_table_names()) == set(metadata.tables):
                _delete_rows(connection)
                return
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            metadata.create_all(connection)

    def close(self) -> None:
        self._engine.dispose()


def _delete_rows(connection: Connection) -> None:
    filled = connection.exec_driver_sql(_HOLDS_ROWS).scalars().all()
    statements = [f'DELETE FROM "{name}"' for name in filled]
    if "audit" in filled:  # it lets nothing go
        statements.insert(0, "ALTER TABLE audit DISABLE TRIGGER USER")
        statements.append("ALTER TABLE audit ENABLE TRIGGER USER")
    if statements:
        connection.exec_driver_sql("; ".join(statements))
    connection.exec_driver_sql(_COUNT_ANEW)
