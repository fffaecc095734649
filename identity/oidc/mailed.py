"""Connecting an account elsewhere by a mailed link: for whoever has no password at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.oidc import oidc_request
from domain.identity import LINK_HOURS, LinkKind, PortalMail, UserState
from identity.attempts.counting import count_bad, record_attempt
from identity.oidc.identities import connect
from identity.oidc.provider import OutsideAccount
from identity.oidc.requests import CONNECTS_FOR, end_unknown
from identity.one_time_links import OneTimeLink, find_link, make_link, use_link
from identity.tokens import LinkTokens, token_hash
from identity.users import find_by_mailbox, find_user

MAILS_MOST = 5  # a day to one portal user, whoever asks
DAY = timedelta(days=1)
KINDS = frozenset({LinkKind.CONNECT_IDENTITY})


@dataclass(frozen=True, slots=True)
class MailedConnection:
    """What a mailed link would connect; `account` is None in every browser but the one."""

    link: OneTimeLink
    address: str
    account: OutsideAccount | None
    goes_on_to: str = "/"


def mail_connection(
    books: Connection, tokens: LinkTokens, binder: str, address: str, now: datetime
) -> PortalMail | None:
    """
    Return the mail to a portal user whose mailbox is to be connected; None: nobody is mailed.

    What this browser has proved at the provider is connected to whoever can read that mailbox
    and opens the link in this very browser: who only sends somebody such a mail gets nothing.
    """
    proved = _proved(books, binder, now, CONNECTS_FOR)
    user = find_by_mailbox(books, address)
    if proved is None or user is None or user.state is not UserState.ACTIVE:
        return None
    subject = f"user {user.number}"
    if count_bad(books, "oidc-mail", [subject], now, DAY) >= MAILS_MOST:
        return None
    record_attempt(books, "oidc-mail", [subject], now, good=False)
    key = make_link(
        books, tokens, LinkKind.CONNECT_IDENTITY, now, user=user.number, about=proved.state_sha256
    )
    return PortalMail("connect", user.address, user.number, key)


def find_mailed(
    books: Connection, token: str, binder: str, now: datetime
) -> MailedConnection | None:
    """Return what a link would connect in this browser, None where it is over; nothing changes."""
    link = find_link(books, token, KINDS, now)
    user = find_user(books, link.user) if link and link.user else None
    if link is None or user is None or user.state is not UserState.ACTIVE:
        return None
    within = LINK_HOURS[LinkKind.CONNECT_IDENTITY] + CONNECTS_FOR
    proved = _proved(books, binder, now, within, link.about)
    if proved is None:
        return MailedConnection(link, user.address, None)
    account = OutsideAccount(proved.provider, proved.issuer, proved.subject, proved.label)
    return MailedConnection(link, user.address, account, proved.goes_on_to)


def connect_mailed(
    books: Connection, found: MailedConnection, binder: str, now: datetime
) -> int | None:
    """Connect what a link is for, once, and return whom it opens; None: it cannot be."""
    user = found.link.user
    if found.account is None or user is None or not use_link(books, found.link, now):
        return None
    end_unknown(books, binder, now)
    return user if connect(books, user, found.account, now) else None


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
