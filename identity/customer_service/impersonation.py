"""CustomerLook at the portal as a customer sees it: shows, and never does (rule 158, ruling 26)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.identity import impersonation, staff, web_session, web_user
from domain.failures import Refused
from domain.identity import UserState
from identity.activity import record_activity
from identity.sessions import SignedIn
from identity.tokens import new_token, token_hash

LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class CustomerLook:
    """A look at a portal that goes on: whose, by whom, until when."""

    token_sha256: str
    user: int
    address: str
    language: str
    by: str
    csrf: str  # of the member of staff's own session: to end the look
    begun_at: datetime
    ends_at: datetime


def begin_looking(
    books: Connection, member: SignedIn, user: int, reason: str, now: datetime
) -> str:
    """
    Begin to look at a portal as its customer and return the token; an earlier look ends.

    It stands in the customer's log and in the audit list before anything is seen. Raises Refused
    without a reason, and for a portal account that was deleted.
    """
    if not reason.strip():
        raise Refused("no-reason", "Say why you look at this portal.")
    state = books.scalar(sa.select(web_user.c.state).where(web_user.c.number == user))
    if state is None or state is UserState.DELETED:
        raise Refused("unknown-user", "There is no portal to look at.")
    _end(books, impersonation.c.session_sha256 == member.token_sha256, now)
    token = new_token()
    books.execute(
        impersonation.insert().values(
            token_sha256=token_hash(token),
            staff_number=member.number,
            user_number=user,
            session_sha256=member.token_sha256,
            reason=reason.strip(),
            begun_at=now,
            ends_at=now + LASTS,
        )
    )
    record_activity(books, user, "looked at by staff", now, detail=reason.strip(), by=member.who)
    record_audit(books, now, member.who, "impersonate", f"customer {user}", reason.strip())
    return token


def find_looking(
    books: Connection, token: str, staff_token: str, now: datetime
) -> CustomerLook | None:
    """
    Return the look that a token stands for; None: it is over.

    It holds in the browser alone in which the member of staff is signed in, and ends with that.
    """
    if not token or not staff_token:
        return None
    row, session = impersonation.c, web_session.c
    found = books.execute(
        sa.select(
            impersonation, web_user.c.address, web_user.c.language, staff.c.role, session.csrf
        )
        .join(web_user, web_user.c.number == row.user_number)
        .join(staff, staff.c.number == row.staff_number)
        .join(web_session, session.token_sha256 == row.session_sha256)
        .where(
            row.token_sha256 == token_hash(token),
            row.session_sha256 == token_hash(staff_token),
            row.ended_at.is_(None),
            row.ends_at > now,
            session.ended_at.is_(None),
            session.expires_at > now,
            session.version == staff.c.version,
            staff.c.state == UserState.ACTIVE,
            web_user.c.state != UserState.DELETED,
        )
    ).one_or_none()
    if found is None:
        return None
    by = f"{found.role} {found.staff_number}"
    return CustomerLook(
        found.token_sha256,
        found.user_number,
        found.address,
        found.language,
        by,
        found.csrf,
        found.begun_at,
        found.ends_at,
    )


def end_looking(books: Connection, member: SignedIn, now: datetime) -> None:
    """End whatever look goes on in a member of staff's session."""
    _end(books, impersonation.c.session_sha256 == member.token_sha256, now)


def _end(books: Connection, which: sa.ColumnElement[bool], now: datetime) -> None:
    going_on = sa.and_(which, impersonation.c.ended_at.is_(None))
    books.execute(impersonation.update().where(going_on).values(ended_at=now))
