"""What pages say of payments: why nothing was taken, what is agreed to, what is not known."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping

from domain.checkout import NotTaken, PayableAccount, PayMethod, Refusal
from domain.languages import say_day, say_time
from domain.money import Money
from domain.payment_methods import say_method
from domain.payments import MethodKind
from office.procedures.checkout import balances_as_of
from rules.money.checkout import parse_payment, payable_now
from web.customers.paying.payers import payer_of
from web.layout import newest_utility_name
from web.visits import Visit

WHY = {
    NotTaken.NOTHING_PAYABLE: "Nothing is to be paid on this account now.",
    NotTaken.OVER_PAYABLE: "That is more than can be paid now: what you owe has changed.",
    NotTaken.METHOD_GONE: "That card or bank account is no longer in your wallet.",
    NotTaken.METHOD_BLOCKED: "This account cannot be paid that way. Choose another one.",
    NotTaken.METHOD_SUSPENDED: "That card or bank account can no longer be used.",
    NotTaken.FEE_CHANGED: "The service fee has changed since you began.",
    NotTaken.PRICE_CHANGED: "What this costs has changed. Take it out and choose it again.",
    NotTaken.ACCOUNT_GONE: "You do not see this account any more.",
    NotTaken.NOT_OFFERED: "This cannot be paid here any more.",
    NotTaken.CART_OFF: "Only one thing can be paid at a time.",
    NotTaken.NOT_YET: "Nothing can be paid here before the first bills are out.",
}
AMOUNT = "Enter the amount in dollars, for example 45.50."
MOST = "One payment may be %(amount)s at most."
PAYS_ONCE = "A card or bank account is used for one payment only. Please give it again."
CHOOSE = "Choose what to pay with."
NO_WAY = (
    "This can be paid here neither by card nor from a bank account. Take something out of what "
    "you pay, or ask our office."
)
CONSENT = (
    "By pressing the button you authorize %(utility)s to debit your %(method)s once, "
    "today, for %(amount)s. If your bank returns the payment, the amount is owed again and a fee "
    "may be charged."
)
NEW_METHOD = "new"  # the value of the choice of a card or bank account that is not saved yet


def read_amount(visit: Visit, problems: MutableMapping[str, str]) -> Money | None:
    """Read the amount that somebody typed; what is wrong with it goes beside its field."""
    most = visit.office.checkout_terms.most
    try:
        amount = parse_payment(visit.text("amount"))
    except ValueError:
        problems["amount"] = visit.say(AMOUNT)
        return None
    if amount > most:
        problems["amount"] = visit.say(MOST, amount=most.dollars())
        return None
    return amount


def say_refusal(
    visit: Visit, refusal: Refusal, accounts: Iterable[PayableAccount] = (), *, whole: bool = False
) -> str:
    """Say why nothing can be taken; of a payment of several lines also which one is the reason."""
    facts = next((one for one in accounts if one.account == refusal.account), None)
    if refusal.reason is NotTaken.OVER_PAYABLE and facts is not None:
        most = payable_now(facts).dollars()
        said = visit.say("You can pay at most %(amount)s now.", amount=most)
    elif refusal.reason is NotTaken.OVER_MOST:
        said = visit.say(MOST, amount=visit.office.checkout_terms.most.dollars())
    elif refusal.reason is NotTaken.METHOD_GONE and payer_of(visit).is_guest:
        said = visit.say(PAYS_ONCE)
    else:
        said = visit.say(WHY[refusal.reason])
    if not whole or not refusal.account:
        return said
    about = visit.say("Account %(number)s", number=refusal.account)
    return f"{about}: {said}"


def consent_in(visit: Visit, method: PayMethod, total: Money) -> str:
    """Say in the visitor's language what a debit is agreed to by; it is kept as it is said."""
    if method.kind is not MethodKind.ACH:
        return ""
    utility = newest_utility_name(visit)
    said = say_method(method.kind, method.last4, method.brand, visit.language)
    return visit.say(CONSENT, utility=utility, method=said, amount=total.dollars())


def say_stale(visit: Visit, accounts: Iterable[PayableAccount]) -> str:
    """Say since when balances are not known; empty where they are of today (contract 6)."""
    moment = balances_as_of(visit.office, accounts)
    if moment is None:
        return ""
    local = moment.astimezone(visit.zone)
    return visit.say(
        "We know balances as they were on %(day)s at %(time)s. What was paid elsewhere since then "
        "is not in them: pay only what you know to be open.",
        day=say_day(local, visit.language),
        time=say_time(local, visit.language),
    )
