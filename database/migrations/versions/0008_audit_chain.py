"""The audit list is a chain, and decisions have a table."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from alembic import op

import database.types
from database.audit_guards import guard_statements, unguard_statements

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

GENESIS = "0" * 64
CHUNK = 5_000


def upgrade() -> None:
    with op.batch_alter_table("audit") as batch:
        batch.add_column(sa.Column("previous", sa.String(length=64)))
        batch.add_column(sa.Column("hash", sa.String(length=64)))
    _chain_rows()
    with op.batch_alter_table("audit") as batch:
        batch.alter_column("previous", existing_type=sa.String(length=64), nullable=False)
        batch.alter_column("hash", existing_type=sa.String(length=64), nullable=False)
        batch.create_unique_constraint(op.f("uq_audit_previous"), ["previous"])
    if _is_postgresql():  # numbers are given out under a lock from now on
        op.execute("ALTER TABLE audit ALTER COLUMN id DROP DEFAULT")
        op.execute("DROP SEQUENCE audit_id_seq")
    for statement in guard_statements(op.get_bind().dialect.name):
        op.get_bind().exec_driver_sql(statement)
    _create_tables()


def downgrade() -> None:
    """Keep the acts; the decisions are among them, and their own tables go."""
    op.drop_table("approval_decision")
    op.drop_table("approval_request")
    for statement in unguard_statements(op.get_bind().dialect.name):
        op.get_bind().exec_driver_sql(statement)
    with op.batch_alter_table("audit") as batch:
        batch.drop_constraint(op.f("uq_audit_previous"), type_="unique")
        batch.drop_column("hash")
        batch.drop_column("previous")
    if _is_postgresql():
        op.execute("CREATE SEQUENCE audit_id_seq OWNED BY audit.id")
        op.execute("ALTER TABLE audit ALTER COLUMN id SET DEFAULT nextval('audit_id_seq')")
        op.execute("SELECT setval('audit_id_seq', coalesce(max(id), 0) + 1, false) FROM audit")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _chain_rows() -> None:
    """Chain what earlier releases wrote, in its order; the numbers stay."""
    audit = sa.table(
        "audit",
        sa.column("id", sa.BigInteger()),
        sa.column("at", database.types.Moment(timezone=True)),
        *map(sa.column, ("who", "action", "subject", "detail", "previous", "hash")),
    )
    columns = [audit.c[name] for name in ("id", "at", "who", "action", "subject", "detail")]
    chain = (
        audit.update()
        .where(audit.c.id == sa.bindparam("row_id"))
        .values(previous=sa.bindparam("row_previous"), hash=sa.bindparam("row_hash"))
    )
    books, previous, last = op.get_bind(), GENESIS, 0
    while rows := books.execute(
        sa.select(*columns).where(audit.c.id > last).order_by(audit.c.id).limit(CHUNK)
    ).all():
        values = []
        for row in rows:
            after = _hash(previous, row)
            values.append({"row_id": row.id, "row_previous": previous, "row_hash": after})
            previous, last = after, row.id
        books.execute(chain, values)


def _hash(previous: str, row: Any) -> str:
    moment = row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    parts = [row.id, moment, row.who, row.action, row.subject, row.detail]
    canonical = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    content = hashlib.sha256(canonical.encode("ascii")).hexdigest()
    return hashlib.sha256(f"{previous}{content}".encode("ascii")).hexdigest()


def _create_tables() -> None:
    op.create_table(
        "approval_request",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("asked_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("flow_run", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_approval_request")),
    )
    op.create_table(
        "approval_decision",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("request", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "approve",
                "refuse",
                name="decision",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("decided_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("waived", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run", "request"],
            ["approval_request.run", "approval_request.number"],
            name=op.f("fk_approval_decision_run"),
        ),
        sa.PrimaryKeyConstraint(
            "run", "request", "position", name=op.f("pk_approval_decision")
        ),
    )
