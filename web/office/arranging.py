"""The payment plan of an account: set up, approved or cancelled by the office."""

from __future__ import annotations

from datetime import date

from starlette.responses import Response

from domain.dates import parse_date
from domain.failures import Misuse, Refused
from domain.money import Money
from office.procedures.mailing import arranging
from rules.money.arrangements import FIRST_AFTER, DatedAmounts, Every
from web.layout import missing
from web.office.layout import show_office
from web.office.permissions import Permission, may
from web.visits import LONGEST_REASON, Visit

DONE = {
    "set-up": "The plan is set up.",
    "cancel": "The plan is cancelled: all that is open is due again.",
    "approve": "The plan is in force.",
}
WAITS = "The plan waits for another person's yes."


def show_plan(visit: Visit, problems: dict[str, str] | None = None, said: str = "") -> Response:
    """Show an account's plan as the ledger has it, and the form for another one."""
    try:
        facts = arranging.find_facts(visit.office, visit.path("account"))
    except Misuse:
        return missing(visit)
    found = arranging.plan_with_standing(visit.office, facts.account_key)
    return show_office(
        visit,
        "arrangement.html",
        422 if problems else 200,
        facts=facts,
        plan=found[0] if found else None,
        standing=found[1] if found else None,
        may_arrange=may(visit.user.role, Permission.DECIDE),
        first=(visit.today + FIRST_AFTER).isoformat(),
        problems=problems or {},
        said=said,
        values={} if said else visit.form,
    )


def take_plan(visit: Visit) -> Response:
    """Do what was pressed: a plan by number or by dates, a second yes, or its end; audited."""
    act, number = visit.text("act"), visit.path("account")
    reason = visit.text("reason")[:LONGEST_REASON]
    if act not in DONE:
        return show_plan(visit)
    if not reason and act != "approve":
        return show_plan(visit, {"reason": "Say why: it is audited."})
    said = DONE[act]
    try:
        if act == "set-up":
            made = arranging.set_up(visit.office, number, _dated(visit, number), reason)
            said = said if made.state == "in-force" else WAITS
        elif act == "cancel":
            arranging.cancel(visit.office, number, reason)
        else:
            arranging.approve(visit.office, number)
    except (Misuse, Refused) as refused:
        return show_plan(visit, {"": refused.message})
    visit.wake_mail()
    return show_plan(visit, said=said)


def _dated(visit: Visit, number: str) -> DatedAmounts:
    own = visit.text("dates")
    if own:
        return [_part(part) for part in own.split(";") if part.strip()]
    count = visit.text("installments")
    if not count.isdecimal():
        raise Misuse("Say how many installments, or write each with its day.")
    amount = visit.text("amount")
    every = visit.text("every")
    return arranging.to_dates(
        visit.office,
        number,
        _amount(amount) if amount else None,
        int(count[:4]),
        _day(visit.text("first")),
        Every(every) if every in list(Every) else Every.MONTH,
    )


def _part(written: str) -> tuple[date, Money]:
    day, _, amount = written.strip().replace("=", " ").partition(" ")
    return _day(day), _amount(amount)


def _day(written: str) -> date:
    try:
        return parse_date(written)
    except ValueError:
        raise Misuse(f"{written!r} is no day such as 2026-12-01.") from None


def _amount(written: str) -> Money:
    try:
        return Money.parse(written)
    except ValueError:
        raise Misuse(f"{written!r} is no amount such as 40.00.") from None
