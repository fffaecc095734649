"""Whose accounts a page may show: those of whoever is signed in, and no other."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from database.queries.portal.accounts import PortalAccount, accounts_of_user
from database.queries.portal.bound_methods import newest_runs
from domain.accounts import account_key
from domain.identity import mailbox_of
from web.visits import Visit


def my_accounts(visit: Visit) -> list[PortalAccount]:
    """Return the accounts that the visitor sees (rules 123-135)."""
    with visit.office.database.reading() as books:
        return accounts_in(books, visit)


def accounts_in(books: Connection, visit: Visit) -> list[PortalAccount]:
    """Return the same by a transaction that is open."""
    user = visit.user
    return accounts_of_user(books, user.number, mailbox_of(user.address))


def my_account(visit: Visit) -> PortalAccount | None:
    """Return the account of the page's address, None where it is not the visitor's."""
    wanted = account_key(visit.path("account"))
    return next((one for one in my_accounts(visit) if one.account_key == wanted), None)


def my_known_account(visit: Visit) -> PortalAccount | None:
    """Return the same, None too while its only close is taken back: then no export tells of it."""
    mine = my_account(visit)
    if mine is None:
        return None
    with visit.office.database.reading() as books:
        return mine if mine.account_key in newest_runs(books, [mine.account_key]) else None
