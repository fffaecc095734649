"""What changed on accounts between two exports, as the feed tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.feed.choices import take_as_taken
from billing_system.feed.findings import Findings
from database.ledger.tables import account_change, told_address
from database.queries.customers.findable import refresh_found
from database.tables import account
from domain.feeds import AccountChange, ChangeField
from rules.mail.written_addresses import split_addresses

SOME = 500  # accounts that one statement names


def record_changes(
    books: Connection,
    feed: int,
    changes: Sequence[AccountChange],
    told_at: datetime,
    now: datetime,
    who: str,
    findings: Findings,
) -> int:
    """
    Add what changed on accounts, each field of a file once; return how many fields are new.

    What a customer chose with us and the billing system now tells us is taken there. A change of
    an account that no export has is a finding: nobody could be billed by it.
    """
    keys = sorted({change.key for change in changes})
    known, stands = _known_accounts(books, keys), _recorded(books, feed)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for change in changes:
        if change.key not in known:
            findings.add_account(books, change.account, "is changed, and no export has it")
            continue
        for name, value in change.values.items():
            if (change.key, name.value) not in stands:
                rows[change.key, name.value] = {
                    "account_key": change.key,
                    "field": name.value,
                    "value": value,
                    "told_at": told_at,
                    "feed": feed,
                }
    if rows:
        _record(books, list(rows.values()))
        told = [(key, field, row["value"]) for (key, field), row in rows.items()]
        take_as_taken(books, told, now, who)
        refresh_found(books, {key for key, _, _ in told})
    return len(rows)


def _record(books: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add changes, those of e-mail fields with their addresses, split as an export's are."""
    emails = [row for row in rows if row["field"] == ChangeField.EMAIL]
    others = [row for row in rows if row["field"] != ChangeField.EMAIL]
    if others:
        books.execute(account_change.insert(), others)
    addresses = [
        {"change": number, "position": position, "address": one.address, "fault": one.fault}
        for row in emails
        for number in books.scalars(account_change.insert().returning(account_change.c.id), row)
        for position, one in enumerate(split_addresses(row["value"]))
    ]
    if addresses:
        books.execute(told_address.insert(), addresses)


def _known_accounts(books: Connection, keys: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for first in range(0, len(keys), SOME):
        some = account.c.account_key.in_(keys[first : first + SOME])
        known.update(books.scalars(sa.select(account.c.account_key).where(some).distinct()))
    return known


def _recorded(books: Connection, feed: int) -> set[tuple[str, str]]:
    rows = account_change.c
    query = sa.select(rows.account_key, rows.field).where(rows.feed == feed)
    return {(row.account_key, row.field) for row in books.execute(query)}
