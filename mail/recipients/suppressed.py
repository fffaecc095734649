"""Mailboxes that are written to no more, until somebody corrects them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.queries.bills import is_doubled
from database.queries.outsorted import is_outsorted
from database.tables import (
    account,
    bill,
    bounce,
    delivery,
    delivery_plan,
    paper,
    suppressed_address,
)
from domain.bounces import IN_WORDS, BounceKind
from domain.deliveries import WAITING, DeliveryStatus, MessageKind, PaperReason
from domain.failures import Misuse
from mail.outbox.deliveries import DELIVERY
from mail.outbox.taken_back import lift_mailboxes
from rules.mail.bounces import say_why

_COLUMNS = ["period", "form", "account_key", "edition", "account", "pages", "reason", "sequence"]


def put_on_paper(
    books: Connection, period: str | None = None, account_key: str | None = None
) -> int:
    """
    Queue for the next print batch every bill whose deliveries have all failed.

    A bill that is on paper already, or goes there by its plan, is left alone; so this may be done
    again at any time. With a run, or a run and an account, only theirs. Returns how many are new.
    """
    ours = delivery.c.kind == MessageKind.BILL
    failed = (
        sa.select(delivery.c.period, delivery.c.form, delivery.c.account_key, delivery.c.edition)
        .where(ours, delivery.c.status == DeliveryStatus.FAILED)
        .distinct()
        .subquery()
    )
    is_left = _same_bill(delivery, bill).where(ours, delivery.c.status != DeliveryStatus.FAILED)
    planned = sa.exists().where(
        delivery_plan.c.period == bill.c.period,
        delivery_plan.c.account_key == bill.c.account_key,
        delivery_plan.c.paper.is_not(None),
    )
    chosen = (
        sa.select(
            bill.c.period,
            bill.c.form,
            bill.c.account_key,
            bill.c.edition,
            account.c.account,
            bill.c.pages,
            sa.literal(PaperReason.EBILL_BOUNCED, paper.c.reason.type),
            sa.literal(0),
        )
        .join(
            failed,
            sa.and_(
                failed.c.period == bill.c.period,
                failed.c.form == bill.c.form,
                failed.c.account_key == bill.c.account_key,
                failed.c.edition == bill.c.edition,
            ),
        )
        .join(
            account,
            sa.and_(account.c.period == bill.c.period, account.c.account_key == bill.c.account_key),
        )
        .where(
            ~is_left,
            ~planned,
            ~_same_bill(paper, bill),
            ~is_doubled(),
            ~is_outsorted(bill.c.period, bill.c.account_key),
        )
    )
    if period is not None:
        chosen = chosen.where(bill.c.period == period)
    if account_key is not None:
        chosen = chosen.where(bill.c.account_key == account_key)
    queue = paper.insert().from_select(_COLUMNS, chosen)
    return books.execute(queue, execution_options={"preserve_rowcount": True}).rowcount


def waiting_runs(books: Connection) -> dict[str, int]:
    """Count, by run, the bills that wait for the next print batch."""
    rows = books.execute(
        sa.select(paper.c.period, sa.func.count().label("bills"))
        .where(paper.c.part.is_(None))
        .group_by(paper.c.period)
        .order_by(paper.c.period)
    )
    return {row.period: row.bills for row in rows}


def _same_bill(table: Any, of: Any) -> sa.Exists:
    """Make the claim that a table has a row of the same run, form, account and edition."""
    return sa.exists().where(
        table.c.period == of.c.period,
        table.c.form == of.c.form,
        table.c.account_key == of.c.account_key,
        table.c.edition == of.c.edition,
    )


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
        sa.select(delivery.c.period, delivery.c.address)
        .join(bounce, bounce.c.delivery_key == delivery.c.key)
        .where(
            bounce.c.kind == BounceKind.SOFT,
            bounce.c.action.not_in(("delayed", IN_WORDS)),
            bounce.c.settled_at.is_(None),
        )
    )
    return len({row.period for row in rows if row.address.casefold() == mailbox})


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
        account = str(row.account or "")
        lift_mailboxes(books, {mailbox: account}, reason, now, who)
    return account


def lift_many(
    database: Database,
    reason: str,
    *,
    since: datetime | None = None,
    period: str | None = None,
    now: datetime,
    who: str,
) -> list[str]:
    """
    Write again to all mailboxes suppressed since a moment, or by a mail of one run; or both.

    For the day on which it was the mail server's fault. Returns their accounts, each mailbox
    with its own audit row; raises Misuse where there is none.
    """
    chosen: list[sa.ColumnElement[bool]] = []
    if since is not None:
        chosen.append(suppressed_address.c.since >= since)
    if period is not None:
        chosen.append(delivery.c.period == period)
    with database.writing() as books:
        rows = books.execute(
            sa.select(suppressed_address.c.mailbox, delivery.c.account)
            .outerjoin(delivery, delivery.c.key == suppressed_address.c.delivery_key)
            .where(*chosen)
            .order_by(suppressed_address.c.mailbox)
        ).all()
        if not rows:
            raise Misuse("No address was suppressed then; see `billclose bounces list`.")
        lift_mailboxes(books, {row.mailbox: row.account or "" for row in rows}, reason, now, who)
    return [str(row.account or "") for row in rows]


def _fail_waiting(books: Connection, mailbox: str, status: str) -> None:
    """Fail what waits; another spelling of letters beyond ASCII is found when it is claimed."""
    columns = (delivery.c.key, delivery.c.period, delivery.c.account_key, delivery.c.status)
    waiting = sa.select(*columns).where(
        delivery.c.status.in_(WAITING), sa.func.lower(delivery.c.address) == mailbox
    )
    for row in books.execute(waiting).all():
        books.execute(
            delivery.update()
            .where(delivery.c.key == row.key, delivery.c.status == row.status)
            .values(status=DELIVERY.after(row.status, "suppressed"), error=f"suppressed: {status}")
        )
        if row.period is not None:
            put_on_paper(books, row.period, row.account_key)
