"""Whose accounts a page may show: those of whoever is signed in, and no other."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from database.queries.portal.accounts import PortalAccount, accounts_of_user
from domain.accounts import account_key
from domain.identity import mailbox_of
from web.visits import Visit


def my_accounts(visit: Visit) -> list[PortalAccount]:
    """
    Return the accounts that the visitor sees (rules 123-135).

    One whose only close was taken back has nothing to show until it is closed again (rule 3).
    """
    with visit.office.database.reading() as books:
        return accounts_in(books, visit)


def accounts_in(books: Connection, visit: Visit) -> list[PortalAccount]:
    """Return the same by a transaction that is open."""
    user = visit.user
    seen = accounts_of_user(books, user.number, mailbox_of(user.address))
    return [one for one in seen if one.period]  # none: as the books have it after that


def my_account(visit: Visit) -> PortalAccount | None:
    """Return the account of the page's address, None where it is not the visitor's."""
    wanted = account_key(visit.path("account"))
    return next((one for one in my_accounts(visit) if one.account_key == wanted), None)
