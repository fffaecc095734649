"""The communications that may be linked to, as they stand at the moment a mail is composed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

import sqlalchemy as sa

from database.books import Database
from database.tables import communication
from mail.communications import NUMBER
from rules.communications import Posted, choose_latest

FRESH_SECONDS = 5.0  # how old what we know may be: fifty thousand mails do not ask each


def read_posted(database: Database, link_url: str = "") -> list[Posted]:
    """Return what was posted and not removed, each with where it is read, in order of number."""
    query = (
        sa.select(
            communication.c.number,
            communication.c.title,
            communication.c.link,
            communication.c.expires_on,
        )
        .where(communication.c.removed_at.is_(None), communication.c.written_at.is_not(None))
        .order_by(communication.c.number)
    )
    with database.reading() as books:
        rows = books.execute(query).all()
    return [
        Posted(row.number, row.title, row.link or _address(link_url, row.number), row.expires_on)
        for row in rows
    ]


class LiveCommunications:
    """
    Answers which communication a mail may link to now (rules 107, 108).

    Asked when a mail is composed: one that was put off over an expiry or a removal must not lead
    to a dead page. `today` tells the utility's local date; `link_url` has {number} in it, empty
    where the office has no such page.
    """

    def __init__(
        self,
        database: Database,
        link_url: str,
        today: Callable[[], date],
        *,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        self._database = database
        self._link_url = link_url
        self._today = today
        self._fresh_seconds = fresh_seconds
        self._posted: list[Posted] = []
        self._day = date.min
        self._read_at: float | None = None

    def latest_link(self) -> str:
        """Return the web address of the latest live one; empty: there is none, or it has none."""
        latest = choose_latest(*self._read())
        return latest.link if latest else ""

    def link_to(self, number: int) -> str:
        """Return the web address of one; empty where it is not live any more."""
        posted, today = self._read()
        live = (one.link for one in posted if one.number == number and one.is_live(today))
        return next(live, "")

    def _read(self) -> tuple[list[Posted], date]:
        """Return what is posted, and today; both are asked of the books."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at >= self._fresh_seconds:
            self._posted, self._day = read_posted(self._database, self._link_url), self._today()
            self._read_at = now
        return self._posted, self._day


def no_link() -> str:
    """Know of no communication: for an office that has none."""
    return ""


def _address(link_url: str, number: int) -> str:
    return link_url.replace(NUMBER, str(number))
