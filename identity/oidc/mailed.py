"""Connecting an account elsewhere by a mailed link, which registers whoever is new here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import one_time_link
from database.definitions.oidc import oidc_request
from domain.identity import LINK_HOURS, LinkKind, PortalMail, PortalUser, UserState
from identity.activity import record_activity
from identity.attempts.counting import count_bad, record_attempt
from identity.oidc.identities import connect
from identity.oidc.provider import OutsideAccount
from identity.oidc.requests import CONNECTS_FOR, end_unknown
from identity.one_time_links import OneTimeLink, find_link, make_link, revoke_links, use_link
from identity.tokens import LinkTokens, token_hash
from identity.users import (
    change_state,
    drop_password,
    find_by_mailbox,
    find_user,
    is_left_lately,
    keep_language,
    keep_phone,
    make_user,
)

MAILS_MOST = 5  # a day to one portal user, whoever asks
DAY = timedelta(days=1)
KINDS = frozenset({LinkKind.CONNECT_IDENTITY})
NEW = frozenset({UserState.INVITED, UserState.UNVERIFIED})  # who has not been in here yet
MAY_CONNECT = NEW | {UserState.ACTIVE}


@dataclass(frozen=True, slots=True)
class MailedConnection:
    """What a mailed link would connect; `account` is None in every browser but the one."""

    link: OneTimeLink
    address: str
    account: OutsideAccount | None
    goes_on_to: str = "/"
    is_new: bool = False  # its button makes the address a customer's who signs in


def mail_connection(
    books: Connection,
    tokens: LinkTokens,
    binder: str,
    address: str,
    now: datetime,
    language: str = "en",
) -> PortalMail | None:
    """
    Return the mail to the mailbox that is to be connected; None: nobody is mailed.

    What this browser has proved at the provider is connected to whoever can read that mailbox
    and opens the link in this very browser: who only sends somebody such a mail gets nothing. An
    address that nobody has is registered (rule 139), in the language that is asked for; what the
    provider says of it proves nothing, the button behind the mail does (rule 140).
    """
    proved = _proved(books, binder, now, CONNECTS_FOR)
    if proved is None:
        return None
    user = find_by_mailbox(books, address)
    if user is None and is_left_lately(books, address, now):
        return PortalMail("address-taken", address, 0)
    if user is None:
        number = make_user(books, address, now, UserState.UNVERIFIED)
        keep_language(books, number, language)
        record_activity(books, number, "registered", now, detail=f"by {proved.provider}")
    elif user.state in MAY_CONNECT:
        number, address = user.number, user.address
    else:
        return None
    subject = f"user {number}"
    if count_bad(books, "oidc-mail", [subject], now, DAY) >= MAILS_MOST:
        return None
    record_attempt(books, "oidc-mail", [subject], now, good=False)
    key = make_link(
        books, tokens, LinkKind.CONNECT_IDENTITY, now, user=number, about=proved.state_sha256
    )
    return PortalMail("connect", address, number, key)


def find_mailed(
    books: Connection, token: str, binder: str, now: datetime
) -> MailedConnection | None:
    """Return what a link would connect in this browser, None where it is over; nothing changes."""
    link = find_link(books, token, KINDS, now)
    user = find_user(books, link.user) if link and link.user else None
    if link is None or user is None or user.state not in MAY_CONNECT:
        return None
    within = LINK_HOURS[LinkKind.CONNECT_IDENTITY] + CONNECTS_FOR
    proved = _proved(books, binder, now, within, link.about)
    if proved is None:
        return MailedConnection(link, user.address, None)
    account = OutsideAccount(proved.provider, proved.issuer, proved.subject, proved.label)
    is_new = user.state in NEW
    return MailedConnection(link, user.address, account, proved.goes_on_to, is_new)


def connect_mailed(
    books: Connection, found: MailedConnection, binder: str, now: datetime
) -> int | None:
    """Connect what a link is for, once, and return whom it opens; None: it cannot be."""
    user = find_user(books, found.link.user or 0)
    if found.account is None or user is None or not use_link(books, found.link, now):
        return None
    end_unknown(books, binder, now)
    if not connect(books, user.number, found.account, now):
        return None
    if user.state in NEW:
        _let_begin(books, user, now)
    return user.number


def _let_begin(books: Connection, user: PortalUser, now: datetime) -> None:
    """
    Let whoever proved their mailbox sign in from now on.

    What somebody gave who registered that mailbox before counts for nothing: not the password, not
    the phone. Links by which a password could still be chosen are over.
    """
    if user.state is UserState.UNVERIFIED:
        drop_password(books, user.number)
        keep_phone(books, user.number, "")
    revoke_links(books, now, one_time_link.c.user_number == user.number)
    change_state(books, user.number, UserState.ACTIVE)
    record_activity(books, user.number, "verified", now)


def _proved(
    books: Connection, binder: str, now: datetime, within: timedelta, state: str = ""
) -> sa.Row[tuple[str, str, str, str, str, str]] | None:
    row = oidc_request.c
    query = sa.select(
        row.state_sha256, row.provider, row.issuer, row.subject, row.label, row.goes_on_to
    ).where(
        row.binder_sha256 == token_hash(binder),
        row.subject != "",
        row.connected_at.is_(None),
        row.used_at > now - within,
    )
    if state:
        query = query.where(row.state_sha256 == state)
    return books.execute(query.order_by(row.used_at.desc())).first()
