"""Setting up a payment arrangement, saying the second yes to it, and cancelling it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.arrangements import arrangement, arrangement_installment
from database.ledger.locking import lock_balances
from database.queries.arrangements.reading import newest_plan, plan_of, read_money
from database.queries.balances import read_on_its_way, read_open_balance
from database.tables import balance_due, bill_run, scheduled_payment
from domain.arrangements import (
    ARRANGEMENT,
    Arrangement,
    ArrangementState,
    Installment,
    PlanStanding,
)
from domain.failures import Misuse, Refused
from domain.money import ZERO, Money
from domain.payments import PaymentState
from domain.words import say_code
from rules.approving import identity
from rules.money.arrangements import (
    CustomerLimits,
    CustomerRefusal,
    DatedAmounts,
    PlanSituation,
    agree,
    is_within,
    refuse_customer,
    standing_of,
)

LONGEST_REASON = 500
NO_PLAN = "no-arrangement"


@dataclass(frozen=True, slots=True)
class ArrangingTerms:
    """Who sets a plan up, when, and what the office has set for all plans."""

    now: datetime
    who: str
    origin: str = ""  # the machine's user, where nothing proves who it is
    grace_days: int = 3
    people: int = 1  # 2: another person says yes before anything follows (four eyes)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What an account has that a plan can be made of; read in one transaction."""

    account_key: str
    account: str
    period: str
    timezone: str
    open_balance: Money
    on_its_way: Money
    draw_on: date | None  # autopay's next payment
    draw_amount: Money

    @property
    def payable(self) -> Money:
        return max(self.open_balance - self.on_its_way, ZERO)


@dataclass(frozen=True, slots=True)
class PlanWish:
    """What somebody wants: installments of one account's open balance, and why."""

    account_key: str
    dated: DatedAmounts
    reason: str


def read_facts(books: Connection, account_key: str) -> PlanFacts:
    """Read what an account owes; raises Misuse where no closed period has billed it."""
    rows = balance_due.c
    row = books.execute(
        sa.select(rows.account, rows.period, bill_run.c.timezone)
        .join(bill_run, bill_run.c.period == rows.period)
        .where(rows.account_key == account_key)
    ).first()
    if row is None:
        raise Misuse(
            "No closed period has billed this account: there is nothing to arrange.",
            "unknown-account",
        )
    draw = _next_draw(books, account_key)
    return PlanFacts(
        account_key,
        row.account,
        row.period,
        row.timezone,
        read_open_balance(books, account_key),
        read_on_its_way(books, account_key),
        draw.pay_on if draw else None,
        draw.amount if draw else ZERO,
    )


def _next_draw(books: Connection, account_key: str) -> Any:
    rows = scheduled_payment.c
    waits = rows.account_key == account_key, rows.state == PaymentState.SCHEDULED
    query = sa.select(rows.pay_on, rows.amount).where(*waits).order_by(rows.pay_on)
    return books.execute(query.limit(1)).first()


def arrange(database: Database, wish: PlanWish, terms: ArrangingTerms) -> Arrangement:
    """
    Set up a plan for (a part of) an account's open balance; audited.

    The balance is locked first and read after, so that no plan is for more than is open, however
    many are made at once. Raises Misuse for what is no plan, Refused (`has-arrangement`) where one
    waits or is in force: that is cancelled first.
    """
    with database.writing() as books:
        facts, agreed = _agree(books, wish, terms)
        waits = terms.people > 1
        state = ArrangementState.WAITING if waits else ArrangementState.IN_FORCE
        _record(books, facts, wish, agreed, terms, state, by_customer=False)
        return _found(books, wish.account_key)


def look(database: Database, wish: PlanWish, terms: ArrangingTerms) -> list[Installment]:
    """Decide with the same code what a plan would be, and write nothing."""
    with database.reading() as books:
        return _agree(books, wish, terms, locks=False)[1]


def arrange_own(
    database: Database, wish: PlanWish, terms: ArrangingTerms, limits: CustomerLimits
) -> CustomerRefusal | Arrangement:
    """
    Set up a customer's own plan for all that is open, within the office's limits; audited.

    Return why not where it may not be, looked at under the lock. The limits are the office's yes:
    no second person is asked. Raises Misuse for what is beyond them.
    """
    with database.writing() as books:
        lock_balances(books, [wish.account_key])
        facts = read_facts(books, wish.account_key)
        today = _today(facts, terms.now)
        refusal = refuse_customer(situation_of(books, facts), limits, today)
        if refusal is not None:
            return refusal
        if not is_within(wish.dated, limits, today):
            raise Misuse("The plan is not within the limits of the office.", "beyond-limits")
        if Money.total(amount for _, amount in wish.dated) != facts.payable:
            raise Misuse("What is owed has changed.", "changed")
        agreed = agree(wish.dated, facts.payable, today, terms.grace_days)
        _record(books, facts, wish, agreed, terms, ArrangementState.IN_FORCE, by_customer=True)
        return _found(books, wish.account_key)


def situation_of(books: Connection, facts: PlanFacts) -> PlanSituation:
    """Return what decides whether an account's customer may make a plan."""
    last = newest_plan(books, facts.account_key)
    zone = ZoneInfo(facts.timezone)
    return PlanSituation(
        facts.open_balance,
        facts.on_its_way,
        last is not None and last.is_standing,
        facts.draw_on is not None,
        last.made_at.astimezone(zone).date() if last else None,
    )


