"""Recovery codes: read out by customer service, used once on the portal (rule 155)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.identity import account_link, one_time_link, web_user
from database.queries.balances import stands_with
from database.tables import balance_due, portal_link
from domain.accounts import account_key
from domain.failures import Refused
from domain.identity import LinkKind, UserState, mailbox_of
from identity.activity import record_activity
from identity.factors.phone_codes import has_phone, of_user
from identity.factors.second_step import turn_off
from identity.holding import hold_user, hold_users
from identity.one_time_links import OneTimeLink, make_link, revoke_links, use_link
from identity.passwords import Passwords
from identity.tokens import LinkTokens
from identity.users import change_state, set_password

MOST_TRIES = 5  # wrong ones; then the code is worth nothing
MAY_RECOVER = (UserState.ACTIVE, UserState.INVITED)


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A code that is good now, as it is read out, and until when."""

    code: str
    expires_at: datetime


def make_recovery_code(
    books: Connection, tokens: LinkTokens, user: int, by: str, now: datetime
) -> None:
    """
    Make a code that is good for 24 hours; an earlier one ends with it.

    Raises Refused for whoever is locked: unlock first (rule 154).
    """
    who = hold_user(books, user)
    if who is None or who.state not in MAY_RECOVER:
        raise Refused("not-recoverable", "Unlock the portal account first; no code was made.")
    make_link(books, tokens, LinkKind.RECOVERY_CODE, now, user=user)
    record_activity(books, user, "recovery code made", now, by=by)
    record_audit(books, now, by, "make recovery code", f"customer {user}")


def find_recovery_code(
    books: Connection, tokens: LinkTokens, user: int, now: datetime
) -> RecoveryCode | None:
    """Return the code of a portal user that is good now, for whoever reads it out."""
    row = books.execute(_live([user], now)).one_or_none()
    return None if row is None else RecoveryCode(tokens.spoken_code(row.key), row.expires_at)


def revoke_recovery_code(books: Connection, user: int, by: str, now: datetime) -> None:
    """Withdraw a code; where there is none nothing happens."""
    row = one_time_link.c
    if revoke_links(books, now, row.user_number == user, row.kind == LinkKind.RECOVERY_CODE):
        record_activity(books, user, "recovery code revoked", now, by=by)
        record_audit(books, now, by, "revoke recovery code", f"customer {user}")


def recover(
    database: Database,
    passwords: Passwords,
    tokens: LinkTokens,
    name: str,
    code: str,
    password: str,
    now: datetime,
) -> str | None:
    """
    Set a password by a recovery code, and return the name to sign in with; None: it was refused.

    `name` is an account number, an address or a username. The answer is the same for whatever is
    wrong, and takes as long; the fifth wrong try of a code is its end.
    """
    kept = passwords.to_hash(password)
    typed = "".join(filter(str.isdigit, code))
    with database.writing() as books:
        meant = _meant(books, name)
        hold_users(books, meant)
        live = books.execute(_live(meant, now)).all()
        row = next((one for one in live if _is_code(tokens, one.key, typed)), None)
        if row is None:
            _count_tries(books, live, now)
            return None
        link = OneTimeLink(row.key, row.kind, row.user_number, None, "")
        if not use_link(books, link, now):
            return None
        set_password(books, row.user_number, kept, now)
        change_state(books, row.user_number, UserState.ACTIVE)
        if has_phone(books, of_user(row.user_number)):  # it may be the phone that was lost
            turn_off(books, row.user_number, now)
        detail = "by a recovery code"
        record_activity(books, row.user_number, "password set", now, detail=detail)
        return str(row.username or row.address)


def _is_code(tokens: LinkTokens, key: str, typed: str) -> bool:
    wanted = tokens.spoken_code(key).replace(" ", "")
    return hmac.compare_digest(wanted.encode(), typed.encode())


def _count_tries(books: Connection, live: Sequence[Any], now: datetime) -> None:
    row = one_time_link.c
    for one in live:
        mine = one_time_link.update().where(row.key == one.key)
        books.execute(mine.values(attempts=row.attempts + 1))
        books.execute(mine.where(row.attempts >= MOST_TRIES).values(revoked_at=now))
        record_activity(books, one.user_number, "recovery code refused", now)


def _live(users: Sequence[int], now: datetime) -> sa.Select[Any]:
    row = one_time_link.c
    return (
        sa.select(one_time_link, web_user.c.address, web_user.c.username)
        .join(web_user, web_user.c.number == row.user_number)
        .where(
            row.kind == LinkKind.RECOVERY_CODE,
            row.user_number.in_(users),
            row.used_at.is_(None),
            row.revoked_at.is_(None),
            row.expires_at > now,
            row.attempts < MOST_TRIES,
            web_user.c.state.in_(MAY_RECOVER),
        )
        .order_by(row.user_number)
    )


def _meant(books: Connection, name: str) -> list[int]:
    """Return whom a name means: an account may be several portal users'."""
    row, mailbox, key = web_user.c, mailbox_of(name), account_key(name)[:64]
    named = sa.select(row.number).where((row.mailbox == mailbox) | (row.username == mailbox))
    own = sa.select(account_link.c.user_number).where(
        account_link.c.account_key == key, account_link.c.unlinked_at.is_(None)
    )
    exported = (
        sa.select(row.number)
        .join(portal_link, portal_link.c.mailbox == row.mailbox)
        .join(balance_due, stands_with(portal_link))
        .where(portal_link.c.account_key == key)
    )
    found = {*books.scalars(named)}
    if key:
        found |= {*books.scalars(own)} | {*books.scalars(exported)}
    return sorted(found)
