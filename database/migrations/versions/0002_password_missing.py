"""A bill may go on paper because nothing could lock the e-mailed one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEFORE = ("send-paper", "no-valid-email", "no-ebill", "ebill-bounced")
AFTER = (*BEFORE, "password-missing")
PLACES = (("delivery_plan", "paper", True), ("paper", "reason", False))


def upgrade() -> None:
    for table, column, nullable in PLACES:
        _change(table, column, nullable, BEFORE, AFTER)


def downgrade() -> None:
    for table, column, nullable in PLACES:
        op.execute(
            f"UPDATE {table} SET {column} = 'no-valid-email' WHERE {column} = 'password-missing'"
        )
        _change(table, column, nullable, AFTER, BEFORE)


def _change(
    table: str, column: str, nullable: bool, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    with op.batch_alter_table(table) as batch:
        batch.alter_column(
            column,
            existing_type=_one_of(before, column),
            type_=_one_of(after, column),
            existing_nullable=nullable,
        )


def _one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)
