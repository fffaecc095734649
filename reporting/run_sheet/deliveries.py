"""How the bills of a run leave: by mail, on paper, both ways, or not at all."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.counting import count_by
from database.queries.outsorted import outsorted_accounts
from database.tables import (
    account,
    bill,
    delivery,
    delivery_plan,
    outsorted_bill,
    paper,
    print_batch,
    recipient,
)
from domain.accounts import AccountStatus
from domain.deliveries import DeliveryStatus
from domain.money import ZERO, Money
from reporting.run_sheet.run_sheet import DeliverySheet, HeldSheet, PaperSheet


def count(books: Connection, table: sa.Table, period: str, *also: Any) -> int:
    return int(
        books.execute(
            sa.select(sa.func.count()).select_from(table).where(table.c.period == period, *also)
        ).scalar_one()
    )


def total(books: Connection, column: sa.ColumnElement[Any], *where: Any) -> Money:
    total: Money | None = books.execute(sa.select(sa.func.sum(column)).where(*where)).scalar_one()
    return total or ZERO


def count_held(books: Connection, period: str) -> HeldSheet:
    """Count accounts and amounts; who is held again after a release is held."""
    held = outsorted_accounts(period)
    freed = sa.select(outsorted_bill.c.account_key).where(
        outsorted_bill.c.period == period, outsorted_bill.c.released_at.is_not(None)
    )
    billed = sa.and_(account.c.period == period, account.c.status != AccountStatus.CLOSED)
    is_held, is_freed = account.c.account_key.in_(held), account.c.account_key.in_(freed)
    accounts = sa.select(sa.func.count(outsorted_bill.c.account_key.distinct())).where(
        outsorted_bill.c.period == period
    )
    return HeldSheet(
        int(books.scalar(accounts.where(outsorted_bill.c.released_at.is_(None))) or 0),
        total(books, account.c.amount_due, billed, is_held),
        int(books.scalar(accounts.where(outsorted_bill.c.account_key.not_in(held))) or 0),
        total(books, account.c.amount_due, billed, is_freed, ~is_held),
    )


def _is_on_paper(period: str) -> sa.ColumnElement[bool]:
    """Claim that a bill goes on paper: by the plan, or because no mailbox took it."""
    planned = sa.select(delivery_plan.c.account_key).where(
        delivery_plan.c.period == period,
        delivery_plan.c.paper.is_not(None),
        delivery_plan.c.account_key.not_in(outsorted_accounts(period)),
    )
    fell_back = sa.exists().where(
        paper.c.period == period,
        paper.c.form == bill.c.form,
        paper.c.account_key == bill.c.account_key,
    )
    return sa.or_(bill.c.account_key.in_(planned), fell_back)


def _by_mail(period: str) -> sa.Select[Any]:
    return sa.select(recipient.c.account_key).where(
        recipient.c.period == period, recipient.c.account_key.not_in(outsorted_accounts(period))
    )


def count_held_bills(books: Connection, period: str) -> int:
    """Count the bills that leave neither by mail nor on paper."""
    return count(
        books,
        bill,
        period,
        bill.c.account_key.not_in(_by_mail(period)),
        ~_is_on_paper(period),
    )


def count_both(books: Connection, period: str) -> int:
    return count(
        books,
        bill,
        period,
        bill.c.account_key.in_(_by_mail(period)),
        _is_on_paper(period),
    )


def count_deliveries(books: Connection, period: str, *, closed: bool) -> DeliverySheet:
    if not closed:
        return DeliverySheet(
            _planned_mails(books, period), 0, 0, 0, 0, 0, _mail_bills(books, period), 0
        )
    ours = [delivery.c.period == period, delivery.c.kind == "bill"]
    counts = count_by(books, delivery.c.status, *ours)
    sent = books.execute(
        sa.select(sa.func.count()).select_from(
            sa.select(delivery.c.account_key, delivery.c.form)
            .where(*ours, delivery.c.status == DeliveryStatus.SENT)
            .distinct()
            .subquery()
        )
    ).scalar_one()
    return DeliverySheet(
        messages=sum(counts.values()),
        sent=counts.get(DeliveryStatus.SENT, 0),
        failed=counts.get(DeliveryStatus.FAILED, 0),
        deferred=counts.get(DeliveryStatus.DEFERRED, 0),
        in_doubt=counts.get(DeliveryStatus.IN_DOUBT, 0),
        queued=counts.get(DeliveryStatus.QUEUED, 0) + counts.get(DeliveryStatus.SENDING, 0),
        bills=_mail_bills(books, period),
        bills_sent=sent,
        possible_duplicates=count(
            books,
            delivery,
            period,
            delivery.c.kind == "bill",
            delivery.c.status == DeliveryStatus.SENT,
            delivery.c.possible_duplicate,
        ),
    )


def _mail_bills(books: Connection, period: str) -> int:
    """Count the bills that go by mail, to one mailbox or several."""
    return count(books, bill, period, bill.c.account_key.in_(_by_mail(period)))


def _planned_mails(books: Connection, period: str) -> int:
    """Count the mails that the close would queue: one for each bill and mailbox."""
    mails = (
        sa.select(sa.func.count())
        .select_from(bill)
        .join(
            recipient,
            sa.and_(
                recipient.c.period == bill.c.period, recipient.c.account_key == bill.c.account_key
            ),
        )
        .where(bill.c.period == period, bill.c.account_key.in_(_by_mail(period)))
    )
    return int(books.execute(mails).scalar_one())


def count_paper(books: Connection, period: str, *, closed: bool) -> PaperSheet:
    if not closed:
        return _planned_paper(books, period)
    batches = books.execute(
        sa.select(print_batch.c.file, print_batch.c.sheets, print_batch.c.envelopes)
        .where(print_batch.c.period == period)
        .order_by(print_batch.c.part, print_batch.c.bulk)
    ).all()
    pages = books.execute(sa.select(sa.func.sum(paper.c.pages)).where(paper.c.period == period))
    return PaperSheet(
        bills=count(books, paper, period),
        pages=int(pages.scalar_one() or 0),
        files=tuple(batch.file for batch in batches),
        reasons=count_by(books, paper.c.reason, paper.c.period == period),
        sheets=sum(batch.sheets for batch in batches),
        envelopes=sum(batch.envelopes for batch in batches),
    )


def _planned_paper(books: Connection, period: str) -> PaperSheet:
    planned = (
        sa.select(bill.c.pages, delivery_plan.c.paper)
        .join(
            delivery_plan,
            sa.and_(
                delivery_plan.c.period == period, delivery_plan.c.account_key == bill.c.account_key
            ),
        )
        .where(
            bill.c.period == period,
            delivery_plan.c.paper.is_not(None),
            bill.c.account_key.not_in(outsorted_accounts(period)),
        )
        .subquery()
    )
    rows = books.execute(
        sa.select(
            planned.c.paper, sa.func.count().label("bills"), sa.func.sum(planned.c.pages)
        ).group_by(planned.c.paper)
    ).all()
    return PaperSheet(
        bills=sum(row[1] for row in rows),
        pages=sum(int(row[2]) for row in rows),
        files=(),
        reasons={str(row[0]): row[1] for row in rows},
    )
