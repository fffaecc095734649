"""Portal users: found, made, locked and let in again (rules 139-150, 154-163)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import address_change, credential, one_time_link, web_user
from database.queries.customers.findable import refresh_found_of
from domain.identity import (
    LINK_HOURS,
    CredentialKind,
    LinkKind,
    PortalUser,
    UserState,
    mailbox_of,
)
from identity.attempts.slowing import forgive
from identity.holding import hold_mailbox, hold_user, is_writing
from identity.one_time_links import revoke_links

MOST_FAILURES = 10  # in a row; then the password is no way in any more (rule 156)


def find_user(books: Connection, number: int) -> PortalUser | None:
    """Return a portal user; where the transaction writes, nobody else changes them meanwhile."""
    if is_writing(books):
        row = hold_user(books, number)
    else:
        row = books.execute(sa.select(web_user).where(web_user.c.number == number)).one_or_none()
    return None if row is None else to_user(row)


def find_by_mailbox(books: Connection, address: str) -> PortalUser | None:
    """
    Return whose a mailbox is, None: nobody's.

    Where the transaction writes, it stays so, and the user too, until the transaction ends.
    """
    query = sa.select(web_user).where(web_user.c.mailbox == mailbox_of(address))
    if is_writing(books):
        hold_mailbox(books, mailbox_of(address))
        query = query.with_for_update(key_share=True)
    row = books.execute(query).one_or_none()
    return None if row is None else to_user(row)


def is_left_lately(books: Connection, address: str, now: datetime, but: int = 0) -> bool:
    """
    Tell whether somebody signed in with a mailbox until these days, and may have it put back.

    It is nobody else's meanwhile; `but` is whose own it would be again.
    """
    row = address_change.c
    query = sa.select(row.number).where(
        row.from_mailbox == mailbox_of(address),
        row.changed_at.is_not(None),
        row.stopped_at.is_(None),
        row.asked_at > now - LINK_HOURS[LinkKind.STOP_ADDRESS],
        row.user_number != but,
    )
    return books.scalar(query.limit(1)) is not None


def to_user(row: Any) -> PortalUser:
    return PortalUser(
        row.number,
        row.mailbox,
        row.address,
        row.username or "",
        row.phone,
        row.language,
        row.state,
        row.seen_at,
    )


def make_user(
    books: Connection, address: str, now: datetime, state: UserState, *, phone: str = ""
) -> int:
    """Make a portal user of an address that has none; return the number."""
    made = books.execute(
        web_user.insert().values(
            mailbox=mailbox_of(address),
            address=address.strip(),
            phone=phone,
            state=state,
            made_at=now,
        )
    )
    (number,) = made.inserted_primary_key or (0,)
    return int(number)


def change_state(books: Connection, user: int, state: UserState) -> None:
    books.execute(web_user.update().where(web_user.c.number == user).values(state=state))
    refresh_found_of(books, user)


def clear_failures(books: Connection, user: int) -> None:
    books.execute(web_user.update().where(web_user.c.number == user).values(failures=0))


def keep_language(books: Connection, user: int, language: str) -> None:
    books.execute(web_user.update().where(web_user.c.number == user).values(language=language))


def keep_phone(books: Connection, user: int, phone: str) -> None:
    """Keep a number for texts as it was given; empty: none."""
    books.execute(web_user.update().where(web_user.c.number == user).values(phone=phone))


def has_password(books: Connection, user: int) -> bool:
    """Tell whether access is set up: it decides which mail staff may send (rule 148)."""
    return books.scalar(_password(user)) is not None


def set_password(books: Connection, user: int, kept: str, now: datetime) -> None:
    """
    Set the hash of a password, and end every session that there is.

    Another address that was asked for by the password before is asked for no more.
    """
    drop_password(books, user)
    row = one_time_link.c
    revoke_links(books, now, row.user_number == user, row.kind == LinkKind.NEW_ADDRESS)
    books.execute(
        credential.insert().values(
            user_number=user, kind=CredentialKind.PASSWORD, secret=kept, since=now
        )
    )
    books.execute(
        web_user.update()
        .where(web_user.c.number == user)
        .values(version=web_user.c.version + 1, failures=0)
    )
    forgive(books, user, now)


def drop_password(books: Connection, user: int) -> None:
    """Let a password be no way in any more; sessions stay."""
    row = credential.c
    books.execute(
        credential.delete().where(row.user_number == user, row.kind == CredentialKind.PASSWORD)
    )


def _password(user: int) -> sa.Select[Any]:
    row = credential.c
    return sa.select(row.secret).where(row.user_number == user, row.kind == CredentialKind.PASSWORD)
