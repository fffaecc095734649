"""Portal users locked, let in again and deleted by staff (rules 154-163, ruling 11)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.identity import (
    account_link,
    credential,
    one_time_link,
    wallet_method,
    web_user,
)
from database.queries.customers.findable import refresh_found_of
from domain.customer_service import StaffAct
from domain.failures import Refused
from domain.identity import LinkKind, UserState
from identity.activity import record_activity
from identity.attempts.slowing import forgive
from identity.holding import hold_user
from identity.one_time_links import revoke_links
from identity.users import MOST_FAILURES

LOCKABLE = (UserState.INVITED, UserState.UNVERIFIED, UserState.ACTIVE)
UNLOCKABLE = (UserState.LOCKED, UserState.DELETED)


def lock_user(books: Connection, user: int, act: StaffAct, now: datetime) -> None:
    """
    Let a portal user in no more (rules 157, 162): sessions, mailed links and codes end.

    What is linked, scheduled and agreed stays in force (ruling 11). Raises Refused where there is
    nothing to lock.
    """
    row = _lock_row(books, user)
    if row.state not in LOCKABLE:
        raise Refused("locked-already", "The portal account is locked already; nothing was done.")
    _change(
        books,
        user,
        state=UserState.LOCKED,
        returns_to=row.state,
        locked_at=now,
        locked_by=act.by,
        lock_reason=act.detail,
    )
    _end_links(books, user, now)
    _record(books, user, "locked", act, now)


def unlock_user(books: Connection, user: int, act: StaffAct, now: datetime) -> None:
    """
    Let a portal user in again: one who was locked, deleted, or failed ten times (rules 157, 163).

    They are what they were before. Who was deleted has no password any more and gets a mail to
    set one (rule 147). Raises Refused where nothing is locked.
    """
    row = _lock_row(books, user)
    if row.state not in UNLOCKABLE and row.failures < MOST_FAILURES:
        raise Refused("not-locked", "The portal account is not locked; nothing was done.")
    state = row.state
    if state in UNLOCKABLE:
        state = row.returns_to or UserState.ACTIVE
    _change(
        books,
        user,
        state=state,
        returns_to=None,
        locked_at=None,
        locked_by="",
        lock_reason="",
        failures=0,
    )
    forgive(books, user, now)
    _record(books, user, "unlocked", act, now)


def delete_user(books: Connection, user: int, act: StaffAct, now: datetime) -> None:
    """
    Delete a portal account: nothing of theirs is in force any more (rule 161, ruling 11).

    Password and wallet go for good, and so does the choice of paperless bills; what was linked is
    kept, so that the account is found and brought back. The log stays. What is scheduled is
    cancelled by `payments`, in the same transaction. Raises Refused where it was deleted already.
    """
    row = _lock_row(books, user)
    if row.state is UserState.DELETED:
        raise Refused("deleted-already", "The portal account is deleted already.")
    _change(
        books,
        user,
        state=UserState.DELETED,
        returns_to=UserState.INVITED,
        locked_at=now,
        locked_by=act.by,
        lock_reason=act.detail,
        default_method="",
        failures=0,
    )
    books.execute(credential.delete().where(credential.c.user_number == user))
    own = wallet_method.c
    books.execute(
        wallet_method.update()
        .where(own.user_number == user, own.removed_at.is_(None))
        .values(removed_at=now)
    )
    _forget_paperless(books, user)
    _end_links(books, user, now)
    _record(books, user, "deleted", act, now)


def is_failed_out(books: Connection, user: int) -> bool:
    """Tell whether ten failed sign-ins let the password in no more (rule 156)."""
    failures = books.scalar(sa.select(web_user.c.failures).where(web_user.c.number == user))
    return (failures or 0) >= MOST_FAILURES


def acts_allowed(state: UserState, *, failed_out: bool) -> Collection[str]:
    """Return what may be done: only what the state allows is offered (rules 154, 157, 163)."""
    allowed = set()
    if state in LOCKABLE:
        allowed |= {"lock"}
    if state in UNLOCKABLE or failed_out:
        allowed |= {"unlock"}
    if state is not UserState.DELETED:
        allowed |= {"delete", "impersonate"}
    if state in LOCKABLE and not failed_out:  # unlock first, then send (rule 154)
        allowed |= {"mail"}
    if state in (UserState.ACTIVE, UserState.INVITED) and not failed_out:
        allowed |= {"code"}
    return frozenset(allowed)


def _lock_row(books: Connection, user: int) -> Any:
    row = hold_user(books, user)
    if row is None:
        raise Refused("unknown-user", "No portal account has that number.")
    return row


def _change(books: Connection, user: int, **values: Any) -> None:
    """Change a portal user; the version moves on, so that no session goes on."""
    books.execute(
        web_user.update()
        .where(web_user.c.number == user)
        .values(version=web_user.c.version + 1, **values)
    )
    refresh_found_of(books, user)


def _forget_paperless(books: Connection, user: int) -> None:
    mine = sa.and_(account_link.c.user_number == user, account_link.c.paperless.is_not(None))
    books.execute(account_link.update().where(mine).values(paperless=None, paperless_at=None))


def _end_links(books: Connection, user: int, now: datetime) -> None:
    """
    End every mailed link and code that could let somebody in.

    What stops a change of the address goes on: it lets in nobody who is locked.
    """
    row = one_time_link.c
    revoke_links(books, now, row.user_number == user, row.kind != LinkKind.STOP_ADDRESS)


def _record(books: Connection, user: int, kind: str, act: StaffAct, now: datetime) -> None:
    record_activity(books, user, kind, now, detail=act.detail, by=act.by)
    record_audit(books, now, act.by, f"{kind} portal user", f"customer {user}", act.detail)
