"""Guests: what they can pay, and an account of which they show a bill (rule 190)."""

from __future__ import annotations

from starlette.responses import Response

from domain.accounts import account_key
from domain.checkout import NotTaken, PayableAccount, PayLine, Refusal
from domain.money import Money
from identity.account_links import LinkWish, find_by_bill
from office.procedures import checkout
from payments.checkout.facts import read_payable
from rules.money.checkout import payable_now
from web.customers.paying.payers import payer_of
from web.customers.paying.words import read_amount, say_refusal, say_stale
from web.customers.robots import find_robot
from web.layout import show
from web.visits import Visit, redirect

NO_ACCOUNT = (
    "We found no account with that number and that name or amount. Check both against your last "
    "bill. After several wrong tries nothing is found for a day."
)


def show_guest(visit: Visit) -> Response:
    """Ask for an account's number and name; other payments are offered beside."""
    return _ask(visit)


def take_guest(visit: Visit) -> Response:
    """
    Show what is due on an account of which a bill was shown, and nothing else of it.

    Both fields come again with the amount, so that what was found stands nowhere but in the cart
    of whoever knows them.
    """
    problems = find_robot(visit)
    if not account_key(visit.text("number")):
        problems["number"] = visit.say("Enter the account number that stands on your bill.")
    if not visit.text("proof"):
        problems["proof"] = visit.say(
            "Enter your last name as it stands on the bill, or the amount of your last bill."
        )
    if problems:
        return _ask(visit, problems)
    facts = _find(visit)
    if facts is None:
        return _ask(visit, {"number": visit.say(NO_ACCOUNT)})
    if "amount" not in visit.form:
        payable = payable_now(facts)
        return _amount_page(visit, facts, {"amount": str(payable) if payable else ""})
    return _take_amount(visit, facts)


def _take_amount(visit: Visit, facts: PayableAccount) -> Response:
    values, problems = dict(visit.form), dict[str, str]()
    amount = read_amount(visit, problems)
    if amount is None:
        return _amount_page(visit, facts, values, problems)
    if amount > payable_now(facts) and not _pays_ahead(visit, facts):
        refusal = Refusal(NotTaken.OVER_PAYABLE, facts.account)
        problem = say_refusal(visit, refusal, [facts])
        return _amount_page(visit, facts, values, {"amount": problem})
    line = PayLine(facts.account_key, facts.account, amount)
    if not checkout.put(visit.office, payer_of(visit).owner, line):
        return _amount_page(visit, facts, values, {"": visit.say("Your cart is full.")})
    return redirect("/guest/cart")


def _pays_ahead(visit: Visit, facts: PayableAccount) -> bool:
    return visit.office.settings.checkout.pay_ahead and facts.on_its_way == Money(0)


def _find(visit: Visit) -> PayableAccount | None:
    """Find an account by what stands on its bill; wrong tries are counted."""
    wish = LinkWish(visit.text("number"), visit.text("proof"), visit.network)
    most = visit.office.settings.checkout.guest_attempts
    with visit.office.database.writing() as books:
        known = find_by_bill(books, wish, visit.now, most)
        if known is None:
            return None
        return read_payable(books, payer_of(visit).owner, [known[0]]).get(known[0])


def _ask(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    settings = visit.office.settings
    offered = [one for one in settings.other_payments.offered if one.for_guests]
    return show(
        visit,
        "guest.html",
        422 if problems else 200,
        payer=payer_of(visit),
        has_other=bool(offered),
        message=visit.messages["payment"],
        problems=problems or {},
    )


def _amount_page(
    visit: Visit,
    facts: PayableAccount,
    values: dict[str, str],
    problems: dict[str, str] | None = None,
) -> Response:
    given = {"number": visit.text("number"), "proof": visit.text("proof")}
    return show(
        visit,
        "guest-amount.html",
        422 if problems else 200,
        payer=payer_of(visit),
        facts=facts,
        payable=payable_now(facts),
        may_pay=bool(payable_now(facts)) or _pays_ahead(visit, facts),
        stale=say_stale(visit, [facts]),
        given=given,
        values=values,
        problems=problems or {},
    )
