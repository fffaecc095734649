"""How a corrected bill reaches its customer: by mail, marked as such, and on paper."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corrections.closed_bill import ClosedBill
from database.tables import bill, delivery_plan, paper
from domain.deliveries import PaperReason
from domain.words import say_count
from mail.outbox.queueing import queue_corrected_bill, withdraw_bill
from mail.recipients.delivery_plan import PlanTerms, plan_again

_BILL, _PAPER = bill.c, paper.c


def pass_on(
    books: Connection,
    standing: ClosedBill,
    edition: int,
    now: datetime,
    message_domain: str,
    terms: PlanTerms,
) -> tuple[str, ...]:
    """
    Record the mails of a corrected bill and its place on paper; say which (rules 13, 20, 28, 34).

    Mails of the old bill that have not left are taken out of the outbox: nobody gets that any
    more. Who gets the new one is decided anew: an address that the feed has replaced since the
    close may be somebody else's.
    """
    plan_again(books, standing.period, standing.account_key, terms)
    withdrawn = withdraw_bill(books, standing.period, standing.form, standing.account_key)
    told = []
    if withdrawn:
        told.append(f"{say_count(withdrawn, 'mail')} of the old bill taken out of the outbox.")
    queued = queue_corrected_bill(
        books,
        standing.period,
        standing.form,
        standing.account_key,
        now=now,
        message_domain=message_domain,
    )
    if queued:
        told.append(f"{say_count(queued, 'mail')} with the corrected bill.")
    if _put_on_paper(books, standing, edition):
        told.append("The corrected bill goes on paper, in a print batch of its own part.")
    return tuple(told)


def _put_on_paper(books: Connection, standing: ClosedBill, edition: int) -> bool:
    """Put it into the next part for those on paper by plan, or because no mailbox took the old."""
    reason = _paper_reason(books, standing)
    same_bill = (
        _PAPER.period == standing.period,
        _PAPER.form == standing.form,
        _PAPER.account_key == standing.account_key,
    )
    books.execute(paper.delete().where(*same_bill, _PAPER.part.is_(None)))  # of the old bill
    if reason is None:
        return False
    pages = sa.select(_BILL.pages).where(
        _BILL.period == standing.period,
        _BILL.form == standing.form,
        _BILL.account_key == standing.account_key,
    )
    books.execute(
        paper.insert().values(
            period=standing.period,
            form=standing.form,
            account_key=standing.account_key,
            edition=edition,
            account=standing.account,
            pages=books.execute(pages).scalar_one(),
            reason=reason,
            part=None,
            sequence=0,
        )
    )
    return True


def _paper_reason(books: Connection, standing: ClosedBill) -> PaperReason | None:
    plan = sa.select(delivery_plan.c.paper).where(
        delivery_plan.c.period == standing.period,
        delivery_plan.c.account_key == standing.account_key,
    )
    planned: PaperReason | None = books.scalar(plan)
    if planned is not None:
        return planned
    fell_back = sa.select(_PAPER.reason).where(
        _PAPER.period == standing.period,
        _PAPER.form == standing.form,
        _PAPER.account_key == standing.account_key,
    )
    newest = fell_back.order_by(_PAPER.edition.desc()).limit(1)
    reason: PaperReason | None = books.scalar(newest)
    return reason
