"""How Alembic reaches the books; called by database.migrating, never from a shell."""

from __future__ import annotations

from alembic import context

from database.migrating import VERSION
from database.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
