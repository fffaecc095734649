"""The table that customers are found in: one short text an account (rules 170, 171)."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.making import make_table

customer_search = make_table(
    "customer_search",  # made anew by each close out of the account's newest closed period
    sa.Column("account_key", sa.String(64), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),  # of rules.customer_search.searchable
    sa.Column("district", sa.String(64), nullable=False, server_default=""),
    sa.Index(None, "district"),
    sqlite_with_rowid=False,  # read from its beginning to its end, in the order of the numbers
)
