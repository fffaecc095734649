"""What has come of the feed: its newest file, its gaps, and whether balances are too old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.feed.tables import feed_gap
from database.ledger.tables import feed_file
from database.tables import bill_run, period_close
from rules.feed import Arrived, Feed, Gap, find_gaps

_FILE = feed_file.c


def read_feed(books: Connection, max_age: timedelta | None) -> Feed:
    """Return how the feed stands; `max_age` None: nobody watches its age."""
    return Feed(max_age, newest_written_at(books), tuple(read_gaps(books)))


def newest_written_at(books: Connection) -> datetime | None:
    """Return when the newest file was written that is in the books whole."""
    newest: datetime | None = books.scalar(
        sa.select(sa.func.max(_FILE.written_at)).where(_FILE.taken_in_at.is_not(None))
    )
    return newest


def newest_sequence(books: Connection) -> int | None:
    """Return the newest number up to which nothing is missing: what comes after is asked for."""
    gaps = read_gaps(books)
    newest: int | None = books.scalar(
        sa.select(sa.func.max(_FILE.sequence)).where(_FILE.taken_in_at.is_not(None))
    )
    return gaps[0].first - 1 if gaps else newest


def read_gaps(books: Connection) -> list[Gap]:
    """Return the numbers that never came and that nobody has accepted."""
    accepted = set(books.scalars(sa.select(feed_gap.c.sequence)))
    return find_gaps(_arrived(books).values(), accepted)


def read_unheard(books: Connection, arriving: Arrived | None) -> list[Gap]:
    """
    Return the numbers that never came, those as well that a person has accepted.

    Who accepts a gap waits for it no longer; what stood in it is unknown all the same. `arriving`
    is a file that is being taken in: what is missing before it is missing already.
    """
    arrived = _arrived(books)
    if arriving is not None:
        arrived.setdefault(arriving.sequence, arriving)
    return find_gaps(arrived.values())


def _arrived(books: Connection) -> dict[int, Arrived]:
    rows = books.execute(
        sa.select(_FILE.sequence, _FILE.written_at).where(
            _FILE.sequence.is_not(None), _FILE.taken_in_at.is_not(None)
        )
    )
    return {row.sequence: Arrived(row.sequence, row.written_at) for row in rows}


def stale_periods(
    books: Connection, feed: Feed, now: datetime, periods: Iterable[str]
) -> dict[str, str]:
    """
    Return for which closed periods balances are too old to draw or dun by, and why.

    A missing file is made good by an export of the period's own cycle that was written after it.
    """
    query = (
        sa.select(bill_run.c.period, bill_run.c.written_at, bill_run.c.sure_until)
        .join(period_close, period_close.c.period == bill_run.c.period)
        .where(bill_run.c.period.in_(list(periods)))
    )
    said = {
        row.period: feed.staleness(now, row.written_at or row.sure_until)
        for row in books.execute(query)
    }
    return {period: why for period, why in said.items() if why}
