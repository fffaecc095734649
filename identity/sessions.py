"""Sessions of whoever is signed in: kept in the books, ended by one number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import staff, web_session, web_user
from database.prepared import Prepared
from database.tables import bill_run
from domain.identity import Role, UserState
from identity.tokens import new_token, token_hash

IDLE = timedelta(minutes=30)
STAFF_IDLE = timedelta(minutes=15)
WHOLE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)  # a write a minute, not one a page


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who has a session: a portal user, or a member of staff with a role."""

    token_sha256: str
    csrf: str
    number: int
    address: str
    language: str
    seen_at: datetime
    role: Role | None = None
    needs_code: bool = False
    newest: tuple[str, str] | None = None  # read along: the utility and its time zone, as exported

    @property
    def is_staff(self) -> bool:
        return self.role is not None

    @property
    def who(self) -> str:
        """What the audit list and other tables call them: never an address."""
        return f"{self.role} {self.number}" if self.role else f"customer {self.number}"


def begin_session(
    books: Connection,
    now: datetime,
    *,
    user: int | None = None,
    staff_number: int | None = None,
    replaces: str = "",
    needs_code: bool = False,
) -> str:
    """
    Begin a session and return its token; the one that was there before is worth nothing any more.

    A new token at every sign-in: whoever had planted the old one gets nowhere.
    """
    if replaces:
        end_session(books, token_hash(replaces), now)
    table, number = (web_user, user) if user is not None else (staff, staff_number)
    version = books.scalar(sa.select(table.c.version).where(table.c.number == number))
    token = new_token()
    books.execute(
        web_session.insert().values(
            token_sha256=token_hash(token),
            user_number=user,
            staff_number=staff_number,
            version=version,
            csrf=new_token(),
            needs_code=needs_code,
            made_at=now,
            seen_at=now,
            expires_at=now + WHOLE,
        )
    )
    if not needs_code:
        _mark_access(books, table, number, now)
    return token


# Every page of a customer says above all whose it is: that is read along with the session.
_NEWEST = (
    sa.select(bill_run.c.utility, bill_run.c.timezone)
    .order_by(bill_run.c.imported_at.desc())
    .limit(1)
    .subquery("newest")
)
_USERS = Prepared(
    sa.select(
        web_session.c.token_sha256,
        web_session.c.csrf,
        web_session.c.user_number,
        web_session.c.seen_at,
        web_session.c.needs_code,
        web_user.c.address,
        web_user.c.language,
        _NEWEST.c.utility,
        _NEWEST.c.timezone,
    )
    .join(web_user, web_user.c.number == web_session.c.user_number)
    .outerjoin(_NEWEST, sa.true())
    .where(
        web_session.c.token_sha256 == sa.bindparam("token"),
        web_session.c.ended_at.is_(None),
        web_session.c.expires_at > sa.bindparam("now", type_=web_session.c.expires_at.type),
        web_session.c.seen_at > sa.bindparam("idle", type_=web_session.c.seen_at.type),
        web_session.c.version == web_user.c.version,
        web_user.c.state == UserState.ACTIVE,
    )
)
_STAFF = (
    sa.select(web_session, staff.c.address, staff.c.role)
    .join(staff, staff.c.number == web_session.c.staff_number)
    .where(
        web_session.c.token_sha256 == sa.bindparam("token"),
        web_session.c.ended_at.is_(None),
        web_session.c.expires_at > sa.bindparam("now", type_=web_session.c.expires_at.type),
        web_session.c.seen_at > sa.bindparam("idle", type_=web_session.c.seen_at.type),
        web_session.c.version == staff.c.version,
        staff.c.state == UserState.ACTIVE,
    )
)


def find_session(
    books: Connection, token: str, now: datetime, *, before_code: bool = False
) -> SignedIn | None:
    """
    Return whose session a portal user's token is; None: of nobody any more.

    One that waits for the code of a phone is found with `before_code` alone.
    """
    found = {"token": token_hash(token), "now": now, "idle": now - IDLE}
    row = next(iter(_USERS.rows(books, found)), None) if token else None
    if row is None or row.needs_code != before_code:
        return None
    return SignedIn(
        row.token_sha256,
        row.csrf,
        row.user_number,
        row.address,
        row.language,
        row.seen_at,
        needs_code=row.needs_code,
        newest=None if row.utility is None else (row.utility, row.timezone),
    )


def find_staff_session(books: Connection, token: str, now: datetime) -> SignedIn | None:
    """Return whose session a member of staff's token is; None: of nobody any more."""
    found = {"token": token_hash(token), "now": now, "idle": now - STAFF_IDLE}
    row = books.execute(_STAFF, found).one_or_none() if token else None
    if row is None:
        return None
    return SignedIn(
        row.token_sha256,
        row.csrf,
        row.staff_number,
        row.address,
        "en",
        row.seen_at,
        row.role,
        row.needs_code,
    )


def mark_seen(books: Connection, session: SignedIn, now: datetime) -> None:
    """Keep a session alive, and remember when its owner was last here (rule 160)."""
    row = web_session.c
    books.execute(
        web_session.update().where(row.token_sha256 == session.token_sha256).values(seen_at=now)
    )
    _mark_access(books, staff if session.is_staff else web_user, session.number, now)


def _mark_access(books: Connection, table: sa.Table, number: int | None, now: datetime) -> None:
    """Remember that somebody is in: the console tells when that was last (rule 160)."""
    books.execute(table.update().where(table.c.number == number).values(seen_at=now))


def end_session(books: Connection, token_sha256: str, now: datetime) -> None:
    row = web_session.c
    books.execute(
        web_session.update()
        .where(row.token_sha256 == token_sha256, row.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_all_sessions(books: Connection, user: int) -> None:
    """End every session of a portal user, wherever it is: their version moves on."""
    books.execute(
        web_user.update().where(web_user.c.number == user).values(version=web_user.c.version + 1)
    )
