"""Builders for mass mails: a closed town, audiences, and mailings in the books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database.books import Database, insert_rows
from database.tables import delivery, portal_link, portal_user, unsubscribed_address
from domain.deliveries import MessageKind
from mail.communications.audience import Audience, AudienceKind, Resolved, resolve
from mail.communications.mailings import (
    Mailing,
    MassMailRequest,
    record_mailing,
    write_down_readers,
)
from mail.communications.queueing import SendSchedule, queue_mailing
from mail.letters.links import Unsubscribing
from splitter.store.bill_store import BillStore
from tests.builders import NOW, RUN, Household, close_run, stage_run

WAYS = Unsubscribing(b"secret", "https://larkspur.example/out/{token}")
TODAY = NOW.date()
ALL = Audience(AudienceKind.CUSTOMERS)
PORTAL = Audience(AudienceKind.PORTAL_USERS)


def a_town(database: Database, *households: Household, **more: Any) -> None:
    stage_run(database, *households, **more)
    linked = {address.casefold(): address for one in households for address, _ in one.links}
    enter_portal_users(database, linked)
    close_run(database)


def enter_portal_users(database: Database, users: dict[str, str]) -> None:
    rows = ((RUN, mailbox, address, "") for mailbox, address in users.items())
    with database.writing() as books:
        insert_rows(books, portal_user, ["period", "mailbox", "address", "name"], rows)


def enter_links(database: Database, links: list[tuple[str, str]]) -> None:
    rows = ((RUN, key, address.casefold(), address, False) for key, address in links)
    columns = ["period", "account_key", "mailbox", "address", "paperless"]
    with database.writing() as books:
        insert_rows(books, portal_link, columns, rows)


def unsubscribe_mailbox(database: Database, mailbox: str) -> None:
    with database.writing() as books:
        books.execute(unsubscribed_address.insert().values(mailbox=mailbox, since=NOW))


def found(database: Database, audience: Audience, **changes: Any) -> Resolved:
    return resolve(database, audience, **({"to_landlords": True} | changes))


def a_mailing(
    database: Database, store: Path, audience: Audience = ALL, body: str = "Hello.", **facts: Any
) -> Mailing:
    """A mass mail with its mailboxes written down, and none of its mails in the outbox."""
    mailing = record_mailing(
        database, BillStore(store), MassMailRequest("Leaves", body, audience, **facts),
        today=TODAY, now=NOW, who="anna",
    )  # fmt: skip
    count = len(resolve(database, audience, to_landlords=True).readers)
    return write_down_readers(
        database, mailing.number, count,
        to_landlords=True, token_of=WAYS.token, now=NOW, who="anna",
    )  # fmt: skip


def queue(database: Database, number: int = 1, per_minute: int = 0, **changes: Any) -> int:
    facts: dict[str, Any] = {"now": NOW, "message_domain": "larkspur.example"}
    return queue_mailing(database, number, SendSchedule(per_minute), **(facts | changes))


def outbox(database: Database) -> list[Any]:
    query = delivery.select().where(delivery.c.kind == MessageKind.COMMUNICATION)
    with database.reading() as books:
        return list(books.execute(query.order_by(delivery.c.next_try_at, delivery.c.key)))


@contextmanager
def statements(database: Database, before: Any = None) -> Iterator[list[str]]:
    """Collect what is asked of the database; `before` is called with each statement's text."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if before is not None:
            before(statement)
        asked.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
