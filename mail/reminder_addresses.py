"""Where a debtor is reminded: every mailbox that belongs to the account, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account_email, cosigner, portal_link
from domain.deliveries import Recipient
from mail.reminder_selection import Skipped
from mail.suppressing import suppressed_mailboxes
from rules.delivery import choose_recipients

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
    and the landlord's, paperless or not. Addresses are looked up by key, a chunk of accounts at a
    time: joined to the debts, of which PostgreSQL expects few, they took it hours.
    """
    suppressed = suppressed_mailboxes(books)
    query = (
        sa.select(found.c.account_key, found.c.account, found.c.cosigner_id)
        .where(found.c.reason.is_(None), *conditions)
        .order_by(found.c.account_key)
    )
    rows = books.execute(query.execution_options(yield_per=CHUNK))
    for chunk in rows.partitions():
        keys = [row.account_key for row in chunk]
        record = _addresses(books, run, account_email, keys, account_email.c.position)
        users = _addresses(books, run, portal_link, keys, portal_link.c.mailbox)
        landlords = _landlords(books, run, {row.cosigner_id for row in chunk})
        for row in chunk:
            everybody = choose_recipients(
                record[row.account_key], users[row.account_key], landlords.get(row.cosigner_id)
            )
            yield _to_debtor(row.account, everybody, suppressed)


def _to_debtor(number: str, everybody: tuple[Recipient, ...], suppressed: frozenset[str]) -> Debtor:
    reached = tuple(one for one in everybody if one.mailbox not in suppressed)
    if reached:
        return Debtor(number, reached, None)
    return Debtor(number, (), Skipped.SUPPRESSED if everybody else Skipped.NO_ADDRESS)


def _addresses(
    books: Connection, run: str, table: sa.Table, keys: Sequence[str], order: sa.Column[Any]
) -> dict[str, list[str]]:
    query = sa.select(table.c.account_key, table.c.address).where(
        table.c.run == run, table.c.account_key.in_(keys)
    )
    if "fault" in table.c:
        query = query.where(table.c.fault.is_(None))
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, address in books.execute(query.order_by(table.c.account_key, order)):
        found[key].append(address)
    return found


def _landlords(books: Connection, run: str, cosigners: Iterable[str]) -> dict[str, str]:
    """Return the portal user of each cosigner who has one (rule 133)."""
    query = sa.select(cosigner.c.cosigner_id, cosigner.c.portal_user).where(
        cosigner.c.run == run,
        cosigner.c.cosigner_id.in_(list(cosigners)),
        cosigner.c.portal_user != "",
    )
    return {row.cosigner_id: row.portal_user for row in books.execute(query)}
