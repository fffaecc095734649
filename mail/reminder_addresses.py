"""Where a debtor is reminded: every mailbox that belongs to the account, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account_email, cosigner, portal_link
from domain.deliveries import Recipient, RecipientSource
from mail.reminder_selection import Skipped
from mail.suppressing import suppressed_mailboxes
from rules.delivery import choose_recipients

CHUNK = 2_000  # rows in memory at a time


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
    Yield whoever is to be reminded, in the order of their account keys, a chunk at a time.

    One copy for each mailbox: the valid addresses of the customer record, all linked portal users
    and the landlord's, paperless or not.
    """
    suppressed = suppressed_mailboxes(books)
    query = _with_addresses(run, found).where(*conditions)
    rows = books.execute(query.execution_options(yield_per=CHUNK))
    for number, addresses in groupby(rows, key=attrgetter("account")):
        yield _to_debtor(number, list(addresses), suppressed)


def _to_debtor(number: str, rows: list[Any], suppressed: frozenset[str]) -> Debtor:
    by_source: dict[str, list[str]] = {source: [] for source in RecipientSource}
    for row in rows:
        if row.address is not None:
            by_source[row.source].append(row.address)
    landlord = by_source[RecipientSource.LANDLORD]
    everybody = choose_recipients(
        by_source[RecipientSource.CUSTOMER_RECORD],
        by_source[RecipientSource.PORTAL_USER],
        landlord[0] if landlord else None,
    )
    reached = tuple(one for one in everybody if one.mailbox not in suppressed)
    if reached:
        return Debtor(number, reached, None)
    return Debtor(number, (), Skipped.SUPPRESSED if everybody else Skipped.NO_ADDRESS)


def _with_addresses(run: str, found: Any) -> sa.Select[Any]:
    addresses = _addresses_of(run, found)
    return (
        sa.select(found.c.account, addresses.c.address, addresses.c.source)
        .select_from(found)
        .outerjoin(addresses, addresses.c.account_key == found.c.account_key)
        .where(found.c.reason.is_(None))
        .order_by(found.c.account_key, addresses.c.place, addresses.c.address)
    )


def _addresses_of(run: str, found: Any) -> Any:
    """Select every address that an account of these may be written to at."""

    def of(source: RecipientSource) -> sa.Label[str]:
        return sa.literal(source.value).label("source")

    place = sa.literal(0).label("place")
    record = sa.select(
        account_email.c.account_key,
        sa.cast(account_email.c.address, sa.Text).label("address"),
        of(RecipientSource.CUSTOMER_RECORD),
        account_email.c.position.label("place"),
    ).where(account_email.c.run == run, account_email.c.fault.is_(None))
    users = sa.select(
        portal_link.c.account_key,
        sa.cast(portal_link.c.address, sa.Text),
        of(RecipientSource.PORTAL_USER),
        place,
    ).where(portal_link.c.run == run)
    landlords = sa.select(
        found.c.account_key,
        sa.cast(cosigner.c.portal_user, sa.Text),
        of(RecipientSource.LANDLORD),
        place,
    ).join(
        cosigner,
        sa.and_(
            cosigner.c.run == run,
            cosigner.c.cosigner_id == found.c.cosigner_id,
            cosigner.c.portal_user != "",
        ),
    )
    return record.union_all(users, landlords).subquery("addresses")
