"""Letting a held bill go: all that was held back is done, once."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.closing import mark_known, move_balance
from database.audit import record_audit
from database.books import Database
from database.queries.bills import is_doubled
from database.queries.outsorted import due_on_of
from database.tables import account, bill, delivery, delivery_plan, outsorted_bill, paper
from domain.deliveries import MessageKind
from domain.failures import Refused
from domain.money import Money
from domain.payments import PlannedPayment
from domain.words import say_count
from mail.outbox.queueing import MAY_HAVE_LEFT, queue_bill
from mail.recipients.delivery_plan import PlanTerms, plan_again
from outsorting.standing import BillStanding, lock_bill
from payments.enrollment.facts import read_enrollment_facts
from payments.enrollment.records import record_outcome
from rules.money.autopay import AutopayPolicy, plan_payment
from rules.outsorting import ReleasePolicy, released_draw_on, released_due_on


@dataclass(frozen=True, slots=True)
class ReleaseTerms:
    """
    Who releases when, and on what terms the office bills; `today` is a local date.

    `mailed_from` is the moment from which the e-bill is due to leave.
    """

    now: datetime
    mailed_from: datetime
    today: date
    who: str
    closed: Container[date]  # days without banking
    policy: ReleasePolicy
    autopay: AutopayPolicy
    message_domain: str
    delivery: PlanTerms
    posting_days: int = 3


@dataclass(frozen=True, slots=True)
class Released:
    """
    A bill that is held no more, and what was done for it now.

    `already`: it was released before. `later_period`: that period's bill holds the balance, so
    that this one is only shown. `left_before`: a mail or a printed page left before it was held,
    with an older due date than `due_on`; nothing of ours tells its customer of the new one.
    """

    account: str
    period: str
    amount_due: Money
    is_closed: bool
    already: bool = False
    due_on: date | None = None
    payment: PlannedPayment | None = None
    mails: int = 0
    paper: int = 0
    later_period: str | None = None
    left_before: bool = False


def release_bill(
    database: Database, number: str, period: str, terms: ReleaseTerms, reason: str = ""
) -> Released:
    """
    Let an account's bill of a period go, whoever held it (contract 7; rules 2-4).

    Before the close that is all. After it the balance moves to the bill, with what came meanwhile;
    autopay is scheduled, e-bill and paper are queued, and the due date leaves the customer time
    to pay. One transaction: a kill leaves all of it or nothing. Raises Refused (`not-outsorted`)
    for a bill that nobody holds, Misuse for an account or period that is not known.
    """
    with database.writing() as books:
        standing = lock_bill(books, number, period)
        if not standing.is_held:
            return _released_before(books, standing)
        _let_go(books, standing, terms, reason)
        done = Released(standing.account, period, standing.amount_due, standing.is_closed)
        if standing.is_closed:
            done = _carry_out(books, standing, terms, done)
        detail = "; ".join(part for part in (f"{period}: {say_done(done)}", reason) if part)
        record_audit(books, terms.now, terms.who, "release bill", standing.account, detail)
    if standing.is_closed:
        mark_known(database, period)
    return done


def say_done(done: Released) -> str:
    """Say what a release did, for people and for the audit list."""
    if not done.is_closed:
        return "it goes with the others when the period is closed"
    if done.later_period is not None:
        return f"it shows; the bill of {done.later_period} holds what it asks for"
    if done.due_on is None:
        return "no balance moves, and nothing of it is due"
    said = [f"{done.amount_due.dollars()} due on {done.due_on}"]
    payment = done.payment
    if payment is not None and payment.pay_on is not None:
        said.append(f"autopay draws {payment.amount.dollars()} on {payment.pay_on}")
    elif payment is not None:
        said.append(f"autopay draws nothing ({payment.unscheduled})")
    if done.mails:
        said.append(f"{say_count(done.mails, 'mail')} queued")
    if done.paper:
        said.append(f"{say_count(done.paper, 'bill')} waiting for the next print part")
    if done.left_before:
        said.append("what left before names an older due date, so tell its customer of this one")
    return ", ".join(said)


def _released_before(books: Connection, standing: BillStanding) -> Released:
    if not standing.was_released:
        raise Refused(
            "not-outsorted",
            f"The bill of account {standing.account} of period {standing.period} is not held "
            "back; `billclose list outsorted` shows those that are. Nothing was changed.",
        )
    own = due_on_of(standing.period, sa.literal(standing.key), standing.due_on)
    return Released(
        standing.account,
        standing.period,
        standing.amount_due,
        standing.is_closed,
        already=True,
        due_on=books.scalar(sa.select(own)) if standing.is_closed else None,
    )


def _let_go(books: Connection, standing: BillStanding, terms: ReleaseTerms, reason: str) -> None:
    numbers = [row.number for row in standing.holds]
    books.execute(
        outsorted_bill.update()
        .where(outsorted_bill.c.number.in_(numbers), outsorted_bill.c.released_at.is_(None))
        .values(released_at=terms.now, released_by=terms.who, release_reason=reason)
    )


def _carry_out(
    books: Connection, standing: BillStanding, terms: ReleaseTerms, done: Released
) -> Released:
    """Do what the close would have done for the bill, with a due date of its own."""
    due_on = released_due_on(standing.due_on, terms.today, terms.policy, terms.closed)
    _set_due(books, standing, None if due_on == standing.due_on else due_on)
    moved = move_balance(books, standing.period, standing.key, posting_days=terms.posting_days)
    if not moved:
        _set_due(books, standing, None)
        return replace(done, later_period=standing.standing_for)
    plan_again(books, standing.period, standing.key, terms.delivery)  # addresses may have changed
    return replace(
        done,
        due_on=due_on,
        payment=_schedule(books, standing, due_on, terms),
        mails=queue_bill(
            books,
            standing.period,
            standing.key,
            now=terms.mailed_from,
            message_domain=terms.message_domain,
        ),
        paper=_put_on_paper(books, standing),
        left_before=due_on != standing.due_on and _has_left(books, standing),
    )


def _has_left(books: Connection, standing: BillStanding) -> bool:
    """Say whether a mail with the bill has left or may have, or a print part has the bill."""
    mail, sheet = delivery.c, paper.c
    mailed = sa.exists().where(
        mail.period == standing.period,
        mail.account_key == standing.key,
        mail.kind == MessageKind.BILL,
        mail.status.in_(MAY_HAVE_LEFT),
    )
    printed = sa.exists().where(
        sheet.period == standing.period,
        sheet.account_key == standing.key,
        sheet.part.is_not(None),
    )
    return bool(books.scalar(sa.select(mailed | printed)))


def _set_due(books: Connection, standing: BillStanding, due_on: date | None) -> None:
    numbers = [row.number for row in standing.holds]
    books.execute(
        outsorted_bill.update().where(outsorted_bill.c.number.in_(numbers)).values(due_on=due_on)
    )


def _schedule(
    books: Connection, standing: BillStanding, due_on: date, terms: ReleaseTerms
) -> PlannedPayment | None:
    """Schedule autopay by the new due date, or list why there is none (rules 48-59, 82)."""
    facts = read_enrollment_facts(books, standing.account, terms.today)
    if facts.mandate is None or facts.period != standing.period:
        return None
    planned = plan_payment(
        facts.payable,
        facts.mandate,
        due_on=due_on,
        today=terms.today,
        closed=terms.closed,
        policy=terms.autopay,
    )
    if planned.pay_on is not None:
        pay_on = released_draw_on(planned.pay_on, due_on, terms.today, terms.policy, terms.closed)
        planned = replace(planned, pay_on=pay_on, immediate=False)
    record_outcome(books, facts, facts.mandate, planned, terms.now)
    return planned


def _put_on_paper(books: Connection, standing: BillStanding) -> int:
    """Let the next print part take the bill, if the plan puts it on paper and none has it."""
    of_bill = [
        sa.and_(table.c.period == bill.c.period, table.c.account_key == bill.c.account_key)
        for table in (account, delivery_plan, paper)
    ]
    is_there = sa.exists().where(of_bill[2], paper.c.form == bill.c.form)
    chosen = (
        sa.select(
            bill.c.period,
            bill.c.form,
            bill.c.account_key,
            account.c.account,
            bill.c.pages,
            delivery_plan.c.paper,
            sa.literal(0),
        )
        .join(account, of_bill[0])
        .join(delivery_plan, of_bill[1])
        .where(
            bill.c.period == standing.period,
            bill.c.account_key == standing.key,
            delivery_plan.c.paper.is_not(None),
            ~is_doubled(),
            ~is_there,
        )
    )
    names = ["period", "form", "account_key", "account", "pages", "reason", "sequence"]
    queue = paper.insert().from_select(names, chosen)
    return books.execute(queue, execution_options={"preserve_rowcount": True}).rowcount
