"""What the office posted for its customers to read and print (rules 104-108)."""

from __future__ import annotations

import sqlalchemy as sa
from starlette.responses import Response

from database.tables import communication
from rules.mail.communications import Posted
from web.layout import show
from web.visits import Visit


def show_news(visit: Visit) -> Response:
    """Show what is live today, newest first; what expired or was removed is nowhere."""
    row = communication.c
    query = (
        sa.select(row.number, row.title, row.expires_on, row.added_at)
        .where(row.removed_at.is_(None), row.written_at.is_not(None))
        .order_by(row.number.desc())
    )
    with visit.office.database.reading() as books:
        posted = books.execute(query).all()
    live = [
        one
        for one in posted
        if Posted(one.number, one.title, "", one.expires_on).is_live(visit.today)
    ]
    return show(visit, "news.html", communications=live)
