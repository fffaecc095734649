"""Paying for other things than bills: category, kind, number or name, amount (rules 190-193)."""

from __future__ import annotations

from starlette.responses import Response

from billing_system.export.sensitive import holds_sensitive_number
from database.queries.portal.accounts import newest_account
from domain.accounts import account_key
from domain.checkout import PayLine
from domain.failures import PermanentFailure
from office.procedures import checkout
from office.procedures.permits import is_permit
from rules.money.checkout import NumberKind, OtherPayment
from web.customers.paying.payers import PagePayer, payer_of
from web.customers.paying.words import read_amount
from web.customers.robots import find_robot
from web.layout import missing, show
from web.visits import Visit, redirect

NUMBERS = {
    NumberKind.CUSTOMER: "Customer number",
    NumberKind.PERMIT: "Permit number",
}
NO_NUMBER = "We do not know that number. Check it against the letter or the bill you have of it."
NO_NUMBERS = "Numbers cannot be checked at this moment. Please try again later."
NO_CARDS = (
    "This looks like the number of a card or bank account. Do not write it here: it is asked for "
    "when you pay."
)
LONGEST = 64


def show_other(visit: Visit) -> Response:
    """Let somebody choose what to pay for, by category (rule 191)."""
    payer = payer_of(visit)
    offered = _offered(visit, payer)
    if not offered:
        return missing(visit)
    categories: dict[str, list[OtherPayment]] = {}
    for one in offered:
        categories.setdefault(one.category, []).append(one)
    message = visit.messages["other_payments"]
    return show(visit, "other.html", payer=payer, categories=categories, message=message)


def show_form(visit: Visit) -> Response:
    """Ask what is needed of one kind of payment (rules 192, 193)."""
    payer = payer_of(visit)
    one = _chosen(visit, payer)
    return missing(visit) if one is None else _ask(visit, payer, one)


def take_form(visit: Visit) -> Response:
    """Put the payment into the cart, from where it is paid."""
    payer = payer_of(visit)
    one = _chosen(visit, payer)
    if one is None:
        return missing(visit)
    problems = find_robot(visit)
    amount = one.amount or read_amount(visit, problems)
    number = _number(visit, one, problems)
    if one.number is NumberKind.NONE and not visit.text("payor"):
        problems["payor"] = visit.say("Enter the name of whoever pays.")
    if _needs_comment(visit, one) and not visit.text("comment"):
        problems["comment"] = visit.say("Say what the payment is for.")
    for name in ("number", "payor", "comment"):
        if holds_sensitive_number(visit.text(name)):
            problems[name] = visit.say(NO_CARDS)
    if problems or amount is None:
        return _ask(visit, payer, one, problems)
    line = PayLine(
        account_key="",
        account=number,
        amount=amount,
        distribution=one.code,
        title=one.name,
        payor=visit.text("payor")[:120],
        comment=visit.text("comment")[:500],
    )
    if not checkout.put(visit.office, payer.owner, line):
        return _ask(visit, payer, one, {"": visit.say("Your cart is full.")})
    return redirect(f"{payer.base}/cart")


def _offered(visit: Visit, payer: PagePayer) -> list[OtherPayment]:
    found = visit.office.settings.other_payments.offered
    return [one for one in found if one.for_guests or not payer.is_guest]


def _chosen(visit: Visit, payer: PagePayer) -> OtherPayment | None:
    code = visit.path("code")
    return next((one for one in _offered(visit, payer) if one.code == code), None)


def _needs_comment(visit: Visit, one: OtherPayment) -> bool:
    return one.requires_comment or visit.office.settings.other_payments.require_comment


def _ask(
    visit: Visit, payer: PagePayer, one: OtherPayment, problems: dict[str, str] | None = None
) -> Response:
    label = NUMBERS.get(one.number)
    return show(
        visit,
        "other-form.html",
        422 if problems else 200,
        payer=payer,
        one=one,
        number_label=visit.say(label) if label else "",
        needs_comment=_needs_comment(visit, one),
        values={
            name: "" if holds_sensitive_number(text) else text for name, text in visit.form.items()
        },
        problems=problems or {},
    )


def _number(visit: Visit, one: OtherPayment, problems: dict[str, str]) -> str:
    """Return the number as it is written there; a customer's is one of our accounts."""
    typed = visit.text("number")[:LONGEST]
    if one.number is NumberKind.NONE:
        return ""
    if not any(map(str.isalnum, typed)):
        problems["number"] = visit.say("Enter the number.")
        return ""
    if one.number is NumberKind.CUSTOMER:
        with visit.office.database.reading() as books:
            known = newest_account(books, account_key(typed)[:LONGEST])
        if known is None:
            problems["number"] = visit.say(NO_NUMBER)
        return "" if known is None else str(known.account)
    try:
        if not is_permit(visit.office, typed):
            problems["number"] = visit.say(NO_NUMBER)
    except PermanentFailure:
        problems["number"] = visit.say(NO_NUMBERS)
    return typed
