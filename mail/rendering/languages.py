"""Which language the readers of a batch of mails have chosen in the portal."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from database.books import Database
from database.definitions.identity import web_user
from domain.languages import ENGLISH
from mail.outbox.deliveries import Delivery


def languages_of(database: Database, deliveries: Sequence[Delivery]) -> dict[str, str]:
    """Return the languages of those mailboxes whose owner reads another one than English."""
    user, mailboxes = web_user.c, {row.mailbox for row in deliveries}
    query = sa.select(user.mailbox, user.language).where(
        user.mailbox.in_(mailboxes), user.language != ENGLISH
    )
    with database.reading() as books:
        return {row.mailbox: row.language for row in books.execute(query)}
