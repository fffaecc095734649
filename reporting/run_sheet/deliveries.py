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


def count(books: Connection, table: sa.Table, run: str, *also: Any) -> int:
    return int(
        books.execute(
            sa.select(sa.func.count()).select_from(table).where(table.c.run == run, *also)
        ).scalar_one()
    )


def total(books: Connection, column: sa.ColumnElement[Any], *where: Any) -> Money:
    total: Money | None = books.execute(sa.select(sa.func.sum(column)).where(*where)).scalar_one()
    return total or ZERO


def count_held(books: Connection, run: str) -> HeldSheet:
    """Count accounts and amounts; who is held again after a release is held."""
    held = outsorted_accounts(run)
    freed = sa.select(outsorted_bill.c.account_key).where(
        outsorted_bill.c.run == run, outsorted_bill.c.released_at.is_not(None)
    )
    billed = sa.and_(account.c.run == run, account.c.status != AccountStatus.CLOSED)
    is_held, is_freed = account.c.account_key.in_(held), account.c.account_key.in_(freed)
    accounts = sa.select(sa.func.count(outsorted_bill.c.account_key.distinct())).where(
        outsorted_bill.c.run == run
    )
    return HeldSheet(
        int(books.scalar(accounts.where(outsorted_bill.c.released_at.is_(None))) or 0),
        total(books, account.c.amount_due, billed, is_held),
        int(books.scalar(accounts.where(outsorted_bill.c.account_key.not_in(held))) or 0),
        total(books, account.c.amount_due, billed, is_freed, ~is_held),
    )


def _is_on_paper(run: str) -> sa.ColumnElement[bool]:
    """Claim that a bill goes on paper: by the plan, or because no mailbox took it."""
    planned = sa.select(delivery_plan.c.account_key).where(
        delivery_plan.c.run == run,
        delivery_plan.c.paper.is_not(None),
        delivery_plan.c.account_key.not_in(outsorted_accounts(run)),
    )
    fell_back = sa.exists().where(
        paper.c.run == run,
        paper.c.form == bill.c.form,
        paper.c.account_key == bill.c.account_key,
    )
    return sa.or_(bill.c.account_key.in_(planned), fell_back)


def _by_mail(run: str) -> sa.Select[Any]:
    return sa.select(recipient.c.account_key).where(
        recipient.c.run == run, recipient.c.account_key.not_in(outsorted_accounts(run))
    )


def count_held_bills(books: Connection, run: str) -> int:
    """Count the bills that leave neither by mail nor on paper."""
    return count(
        books,
        bill,
        run,
        bill.c.account_key.not_in(_by_mail(run)),
        ~_is_on_paper(run),
    )


def count_both(books: Connection, run: str) -> int:
    return count(
        books,
        bill,
        run,
        bill.c.account_key.in_(_by_mail(run)),
        _is_on_paper(run),
    )


def count_deliveries(books: Connection, run: str, *, closed: bool) -> DeliverySheet:
    if not closed:
        return DeliverySheet(_planned_mails(books, run), 0, 0, 0, 0, 0, _mail_bills(books, run), 0)
    ours = [delivery.c.run == run, delivery.c.kind == "bill"]
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
        bills=_mail_bills(books, run),
        bills_sent=sent,
        possible_duplicates=count(
            books,
            delivery,
            run,
            delivery.c.kind == "bill",
            delivery.c.status == DeliveryStatus.SENT,
            delivery.c.possible_duplicate,
        ),
    )


def _mail_bills(books: Connection, run: str) -> int:
    """Count the bills that go by mail, to one mailbox or several."""
    return count(books, bill, run, bill.c.account_key.in_(_by_mail(run)))


def _planned_mails(books: Connection, run: str) -> int:
    """Count the mails that the close would queue: one for each bill and mailbox."""
    mails = (
        sa.select(sa.func.count())
        .select_from(bill)
        .join(
            recipient,
            sa.and_(recipient.c.run == bill.c.run, recipient.c.account_key == bill.c.account_key),
        )
        .where(bill.c.run == run, bill.c.account_key.in_(_by_mail(run)))
    )
    return int(books.execute(mails).scalar_one())


def count_paper(books: Connection, run: str, *, closed: bool) -> PaperSheet:
    if not closed:
        return _planned_paper(books, run)
    files = books.execute(
        sa.select(print_batch.c.file)
        .where(print_batch.c.run == run)
        .order_by(print_batch.c.part, print_batch.c.bulk)
    ).scalars()
    pages = books.execute(sa.select(sa.func.sum(paper.c.pages)).where(paper.c.run == run))
    return PaperSheet(
        bills=count(books, paper, run),
        pages=int(pages.scalar_one() or 0),
        files=tuple(files),
        reasons=count_by(books, paper.c.reason, paper.c.run == run),
    )


def _planned_paper(books: Connection, run: str) -> PaperSheet:
    planned = (
        sa.select(bill.c.pages, delivery_plan.c.paper)
        .join(
            delivery_plan,
            sa.and_(delivery_plan.c.run == run, delivery_plan.c.account_key == bill.c.account_key),
        )
        .where(
            bill.c.run == run,
            delivery_plan.c.paper.is_not(None),
            bill.c.account_key.not_in(outsorted_accounts(run)),
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
