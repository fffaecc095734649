"""Whether the billing system's feed comes: without it nothing is drawn and nobody is dunned."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from database.queries.feed import read_feed, stale_periods
from database.tables import balance_due
from office.health.conditions import Condition, Looking, or_well, trouble, unwatched

KIND = "feed-stale"


def stale_feed(looking: Looking) -> list[Condition]:
    """Find that balances are not of today: the feed is too old, or a file of it is missing."""
    hours = looking.office.settings.feed.max_age
    max_age = timedelta(hours=hours) if hours else None
    period = balance_due.c.period
    with looking.office.database.reading() as books:
        feed = read_feed(books, max_age)
        closed = books.scalars(sa.select(period).where(period.is_not(None)).distinct()).all()
        why = stale_periods(books, feed, looking.now, closed)
    if not why and max_age is None:
        return unwatched(KIND, "No age of a feed is watched (feed.max_age is 0).")
    if not why:
        return or_well(KIND, (), "Balances are of the feed.")
    newest = feed.newest
    since = looking.now if newest is None or max_age is None else newest + max_age
    detail = f"Balances are not of today: {'; '.join(sorted(set(why.values())))}."
    remedy = "Ask for the billing system's files, and have them taken in."
    command = f"{looking.office.command} feed"
    return [trouble(KIND, "", min(looking.now, since), detail, remedy, command=command)]
