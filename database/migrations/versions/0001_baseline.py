"""
The baseline: every table as `database.tables` says it.

A new database gets them all at once. What an older one holds is put into them by
`database.migrations.carrying`, from any state that `states.txt` names.
"""

from __future__ import annotations

from alembic import op

from database.migrating import NEWEST
from database.schema import metadata

revision = NEWEST
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
