"""The customers of a run's export, as the splitter needs to know them."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import account, cosigner, portal_link
from splitter.association.knowledge import Knowledge, KnownCustomer


def known_customers(database: Database, period: str) -> Knowledge:
    """Return whose accounts, names and addresses there are, and who may stand beside whom."""
    with database.reading() as books:
        users = _portal_users(books, period)
        rows = books.execute(
            sa.select(
                account.c.account_key,
                account.c.account,
                account.c.name,
                account.c.service_address,
                account.c.mailing_address,
                account.c.cosigner_id,
                cosigner.c.portal_user,
            )
            .outerjoin(
                cosigner,
                sa.and_(
                    cosigner.c.period == account.c.period,
                    cosigner.c.cosigner_id == account.c.cosigner_id,
                ),
            )
            .where(account.c.period == period)
        )
        return Knowledge.of(
            KnownCustomer(
                account=row.account,
                names=(row.name,),
                addresses=(row.service_address, row.mailing_address),
                families=_families(row.cosigner_id, row.portal_user, users[row.account_key]),
            )
            for row in rows
        )


def known_accounts(database: Database, period: str) -> dict[str, str]:
    """Return a run's accounts by their keys, as the export writes them."""
    with database.reading() as books:
        rows = books.execute(
            sa.select(account.c.account_key, account.c.account).where(account.c.period == period)
        )
        return {row.account_key: row.account for row in rows}


def _portal_users(books: Connection, period: str) -> defaultdict[str, list[str]]:
    users: defaultdict[str, list[str]] = defaultdict(list)
    query = sa.select(portal_link.c.account_key, portal_link.c.mailbox)
    for key, mailbox in books.execute(query.where(portal_link.c.period == period)):
        users[key].append(mailbox)
    return users


def _families(cosigner_id: str, landlord: str | None, users: list[str]) -> tuple[str, ...]:
    families = [f"user {mailbox.casefold()}" for mailbox in users]
    if cosigner_id:
        families.append(f"cosigner {cosigner_id}")
    if landlord:
        families.append(f"user {landlord.casefold()}")
    return tuple(families)
