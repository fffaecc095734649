"""Where a debtor is reminded: every mailbox that belongs to the account, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.deliveries import Recipient
from domain.reminders import Skipped
from mail.recipients import Some, read_addresses
from mail.suppressing import suppressed_mailboxes

CHUNK = 2_000  # accounts in memory at a time


@dataclass(frozen=True, slots=True)
class Debtor:
    """An account to remind; without recipients, `skipped` says why nobody can be."""

    account: str
    recipients: tuple[Recipient, ...]
    skipped: Skipped | None


def read_debtors(
    books: Connection, run: str, found: Any, *conditions: sa.ColumnElement[bool]
) -> Iterator[Debtor]:
    """
    Yield whoever is to be reminded, in the order of their account keys.

    One copy for each mailbox: the valid addresses of the customer record, all linked portal users
    and the landlord's, paperless or not.
    """
    suppressed = suppressed_mailboxes(books)
    query = (
        sa.select(found.c.account_key, found.c.account, found.c.cosigner_id)
        .where(found.c.reason.is_(None), *conditions)
        .order_by(found.c.account_key)
    )
    rows = books.execute(query.execution_options(yield_per=CHUNK))
    for chunk in rows.partitions():
        some = Some([row.account_key for row in chunk], [row.cosigner_id for row in chunk])
        known = read_addresses(books, run, some)
        for row in chunk:
            everybody = known.of(row.account_key, row.cosigner_id)
            yield _to_debtor(row.account, everybody, suppressed)


def _to_debtor(number: str, everybody: tuple[Recipient, ...], suppressed: frozenset[str]) -> Debtor:
    reached = tuple(one for one in everybody if one.mailbox not in suppressed)
    if reached:
        return Debtor(number, reached, None)
    return Debtor(number, (), Skipped.SUPPRESSED if everybody else Skipped.NO_ADDRESS)