def approve(database: Database, account_key: str, terms: ArrangingTerms) -> Arrangement:
    """
    Say the second yes to a plan that waits; audited.

    Raises Misuse where none waits, Refused (`same-person`) for whoever asked for it.
    """
    with database.writing() as books:
        lock_balances(books, [account_key])
        plan = _standing(books, account_key)
        if plan.state is not ArrangementState.WAITING:
            raise Misuse(f"The plan of account {plan.account} is in force already.", NO_PLAN)
        made_from = books.scalar(
            sa.select(arrangement.c.made_from).where(arrangement.c.number == plan.number)
        )
        is_same = identity(terms.who) == identity(plan.made_by)
        if is_same or (terms.origin and terms.origin == made_from):
            raise Refused(
                "same-person",
                f"{plan.made_by} asked for this plan, and arrangements.people is 2: another person "
                "has to say yes.",
            )
        _move(books, plan, "approved", approved_by=terms.who, in_force_at=terms.now)
        record_audit(books, terms.now, terms.who, "approve arrangement", plan.account, _named(plan))
        return _found(books, account_key)


def cancel(database: Database, account_key: str, reason: str, terms: ArrangingTerms) -> Arrangement:
    """End a plan that waits or is in force: all that is open is due again. Raises Misuse."""
    said = _reason(reason)
    with database.writing() as books:
        lock_balances(books, [account_key])
        plan = _standing(books, account_key)
        _move(books, plan, "cancelled", ended_at=terms.now, ended_by=terms.who, end_reason=said)
        detail = f"{_named(plan)}: {said}"
        record_audit(books, terms.now, terms.who, "cancel arrangement", plan.account, detail)
        found = newest_plan(books, account_key)
    assert found is not None
    return found


def standing_now(books: Connection, plan: Arrangement, now: datetime) -> PlanStanding:
    """Return how it stands with a plan at a moment, by the ledger."""
    today = now.astimezone(ZoneInfo(plan.timezone)).date()
    return standing_of(plan.installments, *read_money(books, plan), today)


def _agree(
    books: Connection, wish: PlanWish, terms: ArrangingTerms, *, locks: bool = True
) -> tuple[PlanFacts, list[Installment]]:
    _reason(wish.reason)
    if locks:
        lock_balances(books, [wish.account_key])
    facts = read_facts(books, wish.account_key)
    plan = plan_of(books, wish.account_key)
    if plan is not None:
        raise Refused(
            "has-arrangement",
            f"Account {plan.account} has a plan of {plan.amount.dollars()} that is "
            f"{say_code(plan.state)}; cancel it first. Nothing was changed.",
        )
    if facts.payable <= ZERO:
        raise Misuse(
            f"Nothing is open on account {facts.account} that is not on its way: there is nothing "
            "to arrange.",
            "nothing-open",
        )
    today = _today(facts, terms.now)
    return facts, agree(wish.dated, facts.payable, today, terms.grace_days)


def _today(facts: PlanFacts, now: datetime) -> date:
    return now.astimezone(ZoneInfo(facts.timezone)).date()


def _record(
    books: Connection,
    facts: PlanFacts,
    wish: PlanWish,
    agreed: list[Installment],
    terms: ArrangingTerms,
    state: ArrangementState,
    *,
    by_customer: bool,
) -> None:
    made = arrangement.insert().values(
        account_key=facts.account_key,
        account=facts.account,
        period=facts.period,
        timezone=facts.timezone,
        state=state,
        reason=_reason(wish.reason),
        made_at=terms.now,
        made_by=terms.who,
        made_from=terms.origin,
        by_customer=by_customer,
        in_force_at=terms.now if state is ArrangementState.IN_FORCE else None,
    )
    number = books.execute(made.returning(arrangement.c.number)).scalar_one()
    books.execute(
        arrangement_installment.insert(),
        [
            {
                "arrangement": number,
                "number": place,
                "due_on": one.due_on,
                "last_day": one.last_day,
                "amount": one.amount,
            }
            for place, one in enumerate(agreed, start=1)
        ],
    )
    total = Money.total(one.amount for one in agreed)
    detail = (
        f"plan {number} of {total} in {len(agreed)}, {agreed[0].due_on} to {agreed[-1].due_on}, "
        f"{state}: {_reason(wish.reason)}"
    )
    record_audit(books, terms.now, terms.who, "arrange payments", facts.account, detail)


def _standing(books: Connection, account_key: str) -> Arrangement:
    plan = plan_of(books, account_key)
    if plan is None:
        raise Misuse("The account has no payment arrangement that stands.", NO_PLAN)
    return plan


def _found(books: Connection, account_key: str) -> Arrangement:
    plan = plan_of(books, account_key)
    assert plan is not None
    return plan


def _move(books: Connection, plan: Arrangement, event: str, **values: Any) -> None:
    rows = arrangement.c
    books.execute(
        arrangement.update()
        .where(rows.number == plan.number, rows.state == plan.state)
        .values(state=ARRANGEMENT.after(plan.state, event), **values)
    )


def _named(plan: Arrangement) -> str:
    return f"plan {plan.number} of {plan.amount}"


def _reason(reason: str) -> str:
    said = reason.strip()
    if not 0 < len(said) <= LONGEST_REASON:
        raise Misuse(f"The reason has 1 to {LONGEST_REASON} characters: it is audited.")
    return said
