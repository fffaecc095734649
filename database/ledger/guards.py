"""What makes the ledger append-only in the database itself."""

from __future__ import annotations

REFUSAL = "the ledger is append-only"
_ENTRY = (
    "key, account_key, kind, amount, counts, happened_on, happened_at, recorded_at, recorded_by, "
    "source, reference, payment_key"
)
_CHANGE = "id, account_key, field, value, told_at, feed"
FIXED = {"balance_entry": _ENTRY, "account_change": _CHANGE}  # what is never changed of each row


def guard_statements(dialect: str, table: str) -> tuple[str, ...]:
    """Return the statements that put the guards on a table, for a kind of database."""
    if dialect != "postgresql":
        return tuple(
            f"CREATE TRIGGER {table}_{when} BEFORE {what} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            for when, what in _writes(table)
        )
    function = f"""CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END$$"""
    triggers = (
        f"CREATE TRIGGER {table}_{when} BEFORE {what} ON {table} "
        f"FOR EACH {'STATEMENT' if when == 'truncate' else 'ROW'} EXECUTE FUNCTION ledger_refuse()"
        for when, what in (*_writes(table), ("truncate", "TRUNCATE"))
    )
    return (function, *triggers)


def unguard_statements(dialect: str, table: str) -> tuple[str, ...]:
    """Return the statements that take them off: for a migration, never for a release at work."""
    if dialect != "postgresql":
        return tuple(f"DROP TRIGGER IF EXISTS {table}_{when}" for when, _ in _writes(table))
    return tuple(
        f"DROP TRIGGER IF EXISTS {table}_{when} ON {table}"
        for when in ("update", "delete", "truncate")
    )


def _writes(table: str) -> tuple[tuple[str, str], ...]:
    return ("update", f"UPDATE OF {FIXED[table]}"), ("delete", "DELETE")
