"""Holds on reminders and what the health watch has found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS_BEFORE = (
    "bill", "payment-due", "past-due", "autopay-scheduled", "autopay-failed", "method-expiring",
    "receipt", "communication", "alert",
)
KINDS_AFTER = (*KINDS_BEFORE, "usage-export")


def upgrade() -> None:
    _create_holds()
    _change_kinds(KINDS_BEFORE, KINDS_AFTER)
    _create_health()
    _create_exports()


def downgrade() -> None:
    """An earlier release reminds without asking for holds, and has no mails with exports."""
    op.drop_index(op.f("ix_usage_export_expires_at"), table_name="usage_export")
    op.drop_table("usage_export")
    op.drop_table("work_done")
    op.drop_index("uq_incident_one_open", table_name="incident")
    op.drop_table("incident")
    gone = "(SELECT key FROM delivery WHERE kind = 'usage-export')"
    for table in ("suppressed_address", "bounce"):
        op.execute(f"UPDATE {table} SET delivery_key = NULL WHERE delivery_key IN {gone}")
    op.execute("DELETE FROM delivery WHERE kind = 'usage-export'")
    _change_kinds(KINDS_AFTER, KINDS_BEFORE)
    op.drop_index(op.f("ix_reminder_hold_account_key"), table_name="reminder_hold")
    op.drop_table("reminder_hold")


def _create_holds() -> None:
    op.create_table(
        "reminder_hold",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account_key", sa.String(length=64), nullable=True),
        sa.Column("account", sa.String(length=64), nullable=True),
        sa.Column("column_name", sa.String(length=40), nullable=True),
        sa.Column("value", sa.String(length=200), nullable=True),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("placed_by", sa.String(length=100), nullable=False),
        sa.Column("lifted_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=100), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(account_key IS NULL) <> (column_name IS NULL)",
            name=op.f("ck_reminder_hold_one_or_many"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_reminder_hold")),
    )
    op.create_index(op.f("ix_reminder_hold_account_key"), "reminder_hold", ["account_key"])



def _create_health() -> None:
    op.create_table(
        "incident",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("condition", sa.String(length=120), nullable=False),
        sa.Column("since", database.types.Moment(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("noticed_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("told_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("ended_at", database.types.Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_incident")),
    )
    op.create_index(
        "uq_incident_one_open",
        "incident",
        ["condition"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "work_done",
        sa.Column("command", sa.String(length=60), nullable=False),
        sa.Column("ended_at", database.types.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("command", name=op.f("pk_work_done")),
    )


def _create_exports() -> None:
    op.create_table(
        "usage_export",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("made_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("expires_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("removed_at", database.types.Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_export")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_usage_export_token_sha256")),
    )
    op.create_index(op.f("ix_usage_export_expires_at"), "usage_export", ["expires_at"])


def _change_kinds(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    with op.batch_alter_table("delivery") as batch:
        batch.alter_column(
            "kind",
            existing_type=_one_of(before, "kind"),
            type_=_one_of(after, "kind"),
            existing_nullable=False,
        )


def _one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)
