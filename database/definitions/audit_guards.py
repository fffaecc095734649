"""What makes the audit list append-only in the database itself."""

from __future__ import annotations

from domain.audit_chain import GENESIS

REFUSAL = "the audit list is append-only"
OUT_OF_ORDER = "a row of the audit list follows the newest one"
_NEWEST = "(SELECT hash FROM audit ORDER BY id DESC LIMIT 1)"

SQLITE = (
    f"""CREATE TRIGGER audit_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    f"""CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    f"""CREATE TRIGGER audit_insert BEFORE INSERT ON audit
WHEN NEW.previous <> coalesce({_NEWEST}, '{GENESIS}')
    OR NEW.id <= coalesce((SELECT max(id) FROM audit), 0)
BEGIN SELECT RAISE(ABORT, '{OUT_OF_ORDER}'); END""",
)
POSTGRESQL = (
    f"""CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END$$""",
    f"""CREATE OR REPLACE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
    IF NEW.previous <> coalesce({_NEWEST}, '{GENESIS}')
        OR NEW.id <= coalesce((SELECT max(id) FROM audit), 0) THEN
        RAISE EXCEPTION '{OUT_OF_ORDER}' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END$$""",
    """CREATE TRIGGER audit_change BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_insert BEFORE INSERT ON audit
FOR EACH ROW EXECUTE FUNCTION audit_append()""",
)
SQLITE_AWAY = (
    "DROP TRIGGER IF EXISTS audit_update",
    "DROP TRIGGER IF EXISTS audit_delete",
    "DROP TRIGGER IF EXISTS audit_insert",
)
POSTGRESQL_AWAY = (
    "DROP TRIGGER IF EXISTS audit_change ON audit",
    "DROP TRIGGER IF EXISTS audit_truncate ON audit",
    "DROP TRIGGER IF EXISTS audit_insert ON audit",
    "DROP FUNCTION IF EXISTS audit_refuse()",
    "DROP FUNCTION IF EXISTS audit_append()",
)


def guard_statements(dialect: str) -> tuple[str, ...]:
    """Return the statements that put the guards on the table, for a kind of database."""
    return POSTGRESQL if dialect == "postgresql" else SQLITE


def unguard_statements(dialect: str) -> tuple[str, ...]:
    """Return the statements that take them off: for a migration, never for a release at work."""
    return POSTGRESQL_AWAY if dialect == "postgresql" else SQLITE_AWAY
