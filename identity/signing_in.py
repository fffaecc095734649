"""Signing in with a password: slowed down, locked after ten failures, never told why (rule 156)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.identity import credential, web_user
from domain.identity import CredentialKind, LinkKind, PortalMail, UserState, mailbox_of
from identity.activity import record_activity
from identity.attempts.counting import count_bad, record_attempt
from identity.attempts.slowing import Tried, begin_try, count_wrong, forgive, take_back
from identity.factors.known_browsers import is_known
from identity.one_time_links import find_link, make_link, use_link
from identity.passwords import Passwords
from identity.tokens import LinkTokens
from identity.users import MOST_FAILURES, clear_failures

NETWORK_MOST = 30  # bad tries an hour from one network, whoever they were for
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SignInAnswer:
    """Who may come in, and the mail that goes out; neither: the one sentence for all failures."""

    user: int | None = None
    mail: PortalMail | None = None
    wait: int = 0  # seconds until the next password is looked at


def sign_in(
    database: Database,
    passwords: Passwords,
    tokens: LinkTokens,
    name: str,
    password: str,
    now: datetime,
    *,
    network: str = "",
    browser: str = "",
) -> SignInAnswer:
    """
    Check a name (address or username) and a password.

    Unknown, wrong, unverified and locked get the same answer and take as long. From the third
    wrong password on the next waits, longer each time, and no worker with it: what comes earlier
    lets nobody in, and is answered with the seconds. Ten failures in a row lock the password, not
    the sessions that there are: its owner gets a mail with a link that lets the password in
    again, so that nobody can lock others out (rules 156, 157). `browser` is what a browser that
    somebody signed in with keeps.
    """
    with database.writing() as books:
        row = _find(books, name)
        too_many = network and count_bad(books, "sign-in", [network], now, HOUR) >= NETWORK_MOST
        tried = Tried(row.number if row else None, name, network)
        known = row is not None and is_known(books, row.number, browser)
        wait = begin_try(books, tried, now, is_known_browser=known)
    is_right = passwords.is_right(password, row.secret if row else None)
    allowed = row is not None and row.state is UserState.ACTIVE and row.failures < MOST_FAILURES
    good = bool(is_right and allowed and not too_many)
    if good and wait:  # not looked at, so that waiting is no answer either
        return SignInAnswer(wait=wait)
    with database.writing() as books:
        if network:
            record_attempt(books, "sign-in", [network], now, good=good)
        if wait:
            count_wrong(books, tried, now)
        if row is None:
            return SignInAnswer(wait=wait)
        if good:
            clear_failures(books, row.number)
            forgive(books, row.number, now)
            take_back(books, network, now)
            record_activity(books, row.number, "signed in", now)
            return SignInAnswer(row.number)
        return SignInAnswer(mail=_fail(books, tokens, row.number, now), wait=wait)


def unlock_by_link(books: Connection, token: str, now: datetime) -> int | None:
    """Let a password in again that ten failures had locked; None: no good link."""
    link = find_link(books, token, frozenset({LinkKind.UNLOCK}), now)
    if link is None or link.user is None or not use_link(books, link, now):
        return None
    clear_failures(books, link.user)
    forgive(books, link.user, now)
    record_activity(books, link.user, "unlocked", now, detail="by a mailed link")
    return link.user


def _fail(books: Connection, tokens: LinkTokens, number: int, now: datetime) -> PortalMail | None:
    """Count a failure where it stands; return the mail where it was the tenth."""
    row = web_user.c
    books.execute(web_user.update().where(row.number == number).values(failures=row.failures + 1))
    record_activity(books, number, "sign-in failed", now)
    query = sa.select(row.failures, row.address, row.state).where(row.number == number)
    after = books.execute(query).one()
    if after.failures != MOST_FAILURES or after.state is not UserState.ACTIVE:
        return None
    record_activity(books, number, "locked", now, detail="ten failures in a row", by="system")
    key = make_link(books, tokens, LinkKind.UNLOCK, now, user=number)
    return PortalMail("locked", after.address, number, key)


def _find(books: Connection, name: str) -> sa.Row[tuple[int, UserState, int, str | None]] | None:
    given = mailbox_of(name)
    return books.execute(
        sa.select(web_user.c.number, web_user.c.state, web_user.c.failures, credential.c.secret)
        .outerjoin(
            credential,
            sa.and_(
                credential.c.user_number == web_user.c.number,
                credential.c.kind == CredentialKind.PASSWORD,
            ),
        )
        .where((web_user.c.mailbox == given) | (sa.func.lower(web_user.c.username) == given))
    ).first()
