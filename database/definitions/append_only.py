"""Tables to which rows can only be added, by any program."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def keep_for_good(table: sa.Table) -> None:
    """Have the database refuse every change of a row, and that it be taken away."""

    @sa.event.listens_for(table, "after_create")
    def guard(_table: sa.Table, connection: sa.Connection, **_options: Any) -> None:
        is_postgresql = connection.dialect.name == "postgresql"
        statements = _postgresql(table.name) if is_postgresql else _sqlite(table.name)
        for statement in statements:
            connection.exec_driver_sql(statement)


def _sqlite(name: str) -> list[str]:
    return [
        f"CREATE TRIGGER {name}_{act.lower()} BEFORE {act} ON {name} "
        f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
        for act in ("UPDATE", "DELETE")
    ]


def _postgresql(name: str) -> list[str]:
    return [
        f"CREATE OR REPLACE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{name} is append-only'; END $$",
        f"CREATE TRIGGER {name}_change BEFORE UPDATE OR DELETE ON {name} "
        f"FOR EACH ROW EXECUTE FUNCTION {name}_refuse()",
    ]
