"""Which language the readers of a batch of mails have chosen in the portal."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from database.books import Database
from database.definitions.identity import address_change, web_user
from domain.languages import ENGLISH
from mail.outbox.deliveries import Delivery


def languages_of(database: Database, deliveries: Sequence[Delivery]) -> dict[str, str]:
    """
    Return the languages of those mailboxes whose owner reads another one than English.

    Of a mailbox that a portal user has left, or wants to sign in with, it is that user's.
    """
    user, change, mailboxes = web_user.c, address_change.c, {row.mailbox for row in deliveries}
    speaks = user.language != ENGLISH
    their_own = sa.select(user.mailbox, user.language).where(user.mailbox.in_(mailboxes))
    with database.reading() as books:
        found: dict[str, str] = {}
        for named in (change.from_mailbox, change.to_mailbox):
            of_change = (
                sa.select(named.label("mailbox"), user.language)
                .where(user.number == change.user_number, named.in_(mailboxes), speaks)
                .order_by(change.number)
            )
            found |= {row.mailbox: row.language for row in books.execute(of_change)}
        found |= {row.mailbox: row.language for row in books.execute(their_own)}
    return {mailbox: language for mailbox, language in found.items() if language != ENGLISH}
