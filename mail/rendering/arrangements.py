"""The facts of mails about payment plans, out of the plan and the ledger, and their letters."""

from __future__ import annotations

from typing import Any

from database.books import Database
from database.definitions.arrangements import arrangement
from database.queries.arrangements.reading import read_money, read_plans
from domain.arrangements import Arrangement, ArrangementState, InstallmentStanding, PlanStanding
from domain.failures import PermanentFailure
from domain.money import ZERO
from mail.letters.arrangements import AGREED, BROKEN, ENDED, INSTALLMENT, ArrangementLetter
from mail.outbox.deliveries import Delivery
from mail.rendering.notice_facts import NoticeFacts
from rules.money.arrangements import standing_of

OF_INSTALLMENT = "#"  # between a plan's number and its installment's
STATES = {
    AGREED: ArrangementState.IN_FORCE,
    INSTALLMENT: ArrangementState.IN_FORCE,
    BROKEN: ArrangementState.BROKEN,
    ENDED: ArrangementState.ENDED,
}


def to_arrangement_letter(
    database: Database, row: Delivery, facts: NoticeFacts, common: dict[str, Any]
) -> ArrangementLetter:
    """
    Return what a mail about a plan says as it stands now.

    Raises PermanentFailure where it is no longer so: of a reminder, where the installment is paid.
    """
    number, _, place = row.about.partition(OF_INSTALLMENT)
    with database.reading() as books:
        found = read_plans(books, arrangement.c.number == int(number))
        money = read_money(books, found[0]) if found else (ZERO, ZERO)
    if not found or found[0].state is not STATES.get(row.form):
        raise PermanentFailure("the payment plan stands otherwise now")
    plan = found[0]
    standing = standing_of(plan.installments, *money, plan.installments[0].due_on)
    one = _about(standing, int(place) if place else 0)
    if row.form == INSTALLMENT and (one is None or one.open <= ZERO or money[1] <= ZERO):
        raise PermanentFailure("the installment is paid")
    return ArrangementLetter(
        **common,
        plan_amount=plan.amount,
        installments=_dated(plan),
        open_balance=facts.open_balance or money[1],
        amount=min(one.open, money[1]) if one else ZERO,
        due_on=one.due_on if one else None,
        last_day=one.last_day if one else None,
    )


def _about(standing: PlanStanding, place: int) -> InstallmentStanding | None:
    return standing.installments[place - 1] if place else standing.next


def _dated(plan: Arrangement) -> tuple[Any, ...]:
    return tuple((one.due_on, one.amount) for one in plan.installments)
