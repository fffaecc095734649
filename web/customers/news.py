"""What the office posted for its customers to read and print (rules 104-108)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.prepared import Prepared
from database.tables import communication
from rules.mail.communications import Posted
from web.layout import show
from web.visits import ReadingPage, Visit

NEW_FOR = timedelta(days=30)  # so long the home page points to it


@ReadingPage
def show_news(visit: Visit, books: Connection) -> Response:
    """Show what is live today, newest first; what expired or was removed is nowhere."""
    return show(visit, "news.html", communications=live_news(books, visit.today))


def has_new(books: Connection, visit: Visit) -> bool:
    """Tell whether something live was posted lately: the home page says so (rule 112)."""
    live = live_news(books, visit.today)
    return bool(live) and live[0].added_at > visit.now - NEW_FOR


def live_news(books: Connection, today: date) -> list[Any]:
    """Return what is posted and live on a day, newest first."""
    return [
        one
        for one in _POSTED.rows(books, {})
        if Posted(one.number, one.title, "", one.expires_on).is_live(today)
    ]


_POSTED = Prepared(
    sa.select(
        communication.c.number,
        communication.c.title,
        communication.c.expires_on,
        communication.c.added_at,
    )
    .where(communication.c.removed_at.is_(None), communication.c.written_at.is_not(None))
    .order_by(communication.c.number.desc())
)
