"""Payments drawn again after a return, and events that a gateway told by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database.types


revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ONE, SEVERAL = "uq_scheduled_payment_run_account_key", "uq_scheduled_payment_run_account_key_number"


def upgrade() -> None:
    with op.batch_alter_table("scheduled_payment") as batch:
        batch.add_column(sa.Column("number", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("scheduled_payment") as batch:
        batch.alter_column("number", existing_type=sa.Integer(), server_default=None)
        batch.drop_constraint(op.f(ONE), type_="unique")
        batch.create_unique_constraint(op.f(SEVERAL), ["run", "account_key", "number"])
    with op.batch_alter_table("settlement") as batch:
        batch.add_column(sa.Column("gateway", sa.String(60), nullable=False, server_default=""))
    with op.batch_alter_table("settlement") as batch:
        batch.alter_column("gateway", existing_type=sa.String(60), server_default=None)
    op.create_table(
        "told_event",
        sa.Column("event_id", sa.String(length=120), nullable=False),
        sa.Column("gateway", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("draw_key", sa.String(length=140), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("amount", database.types.Cents(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("happened_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("received_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("taken_in_at", database.types.Moment(timezone=True), nullable=True),
        sa.CheckConstraint(
            "amount IS NULL OR typeof(amount) = 'integer'", name=op.f("ck_told_event_amount_whole")
        ).ddl_if(dialect="sqlite"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_told_event")),
    )


def downgrade() -> None:
    """
    Take it back where an earlier release has a place for everything.

    Money that was drawn again cannot be forgotten: the constraint refuses to come back over it.
    """
    op.drop_table("told_event")
    with op.batch_alter_table("settlement") as batch:
        batch.drop_column("gateway")
    with op.batch_alter_table("scheduled_payment") as batch:
        batch.drop_constraint(op.f(SEVERAL), type_="unique")
        batch.create_unique_constraint(op.f(ONE), ["run", "account_key"])
        batch.drop_column("number")
