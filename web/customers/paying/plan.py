"""A customer's payment plan: how it stands, and making one within the office's limits."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.responses import Response

from database.queries.portal.accounts import PortalAccount
from domain.arrangements import Arrangement
from domain.dates import parse_date
from domain.failures import Misuse
from domain.money import Money
from office.procedures.mailing import arranging
from payments.arrangements.making import PlanFacts
from rules.money.arrangements import (
    FIRST_AFTER,
    CustomerLimits,
    CustomerRefusal,
    DatedAmounts,
    Every,
    is_within,
    most_installments,
    spread,
)
from web.customers.accounts import my_account
from web.layout import missing, show
from web.visits import Visit, redirect

WHY_NOT = {
    CustomerRefusal.NOT_ALLOWED: "To pay in installments, please call us.",
    CustomerRefusal.HAS_PLAN: "This account has a payment plan.",
    CustomerRefusal.NOTHING_OPEN: "Nothing is to be paid on this account now.",
    CustomerRefusal.ON_ITS_WAY: "A payment is on its way. Please come back when it has arrived.",
    CustomerRefusal.TOO_MUCH_OPEN: "For this amount we make a plan with you in person. Please call "
    "us.",
    CustomerRefusal.TOO_LITTLE_OPEN: "This amount is too small for a plan. Please pay it at once, "
    "or call us.",
    CustomerRefusal.TOO_SOON: "This account had a plan lately. For another one, please call us.",
    CustomerRefusal.AUTOPAY: "Autopay is going to draw your bill. To pay in installments instead, "
    "please call us.",
}
CHANGED = "What you owe has changed. Please look at the plan again."
REASON = "made by the customer"


def show_plan(visit: Visit) -> Response:
    """Show the plan of an account, or what one would be."""
    mine = my_account(visit)
    return missing(visit) if mine is None else _page(visit, mine)


def take_plan(visit: Visit) -> Response:
    """Show the plan that was chosen, then make it by a second yes: nothing is hidden in between."""
    mine = my_account(visit)
    if mine is None or mine.is_landlords:
        return missing(visit)
    try:
        facts, refusal = arranging.may_customer(visit.office, mine.account_key, visit.today)
    except Misuse:
        return _page(visit, mine)
    if refusal is not None:
        return _page(visit, mine)
    problems: dict[str, str] = {}
    dated = _read(visit, facts, problems)
    if dated is None or problems:
        return _page(visit, mine, problems)
    if visit.text("agreed") != str(facts.payable):
        if visit.text("agreed"):
            problems[""] = visit.say(CHANGED)
        return _check(visit, mine, dated, facts.payable, problems)
    try:
        made = arranging.set_up_own(
            visit.office, mine.account_key, dated, REASON, f"customer {visit.user.number}"
        )
    except Misuse:
        return _page(visit, mine, {"": visit.say(CHANGED)})
    if isinstance(made, Arrangement):
        visit.wake_mail()
    return redirect(f"/accounts/{mine.account_key}/plan")


def _read(visit: Visit, facts: PlanFacts, problems: dict[str, str]) -> DatedAmounts | None:
    limits = arranging.limits(visit.office)
    number = visit.text("installments")
    most = most_installments(facts.payable, limits)
    if not number.isdecimal() or not 2 <= int(number) <= most:
        problems["installments"] = visit.say("Choose from 2 to %(most)s installments.", most=most)
    first = _day(visit.text("first"))
    if first is None or first < visit.today:
        problems["first"] = visit.say("Enter the day of the first installment, today or later.")
    elif first > visit.today + timedelta(days=limits.most_days):
        problems["first"] = _too_late(visit, limits)
    if problems or first is None:
        return None
    every = Every(visit.text("every")) if visit.text("every") in list(Every) else Every.MONTH
    dated = spread(facts.payable, int(number), first, every)
    if not is_within(dated, limits, visit.today):
        problems["first"] = _too_late(visit, limits)
    return dated


def _too_late(visit: Visit, limits: CustomerLimits) -> str:
    last = visit.today + timedelta(days=limits.most_days)
    return visit.say(
        "The last installment must come by %(day)s: begin earlier, or choose fewer or more often.",
        day=visit.day(last),
    )


def _day(written: str) -> date | None:
    try:
        return parse_date(written)
    except ValueError:
        return None


def _page(visit: Visit, mine: PortalAccount, problems: dict[str, str] | None = None) -> Response:
    facts, refusal = _facts(visit, mine)
    found = arranging.plan_with_standing(visit.office, mine.account_key)
    limits = arranging.limits(visit.office)
    may = facts is not None and refusal is None and not mine.is_landlords
    most = most_installments(facts.payable, limits) if facts is not None and may else 0
    return show(
        visit,
        "plan.html",
        422 if problems else 200,
        mine=mine,
        plan=found[0] if found else None,
        standing=found[1] if found else None,
        facts=facts,
        may=may,
        why_not=visit.say(WHY_NOT[refusal]) if refusal is not None else "",
        numbers=range(2, most + 1),
        first=(visit.today + FIRST_AFTER).isoformat(),
        grace=visit.office.settings.arrangements.grace_days,
        problems=problems or {},
    )


def _facts(visit: Visit, mine: PortalAccount) -> tuple[PlanFacts | None, CustomerRefusal | None]:
    try:
        return arranging.may_customer(visit.office, mine.account_key, visit.today)
    except Misuse:  # nothing of it was ever billed
        return None, CustomerRefusal.NOTHING_OPEN


def _check(
    visit: Visit, mine: PortalAccount, dated: DatedAmounts, total: Money, problems: dict[str, str]
) -> Response:
    return show(
        visit,
        "plan-check.html",
        422 if problems else 200,
        mine=mine,
        dated=dated,
        total=total,
        grace=visit.office.settings.arrangements.grace_days,
        problems=problems,
    )
