"""Usernames and whole sign-ins, set, changed and cleared by staff (rules 148-150)."""

from __future__ import annotations

import re
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.identity import credential, web_user
from domain.failures import Refused
from domain.identity import UserState
from identity.activity import record_activity

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,99}")


def set_username(books: Connection, user: int, typed: str, by: str, now: datetime) -> str:
    """
    Give a portal user a username beside the address; return it as it is kept, in small letters.

    Whoever sets it tells the customer (rule 149). Raises Refused where it is none, or somebody's
    already (rule 150).
    """
    username = typed.strip().casefold()
    if not username:
        raise Refused(
            "username-missing",
            "Enter a username. To take one off, choose “Clear the sign-in” below.",
        )
    if not _USERNAME.fullmatch(username):
        raise Refused(
            "username-malformed",
            "A username has three letters or more: letters, digits, dots, dashes and underscores.",
        )
    row = web_user.c
    taken = sa.select(row.number).where(row.username == username, row.number != user)
    if books.scalar(taken) is not None:
        raise Refused("username-taken", "That username is somebody's already; choose another one.")
    books.execute(web_user.update().where(row.number == user).values(username=username))
    _record(books, user, "username set", by, now)
    return username


def clear_sign_in(books: Connection, user: int, by: str, now: datetime) -> None:
    """
    Clear username and password, so that whoever takes over creates credentials anew (rule 149).

    Sessions end with it. The wallet and the links stay: they are the customer's.
    """
    row = web_user.c
    books.execute(
        web_user.update()
        .where(row.number == user)
        .values(username=None, version=row.version + 1, failures=0)
    )
    books.execute(
        web_user.update()
        .where(row.number == user, row.state == UserState.ACTIVE)
        .values(state=UserState.INVITED)
    )
    books.execute(  # who is locked comes back without a password, too
        web_user.update()
        .where(row.number == user, row.returns_to == UserState.ACTIVE)
        .values(returns_to=UserState.INVITED)
    )
    books.execute(credential.delete().where(credential.c.user_number == user))
    _record(books, user, "sign-in cleared", by, now)


def _record(books: Connection, user: int, kind: str, by: str, now: datetime) -> None:
    record_activity(books, user, kind, now, by=by)
    record_audit(books, now, by, kind, f"customer {user}")
