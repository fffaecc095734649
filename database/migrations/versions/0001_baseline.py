"""
The baseline: every table as `database.tables` says it.

Nothing was released before it. At the first release the statements are written down here as they
are then, and each later change of a table is a revision of its own.
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
