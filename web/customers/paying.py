"""Paying an account by hand: how much and with what, the check page, what became of it."""

from __future__ import annotations

from starlette.responses import Response

from domain.checkout import Checkout, CheckoutEnd, NotTaken, PayableAccount
from domain.money import ZERO, Money
from mail.letters.phrases import say_failure
from office.procedures import checkout
from payments.checkout.confirming import PayWish
from payments.checkout.facts import read_payable
from rules.money.checkout import CheckoutPolicy, offered_methods, parse_payment, payable_now
from web.customers.accounts import my_account
from web.layout import missing, show
from web.visits import Visit, redirect

WHY = {
    NotTaken.NOTHING_PAYABLE: "Nothing is to be paid on this account now.",
    NotTaken.OVER_PAYABLE: "That is more than can be paid now: what you owe has changed.",
    NotTaken.METHOD_GONE: "That card or bank account is no longer in your wallet.",
    NotTaken.METHOD_BLOCKED: "This account cannot be paid that way. Choose another one.",
    NotTaken.METHOD_SUSPENDED: "That card or bank account can no longer be used.",
    NotTaken.FEE_CHANGED: "The service fee has changed since you began.",
    NotTaken.ACCOUNT_GONE: "This account is no longer linked to you.",
}
AMOUNT = "Enter the amount in dollars, for example 45.50."


def show_pay(visit: Visit) -> Response:
    """Ask how much and with what; the whole balance stands there already (rule 185)."""
    facts = _payable(visit)
    return missing(visit) if facts is None else _ask(visit, facts)


def take_pay(visit: Visit) -> Response:
    """Take the wish to a check page; nothing is asked of anybody yet."""
    facts = _payable(visit)
    if facts is None:
        return missing(visit)
    problems: dict[str, str] = {}
    amount = _amount(visit, problems)
    token = _token(visit, facts, problems)
    if problems or amount is None:
        return _ask(visit, facts, problems)
    wish = PayWish(visit.user.number, visit.user.address, facts.account_key, token, amount)
    key, reason = checkout.draft(visit.office, wish)
    if reason is None:
        return redirect(f"/payments/{key}")
    about = "amount" if reason in (NotTaken.NOTHING_PAYABLE, NotTaken.OVER_PAYABLE) else "method"
    return _ask(visit, facts, {about: _refusal(visit, facts, reason)})


def show_payment(visit: Visit) -> Response:
    """Show a payment by hand as it stands: to be checked, on its way, or what became of it."""
    one = checkout.find(visit.office, visit.path("key"), visit.user.number)
    if one is None:
        return missing(visit)
    end = one.end(visit.now)
    if end is CheckoutEnd.OPEN:
        return show(visit, "pay-check.html", one=one, ahead=_is_ahead(visit, one))
    reason, remedy = say_failure(one.error, one.advice) if one.error else ("", "")
    return show(
        visit,
        "payment.html",
        one=one,
        end=end.value,
        why=visit.say(WHY[one.not_taken]) if one.not_taken else visit.say(reason),
        remedy=visit.say(remedy),
        taken_at=one.taken_at.astimezone(visit.zone) if one.taken_at else None,
    )


def confirm_payment(visit: Visit) -> Response:
    """Draw by the customer's yes, once; then show what is, however often it was pressed."""
    key = visit.path("key")
    if checkout.find(visit.office, key, visit.user.number) is None:
        return missing(visit)
    checkout.confirm(visit.office, key, visit.user.number)
    visit.wake_mail()
    return redirect(f"/payments/{key}")


def back_to_payment(visit: Visit) -> Response:
    """Lead who signed in again in mid-payment to the payment as it stands: nothing acts here."""
    return redirect(f"/payments/{visit.path('key')}")


def _payable(visit: Visit) -> PayableAccount | None:
    mine = my_account(visit)
    if mine is None:
        return None
    with visit.office.database.reading() as books:
        return read_payable(books, visit.user.number, visit.user.address, mine.account_key)


def _ask(visit: Visit, facts: PayableAccount, problems: dict[str, str] | None = None) -> Response:
    policy = visit.office.checkout_terms
    payable = payable_now(facts)
    values = dict(visit.form) if visit.is_post else {"amount": str(payable) if payable else ""}
    return show(
        visit,
        "pay.html",
        422 if problems else 200,
        facts=facts,
        payable=payable,
        methods=offered_methods(facts),
        has_blocked=any(facts.is_blocked(one.kind) for one in facts.wallet),
        may_pay=bool(payable) or _may_pay_ahead(facts, policy),
        values=values,
        problems=problems or {},
    )


def _amount(visit: Visit, problems: dict[str, str]) -> Money | None:
    try:
        return parse_payment(visit.text("amount"))
    except ValueError:
        problems["amount"] = visit.say(AMOUNT)
        return None


def _token(visit: Visit, facts: PayableAccount, problems: dict[str, str]) -> str:
    """Return the chosen method's token; only what is in the customer's own wallet can be chosen."""
    token = visit.text("method")
    if facts.method(token) is None:
        problems["method"] = visit.say("Choose what to pay with.")
    return token


def _refusal(visit: Visit, facts: PayableAccount, reason: NotTaken) -> str:
    if reason is not NotTaken.OVER_PAYABLE:
        return visit.say(WHY[reason])
    most = payable_now(facts).dollars()
    return visit.say("You can pay at most %(amount)s now.", amount=most)


def _may_pay_ahead(facts: PayableAccount, policy: CheckoutPolicy) -> bool:
    return policy.pays_ahead and facts.on_its_way == ZERO


def _is_ahead(visit: Visit, one: Checkout) -> bool:
    with visit.office.database.reading() as books:
        facts = read_payable(books, visit.user.number, visit.user.address, one.account_key)
    return facts is not None and one.amount > max(facts.owed, ZERO)
