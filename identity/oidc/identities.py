"""Accounts elsewhere that open a portal user's: connected, used, taken away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import passkey, web_user
from database.definitions.oidc import outside_identity
from domain.identity import UserState
from identity.activity import record_activity
from identity.oidc.provider import OutsideAccount
from identity.users import has_password

MOST = 5  # of one user


def sign_in_by(books: Connection, account: OutsideAccount, now: datetime) -> int | None:
    """Return who an account opens the portal for; None: it is connected to nobody."""
    row = _row_of(books, account)
    if row is None or row.state is UserState.DELETED:
        return None
    if row.state is not UserState.ACTIVE:
        raise LookupError("the portal user cannot sign in")
    table = outside_identity.c
    books.execute(outside_identity.update().where(table.number == row.number).values(used_at=now))
    record_activity(books, row.user_number, "signed in", now, detail=f"by {account.provider}")
    return int(row.user_number)


def connect(books: Connection, user: int, account: OutsideAccount, now: datetime) -> bool:
    """Let an account open a portal user's; False: it is another one's, or there are too many."""
    row, table = _row_of(books, account), outside_identity.c
    if row is not None and row.state is UserState.DELETED:
        books.execute(outside_identity.delete().where(table.number == row.number))
    elif row is not None:
        return bool(row.user_number == user)
    if len(identities_of(books, user)) >= MOST:
        return False
    books.execute(
        outside_identity.insert().values(
            user_number=user,
            provider=account.provider,
            issuer=account.issuer,
            subject=account.subject,
            label=account.label,
            linked_at=now,
        )
    )
    record_activity(books, user, "sign-in connected", now, detail=account.provider)
    return True


def identities_of(books: Connection, user: int) -> Sequence[Any]:
    """Return a portal user's accounts elsewhere, the oldest first."""
    table = outside_identity.c
    query = sa.select(outside_identity).where(table.user_number == user).order_by(table.number)
    return books.execute(query).all()


def disconnect(books: Connection, user: int, number: int, now: datetime) -> bool:
    """Take an account away; False: not theirs, or the last way in that they have."""
    table = outside_identity.c
    mine = identities_of(books, user)
    is_mine = any(one.number == number for one in mine)
    if not is_mine or (len(mine) == 1 and not _has_another_way(books, user)):
        return False
    books.execute(outside_identity.delete().where(table.number == number))
    record_activity(books, user, "sign-in disconnected", now)
    return True


def _has_another_way(books: Connection, user: int) -> bool:
    keys = sa.select(passkey.c.number).where(passkey.c.user_number == user).limit(1)
    return has_password(books, user) or books.scalar(keys) is not None


def _row_of(books: Connection, account: OutsideAccount) -> Any:
    table = outside_identity.c
    return books.execute(
        sa.select(table.number, table.user_number, web_user.c.state)
        .join(web_user, web_user.c.number == table.user_number)
        .where(table.issuer == account.issuer, table.subject == account.subject)
    ).one_or_none()
