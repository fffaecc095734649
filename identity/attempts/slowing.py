"""How long whoever gave a wrong password waits until the next is looked at; nobody is locked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import web_attempt
from database.inserting import one_after_the_other
from domain.identity import mailbox_of

KIND = "wrong-password"
FREE = 2  # wrong passwords after which nobody waits: the third is the first that costs time
FIRST = 5  # seconds after the third; each further one doubles it
HERE_MOST = 300  # seconds, of one user from one network
ANYWHERE_MOST = 30  # seconds, of one user from all networks: nobody is kept out by strangers
NETWORK_FREE, NETWORK_MOST = 20, 60  # of one network, whoever it tries
WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tried:
    """Who is tried from where; nobody's name stands in it, whether there is such a user or not."""

    user: int | None
    name: str
    network: str

    @property
    def subject(self) -> str:
        if self.user is not None:
            return f"user/{self.user}"
        return "name/" + hashlib.sha256(mailbox_of(self.name).encode()).hexdigest()[:32]

    @property
    def here(self) -> str:
        return f"{self.subject}@{self.network.removeprefix('net/')}"


def begin_try(books: Connection, tried: Tried, now: datetime, *, is_known_browser: bool) -> int:
    """
    Return the seconds that have to pass first; 0: go on, and the try counts as a wrong one.

    It is counted before the password is looked at, one process after the other: of many at once
    two are free. A browser that the user signed in with before waits for what was tried from its
    own network alone, so that strangers elsewhere keep nobody waiting (facts of a lockout).
    """
    one_after_the_other(books, tried.subject)
    waits = [
        _left(books, tried.here, tried, now, FREE, HERE_MOST),
        _left(books, tried.network, None, now, NETWORK_FREE, NETWORK_MOST),
    ]
    if not is_known_browser:
        waits.append(_left(books, tried.subject, tried, now, FREE, ANYWHERE_MOST))
    if not max(waits):
        count_wrong(books, tried, now)
    return max(waits)


def count_wrong(books: Connection, tried: Tried, now: datetime) -> None:
    subjects = [tried.subject, tried.here, *([tried.network] if tried.network else [])]
    wrong = [{"kind": KIND, "subject": one, "at": now, "good": False} for one in subjects]
    books.execute(web_attempt.insert(), wrong)


def forgive(books: Connection, user: int, now: datetime) -> None:
    """Let a user begin anew: the right password came, or the mailbox was proved."""
    done = {"kind": KIND, "subject": f"user/{user}", "at": now, "good": True}
    books.execute(web_attempt.insert().values(**done))


def take_back(books: Connection, network: str, now: datetime) -> None:
    """
    Count a try of a network no longer as a wrong one: its password was right.

    Its own try alone: whoever has one right password does not begin anew with all others. So a
    library, an employer or a phone company, all of whose customers come from one network, waits
    for none of those who get in.
    """
    row = web_attempt.c
    mine = [row.kind == KIND, row.subject == network, row.at == now, ~row.good]
    one = sa.select(sa.func.max(row.number)).where(*mine).scalar_subquery()
    books.execute(web_attempt.update().where(row.number == one, ~row.good).values(good=True))


def seconds_after(wrong: int, free: int, most: int) -> int:
    """Return the whole seconds of waiting after so many wrong passwords."""
    return 0 if wrong <= free else int(min(FIRST * 2 ** min(wrong - free - 1, 10), most))


def _left(
    books: Connection, subject: str, of: Tried | None, now: datetime, free: int, most: int
) -> int:
    row = web_attempt.c
    wrong = [row.kind == KIND, row.subject == subject, ~row.good, row.at > now - WITHIN]
    if not subject:
        return 0
    if of is not None:
        anew = sa.select(sa.func.max(row.at)).where(
            row.kind == KIND, row.subject == of.subject, row.good
        )
        since = books.scalar(anew)
        if since is not None:
            wrong.append(row.at > since)
    count, last = books.execute(
        sa.select(sa.func.count(), sa.func.max(row.at, type_=row.at.type)).where(*wrong)
    ).one()
    if not count:
        return 0
    over = last + timedelta(seconds=seconds_after(count, free, most))
    return max(0, -int((now - over) // timedelta(seconds=1)))
