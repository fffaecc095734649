"""Splitting on many machines: batches, and where the bulk files are shared."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database.types


revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("bulk_file") as batch:
        batch.add_column(sa.Column("shared_sha256", sa.String(length=64)))
    op.create_table(
        "split_batch",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bulk", sa.Integer(), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("release", sa.String(length=40), nullable=False),
        sa.Column("bills", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "taken",
                "done",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=200)),
        sa.Column("lease_until", database.types.Moment(timezone=True)),
        sa.Column("started_at", database.types.Moment(timezone=True)),
        sa.Column("finished_at", database.types.Moment(timezone=True)),
        sa.Column("outcome", sa.Text()),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_split_batch_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_split_batch")),
    )


def downgrade() -> None:
    """An earlier release splits on one machine, from its own copies of the bulk files."""
    op.drop_table("split_batch")
    with op.batch_alter_table("bulk_file") as batch:
        batch.drop_column("shared_sha256")
