"""Customers invited to the portal by staff, one by one or many (rules 142, 144-148)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.identity import account_link
from database.definitions.in_force import email_in_force
from domain.failures import Refused
from domain.identity import LinkKind, LinkProof, PortalMail, PortalUser, UserState
from identity.account_links import add_link
from identity.activity import record_activity
from identity.registering import access_mail
from identity.tokens import LinkTokens
from identity.users import (
    find_by_mailbox,
    find_user,
    has_password,
    is_left_lately,
    make_user,
)

ADDRESS_LEFT = (
    "A portal user signed in with that address until some days ago, and may put it back until a "
    "week after the change; invite another address, or wait."
)
MAY_BE_MAILED = (UserState.ACTIVE, UserState.INVITED, UserState.UNVERIFIED)


def invite(
    books: Connection,
    tokens: LinkTokens,
    period: str,
    key: str,
    address: str,
    by: str,
    now: datetime,
) -> tuple[PortalMail, ...]:
    """
    Make a portal user of an address, link the account, and return the mails to create credentials.

    Every address on file gets the mail where `address` is one of them (rule 30). Who has
    credentials keeps them: the account is linked, and nobody is mailed. Raises Refused for whoever
    is locked.
    """
    user = find_by_mailbox(books, address)
    if user is not None and user.state not in MAY_BE_MAILED:
        raise Refused(
            "locked-already", "That address belongs to a portal account that is locked; unlock it."
        )
    if user is None and is_left_lately(books, address, now):
        raise Refused("address-left", ADDRESS_LEFT)
    if user is None:
        number = make_user(books, address, now, UserState.INVITED)
        user = find_user(books, number)
    assert user is not None
    if not _is_linked(books, user.number, key):
        add_link(books, user.number, key, LinkProof.STAFF, now, by)
    if has_password(books, user.number) and user.state is UserState.ACTIVE:
        return ()
    mail = access_mail(books, tokens, user, now)
    record_activity(books, user.number, "invited", now, account_key=key, by=by)
    record_audit(books, now, by, "invite", f"customer {user.number}", key)
    others = addresses_on_file(books, period, key)
    if user.mailbox not in {one.casefold() for one in others}:
        return (mail,)
    return tuple(PortalMail(mail.form, one, mail.user, mail.link) for one in others)


def send_access_mail(
    books: Connection, tokens: LinkTokens, user: PortalUser, by: str, now: datetime
) -> PortalMail:
    """
    Return the one mail that the state allows: reset, create or verify (rules 144, 147, 148).

    Raises Refused where the portal account is locked: unlock first (rule 154).
    """
    if user.state not in MAY_BE_MAILED:
        raise Refused("locked-already", "Unlock the portal account first; no mail was sent.")
    mail = access_mail(books, tokens, user, now)
    record_activity(books, user.number, f"{_SENT[mail.form]} sent", now, by=by)
    record_audit(books, now, by, f"send {_SENT[mail.form]}", f"customer {user.number}")
    return mail


_SENT = {
    "verify": "verification link",
    "reset": "password reset link",
    "invitation": "create-credentials link",
}
FITTING = {
    LinkKind.VERIFY: "Send verification link",
    LinkKind.RESET_PASSWORD: "Send password reset link",
    LinkKind.CREATE_CREDENTIALS: "Send create credentials link",
}


def fitting_mail(books: Connection, user: PortalUser) -> LinkKind:
    """Return the kind of the one mail that a state allows (rule 148)."""
    if user.state is UserState.UNVERIFIED:
        return LinkKind.VERIFY
    if has_password(books, user.number):
        return LinkKind.RESET_PASSWORD
    return LinkKind.CREATE_CREDENTIALS


def addresses_on_file(books: Connection, period: str, key: str) -> list[str]:
    """Return the good addresses of an account's record, in their order (rules 22, 30)."""
    row = email_in_force.c
    query = sa.select(row.address).where(
        row.period == period, row.account_key == key, row.fault.is_(None)
    )
    return list(dict.fromkeys(books.scalars(query.order_by(row.position))))


def _is_linked(books: Connection, user: int, key: str) -> bool:
    row = account_link.c
    query = sa.select(row.number).where(
        row.user_number == user, row.account_key == key, row.unlinked_at.is_(None)
    )
    return books.scalar(query) is not None
