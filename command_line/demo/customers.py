"""Two customers of the invented city who can sign in to its portal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from office.equipment.office import Office

PASSWORD = "a demo is not a secret"  # noqa: S105 - of a city that does not exist


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """Whom a newcomer signs in as."""

    what: str
    address: str


def register_customers(office: Office) -> tuple[DemoCustomer, ...]:
    """Register a customer with two accounts and a landlord, as if they had done it themselves."""
    from identity.passwords import Passwords

    kept = Passwords().to_hash(PASSWORD)
    with office.database.writing() as books:
        return (*_with_two_accounts(books, kept, office), *_landlord(books, kept, office))


def _with_two_accounts(books: Connection, kept: str, office: Office) -> tuple[DemoCustomer, ...]:
    """Take a portal user of the export who has autopay, and link a neighbor's account as well."""
    from database.tables import account, balance_due, mandate, portal_link
    from domain.identity import LinkProof
    from identity.account_links import add_link

    linked = portal_link.c
    row = books.execute(
        sa.select(linked.address, linked.account_key)
        .join(mandate, mandate.c.account_key == linked.account_key)
        .join(balance_due, balance_due.c.account_key == linked.account_key)
        .where(mandate.c.active)
        .order_by(linked.account_key)
    ).first()
    if row is None:
        return ()
    user = _register(books, row.address, kept, office)
    second = books.scalar(
        sa.select(account.c.account_key)
        .join(balance_due, balance_due.c.account_key == account.c.account_key)
        .where(account.c.account_key > row.account_key, account.c.cosigner_id == "")
        .order_by(account.c.account_key)
    )
    if second:
        add_link(books, user, second, LinkProof.NAME, office.due_now(), "the customer")
    return (DemoCustomer("a customer with two accounts", row.address),)


def _landlord(books: Connection, kept: str, office: Office) -> tuple[DemoCustomer, ...]:
    from database.tables import cosigner

    row = cosigner.c
    address = books.scalar(
        sa.select(row.portal_user).where(row.portal_user != "").order_by(row.cosigner_id)
    )
    if not address:
        return ()
    _register(books, address, kept, office)
    return (DemoCustomer("a landlord", address),)


def _register(books: Connection, address: str, kept: str, office: Office) -> int:
    from domain.identity import UserState
    from identity.users import make_user, set_password

    user = make_user(books, address, office.due_now(), UserState.ACTIVE)
    set_password(books, user, kept, office.due_now())
    return user
