"""Which accounts a portal user sees: the billing system's links and our own are one set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import account_link, landlord_link
from database.definitions.in_force import account_now
from database.queries.corrections import is_of_account, standing_corrections
from database.tables import account, balance_due, bill_run, cosigner, portal_link


@dataclass(frozen=True, slots=True)
class PortalAccount:
    """One account that a portal user sees; a landlord sees it through a cosigner (rule 133)."""

    account_key: str
    account: str
    period: str
    is_landlords: bool


def accounts_of_user(books: Connection, user: int, mailbox: str) -> list[PortalAccount]:
    """
    Return the accounts that a portal user sees, by number (rules 123-135, ruling 25).

    In force is what the user linked here, what the newest closed export of each account links to
    the user's mailbox unless it was unlinked here after that export was imported, and every
    account of a landlord that the user is.
    """
    keys: dict[str, bool] = {}
    for row in books.execute(_OWN, {"user": user}):
        keys[row.account_key] = False
    for row in books.execute(_EXPORTED, {"user": user, "mailbox": mailbox}):
        keys.setdefault(row.account_key, False)
    for row in books.execute(_LANDLORDS, {"user": user, "mailbox": mailbox}):
        keys.setdefault(row.account_key, True)
    if not keys:
        return []
    rows = books.execute(_NUMBERS, {"keys": list(keys)})
    return [
        PortalAccount(row.account_key, row.account, row.period, keys[row.account_key])
        for row in rows
    ]


def newest_account(books: Connection, key: str) -> Any:
    """
    Return an account of its newest closed period as it is in force now, None where none has it.

    What the feed changed since stands in the export's place. `corrected_due` is what its bill
    asks for where that was corrected.
    """
    corrected = standing_corrections()
    query = (
        sa.select(account_now, corrected.c.amount_due.label("corrected_due"))
        .join(
            balance_due,
            sa.and_(
                balance_due.c.account_key == account_now.c.account_key,
                balance_due.c.period == account_now.c.period,
            ),
        )
        .outerjoin(corrected, is_of_account(corrected, account_now))
        .where(account_now.c.account_key == key)
    )
    return books.execute(query).one_or_none()


_IS_NEWEST = sa.and_(
    balance_due.c.account_key == account.c.account_key, balance_due.c.period == account.c.period
)
_OWN = sa.select(account_link.c.account_key).where(
    account_link.c.user_number == sa.bindparam("user"), account_link.c.unlinked_at.is_(None)
)
_EXPORTED = (
    sa.select(portal_link.c.account_key)
    .join(
        balance_due,
        sa.and_(
            balance_due.c.account_key == portal_link.c.account_key,
            balance_due.c.period == portal_link.c.period,
        ),
    )
    .join(bill_run, bill_run.c.period == portal_link.c.period)
    .outerjoin(
        account_link,
        sa.and_(
            account_link.c.account_key == portal_link.c.account_key,
            account_link.c.user_number == sa.bindparam("user"),
        ),
    )
    .where(
        portal_link.c.mailbox == sa.bindparam("mailbox"),
        account_link.c.unlinked_at.is_(None)
        | (account_link.c.unlinked_at < bill_run.c.imported_at),
    )
)
_LANDLORDS = (
    sa.select(account.c.account_key)
    .join(balance_due, _IS_NEWEST)
    .where(
        account.c.cosigner_id != "",
        sa.or_(
            sa.exists().where(
                cosigner.c.period == account.c.period,
                cosigner.c.cosigner_id == account.c.cosigner_id,
                sa.func.lower(cosigner.c.portal_user) == sa.bindparam("mailbox"),
            ),
            account.c.cosigner_id.in_(
                sa.select(landlord_link.c.cosigner_id).where(
                    landlord_link.c.user_number == sa.bindparam("user"),
                    landlord_link.c.unlinked_at.is_(None),
                )
            ),
        ),
    )
)
_NUMBERS = (
    sa.select(balance_due.c.account_key, balance_due.c.account, balance_due.c.period)
    .where(balance_due.c.account_key.in_(sa.bindparam("keys", expanding=True)))
    .order_by(balance_due.c.account)
)
