"""Mailboxes that are written to no more, until somebody corrects them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from database.tables import bounce, delivery, suppressed_address
from domain.bounces import BounceKind
from domain.deliveries import DeliveryStatus
from domain.failures import Misuse
from mail.falling_back import put_on_paper
from mail.states import DELIVERY
from rules.bounces import say_why

_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)


def suppressed_mailboxes(books: Connection) -> frozenset[str]:
    """Return the mailboxes that nothing is sent to."""
    return frozenset(books.scalars(sa.select(suppressed_address.c.mailbox)))


def suppress(books: Connection, delivery_key: str, status: str, *, now: datetime, who: str) -> bool:
    """
    Write to a delivery's mailbox no more; tell whether that is new.

    What waits to be sent there fails at once, and its bill goes on paper where no other mailbox
    took it. Belongs into the transaction that records the bounce.
    """
    row = books.execute(
        sa.select(delivery.c.address, delivery.c.account).where(delivery.c.key == delivery_key)
    ).one()
    mailbox = row.address.casefold()
    known = sa.select(suppressed_address.c.mailbox).where(suppressed_address.c.mailbox == mailbox)
    if books.execute(known).first() is not None:
        return False
    books.execute(
        suppressed_address.insert().values(
            mailbox=mailbox, since=now, reason=say_why(status), delivery_key=delivery_key
        )
    )
    record_audit(books, now, who, "suppress address", row.account, say_why(status))
    _fail_waiting(books, mailbox, status)
    return True


def soft_runs(books: Connection, mailbox: str) -> int:
    """Count the runs of which a mail to this mailbox failed softly; what was settled is over."""
    rows = books.execute(
        sa.select(delivery.c.run, delivery.c.address)
        .join(bounce, bounce.c.delivery_key == delivery.c.key)
        .where(
            bounce.c.kind == BounceKind.SOFT,
            bounce.c.action != "delayed",
            bounce.c.settled_at.is_(None),
        )
    )
    return len({row.run for row in rows if row.address.casefold() == mailbox})


def lift(database: Database, address: str, reason: str, *, now: datetime, who: str) -> str:
    """
    Write to a mailbox again, because somebody has corrected it; return its account's number.

    Its earlier bounces do not count any more. Raises Misuse for one that is not suppressed.
    """
    mailbox = address.strip().casefold()
    with database.writing() as books:
        row = books.execute(
            sa.select(suppressed_address.c.mailbox, delivery.c.account)
            .outerjoin(delivery, delivery.c.key == suppressed_address.c.delivery_key)
            .where(suppressed_address.c.mailbox == mailbox)
        ).one_or_none()
        if row is None:
            raise Misuse("This address is not suppressed; see `billclose bounces list`.")
        books.execute(suppressed_address.delete().where(suppressed_address.c.mailbox == mailbox))
        _settle(books, mailbox, now)
        account = str(row.account or "")
        record_audit(books, now, who, "lift suppression", account or "an address", reason)
    return account


def _settle(books: Connection, mailbox: str, now: datetime) -> None:
    rows = books.execute(
        sa.select(bounce.c.id, delivery.c.address)
        .join(delivery, delivery.c.key == bounce.c.delivery_key)
        .where(bounce.c.settled_at.is_(None))
    )
    ids = [row.id for row in rows if row.address.casefold() == mailbox]
    for identity in ids:
        books.execute(bounce.update().where(bounce.c.id == identity).values(settled_at=now))


def _fail_waiting(books: Connection, mailbox: str, status: str) -> None:
    """Fail what waits; another spelling of letters beyond ASCII is found when it is claimed."""
    columns = (delivery.c.key, delivery.c.run, delivery.c.account_key, delivery.c.status)
    waiting = sa.select(*columns).where(
        delivery.c.status.in_(_WAITING), sa.func.lower(delivery.c.address) == mailbox
    )
    for row in books.execute(waiting).all():
        books.execute(
            delivery.update()
            .where(delivery.c.key == row.key, delivery.c.status == row.status)
            .values(status=DELIVERY.after(row.status, "suppressed"), error=f"suppressed: {status}")
        )
        if row.run is not None:
            put_on_paper(books, row.run, row.account_key)
