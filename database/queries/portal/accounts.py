"""Which accounts a portal user sees: the billing system's links and our own are one set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import account_link, landlord_link
from database.definitions.in_force import account_now
from database.prepared import Prepared
from database.queries.balances import stands_with
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
    rows = _MINE.rows(books, {"user": user, "mailbox": mailbox})
    return [
        PortalAccount(row.account_key, row.account, row.period, bool(row.is_landlords))
        for row in rows
    ]


def has_accounts_to_come(books: Connection, user: int, mailbox: str) -> bool:
    """Tell whether a portal user is linked to accounts, of which none stands yet (rule 3)."""
    row, listed = account_link.c, portal_link.c
    mine = sa.exists().where(row.user_number == user, row.unlinked_at.is_(None))
    taken_off = sa.exists().where(
        row.user_number == user,
        row.account_key == listed.account_key,
        row.unlinked_at.is_not(None),
    )
    by_export = sa.exists().where(listed.mailbox == mailbox, ~taken_off)
    as_landlord = sa.exists().where(sa.func.lower(cosigner.c.portal_user) == mailbox)
    return bool(books.scalar(sa.select(mine | by_export | as_landlord)))


def seen_accounts() -> sa.Select[tuple[str]]:
    """Select the keys of the accounts that the user `user` of the mailbox `mailbox` sees."""
    return sa.select(_SEEN.c.account_key)


def newest_account(books: Connection, key: str) -> Any:
    """
    Return an account of its newest closed period as it is in force now, None where none has it.

    What the feed changed since stands in the export's place. `corrected_due` is what its bill
    asks for where that was corrected.
    """
    corrected = standing_corrections()
    query = (
        sa.select(account_now, corrected.c.amount_due.label("corrected_due"))
        .join(balance_due, stands_with(account_now))
        .outerjoin(corrected, is_of_account(corrected, account_now))
        .where(account_now.c.account_key == key)
    )
    return books.execute(query).one_or_none()


_USER: sa.BindParameter[int] = sa.bindparam("user")
_MAILBOX: sa.BindParameter[str] = sa.bindparam("mailbox")
_HAS_LANDLORD = sa.text("account.cosigner_id <> ''")  # written out: the index has it so
_OWN = sa.select(account_link.c.account_key, sa.literal(0).label("is_landlords")).where(
    account_link.c.user_number == _USER, account_link.c.unlinked_at.is_(None)
)
_EXPORTED = (
    sa.select(portal_link.c.account_key, sa.literal(0))
    .join(balance_due, stands_with(portal_link))
    .join(bill_run, bill_run.c.period == portal_link.c.period)
    .outerjoin(
        account_link,
        sa.and_(
            account_link.c.account_key == portal_link.c.account_key,
            account_link.c.user_number == _USER,
        ),
    )
    .where(
        portal_link.c.mailbox == _MAILBOX,
        account_link.c.unlinked_at.is_(None)
        | (account_link.c.unlinked_at < bill_run.c.imported_at),
    )
)
_LET = (
    sa.select(account.c.account_key, sa.literal(1))
    .join(cosigner, cosigner.c.cosigner_id == account.c.cosigner_id)
    .join(bill_run, bill_run.c.period == cosigner.c.period)
    .outerjoin(
        landlord_link,
        sa.and_(
            landlord_link.c.cosigner_id == cosigner.c.cosigner_id,
            landlord_link.c.user_number == _USER,
        ),
    )
    .where(
        sa.func.lower(cosigner.c.portal_user) == _MAILBOX,
        cosigner.c.period == account.c.period,
        _HAS_LANDLORD,
        landlord_link.c.unlinked_at.is_(None)
        | (landlord_link.c.unlinked_at < bill_run.c.imported_at),
    )
    .join(balance_due, stands_with(account))
)
_LET_HERE = (
    sa.select(account.c.account_key, sa.literal(1))
    .join(landlord_link, landlord_link.c.cosigner_id == account.c.cosigner_id)
    .where(
        landlord_link.c.user_number == _USER, landlord_link.c.unlinked_at.is_(None), _HAS_LANDLORD
    )
    .join(balance_due, stands_with(account))
)
_SEEN = sa.union_all(_OWN, _EXPORTED, _LET, _LET_HERE).subquery("seen")
_MINE = Prepared(
    sa.select(
        balance_due.c.account_key,
        balance_due.c.account,
        balance_due.c.period,
        sa.func.min(_SEEN.c.is_landlords).label("is_landlords"),
    )
    .join(_SEEN, _SEEN.c.account_key == balance_due.c.account_key)
    .group_by(balance_due.c.account_key, balance_due.c.account, balance_due.c.period)
    .order_by(balance_due.c.account)
)
