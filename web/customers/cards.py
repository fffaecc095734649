"""The cards of a visitor that are soon no good, and that autopay draws from."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Connection

from database.queries.portal.paying_cards import PayingCard, read_paying_cards
from domain.identity import mailbox_of
from web.visits import Visit


def soon_over(visit: Visit, books: Connection) -> dict[str, PayingCard]:
    """Return the visitor's cards that autopay draws from and that are soon no good, by key."""
    days = visit.office.settings.notices.method_expiring_days
    until, mailbox = visit.today + timedelta(days=days), mailbox_of(visit.user.address)
    return {one.key: one for one in read_paying_cards(books, until=until, mailbox=mailbox)}
