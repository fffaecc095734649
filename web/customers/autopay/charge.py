"""Why autopay charged what it did, when it did, in customers' words, read from the books."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from database.queries.payment_events import moved_of
from database.queries.portal.charges import Charge, charge_of
from domain.identity import mailbox_of
from domain.payments import PaymentState
from mail.letters.phrases import MONEY_MOVED, period_words
from rules.money.autopay import draw_date
from web.customers.accounts import my_account
from web.layout import missing, show
from web.visits import Visit

STANDS = {
    PaymentState.SCHEDULED: "Autopay draws %(amount)s on %(day)s.",
    PaymentState.SUBMITTED: "Autopay asked for %(amount)s, and the answer has not come yet.",
    PaymentState.UNKNOWN: "Autopay asked for %(amount)s, and the answer has not come yet.",
    PaymentState.SUCCEEDED: "Autopay drew %(amount)s on %(day)s.",
    PaymentState.DECLINED: "Autopay asked for %(amount)s, and it was declined. Nothing was taken.",
    PaymentState.CANCELLED: "The payment of %(amount)s was taken off the schedule. Nothing was "
    "taken.",
    PaymentState.RETURNED: "Autopay drew %(amount)s on %(day)s.",
    PaymentState.RETURNED_IN_PART: "Autopay drew %(amount)s on %(day)s.",
}


def show_charge(visit: Visit) -> Response:
    """Explain one payment of autopay to whoever sees its account; its method to its payer alone."""
    mine, number = my_account(visit), visit.path("number")
    if mine is None or not (number.isascii() and number.isdecimal() and len(number) < 4):
        return missing(visit)
    with visit.office.database.reading() as books:
        charge = charge_of(books, mine.account_key, visit.path("period"), int(number))
        moved = moved_of(books, charge.key) if charge else []
    if charge is None:
        return missing(visit)
    agreed = charge.agreement
    is_payer = agreed is not None and mailbox_of(agreed.payer) == mailbox_of(visit.user.address)
    return show(
        visit,
        "charge.html",
        mine=mine,
        charge=charge,
        period=period_words(charge.period, visit.language),
        stands=_say_stand(visit, charge),
        why=[say_amount(visit, charge), say_day(visit, charge), _say_who(visit, charge, is_payer)],
        moved=[
            visit.say(
                MONEY_MOVED[event.kind],
                amount=event.amount.dollars(),
                day=visit.day(event.happened_at.astimezone(visit.zone).date()),
            )
            for event in moved
        ],
        method=visit.say_method(charge.kind, charge.last4, charge.brand) if is_payer else "",
    )


def say_amount(visit: Visit, charge: Charge) -> str:
    """Say why it was this amount (rules 41, 50, 52; rulings 3, 5)."""
    agreed = charge.agreement
    maximum = agreed.maximum if agreed else None
    values = {
        "amount": charge.amount.dollars(),
        "billed": charge.billed.dollars(),
        "period": period_words(charge.period, visit.language),
    }
    if charge.number > 1:
        said = "It was drawn before and came back, so it is drawn again."
    elif charge.amount == charge.equal_pay:
        said = "%(amount)s is your equal-pay amount."
    elif charge.amount == charge.billed:
        said = "Your bill for %(period)s asks for %(billed)s: the entire balance due."
    elif charge.amount == maximum:
        said = (
            "Your bill for %(period)s asks for %(billed)s. %(amount)s is your maximum: no more is "
            "drawn, and the rest you pay another way."
        )
    elif charge.amount < charge.billed:
        said = (
            "Your bill for %(period)s asks for %(billed)s. What was paid or credited before is not "
            "drawn again: %(amount)s was left."
        )
    else:
        said = (
            "Your bill for %(period)s asks for %(billed)s. With what was added to your account "
            "afterwards %(amount)s was owed."
        )
    return visit.say(said, **values)


def say_day(visit: Visit, charge: Charge) -> str:
    """Say why it was this day (rules 48, 49, 51-55; rulings 4, 13)."""
    agreed = charge.agreement
    if charge.number > 1:
        return visit.say("A payment that came back is tried again after some banking days.")
    if charge.immediate:
        return visit.say(
            "The day on which it would have been drawn had come or passed already, so it was due "
            "at once."
        )
    if agreed is None:
        return visit.say("Its day was counted back from the due date, as was agreed then.")
    said = "It is drawn on the due date, %(due)s."
    if agreed.days_prior == 1:
        said = "It is drawn the day before the due date, %(due)s."
    elif agreed.days_prior:
        said = "It is drawn %(days)s days before the due date, %(due)s."
    sentence = visit.say(said, days=agreed.days_prior, due=visit.day(charge.due_on))
    return " ".join(filter(None, [sentence, _say_moved_day(visit, charge)]))


def _say_moved_day(visit: Visit, charge: Charge) -> str:
    """Say why it is another day than the one that was counted, "" where it is that one."""
    assert charge.agreement is not None
    days, office = charge.agreement.days_prior, visit.office
    wanted = charge.due_on - timedelta(days=days)
    if charge.pay_on == wanted:
        return ""
    chosen = draw_date(charge.due_on, days, office.bank_days, office.autopay_policy.on_closed_day)
    if charge.pay_on == chosen:
        return visit.say("No bank works on %(day)s, so it is another day.", day=visit.day(wanted))
    return visit.say("The day was counted from the due date as it stood then.")


def _say_stand(visit: Visit, charge: Charge) -> str:
    taken = charge.taken_at.astimezone(visit.zone).date() if charge.taken_at else charge.pay_on
    return visit.say(STANDS[charge.state], amount=charge.amount.dollars(), day=visit.day(taken))


def _say_who(visit: Visit, charge: Charge, is_payer: bool) -> str:
    """Say on whose agreement it rests; whose wallet pays is told to nobody else (rule 118)."""
    agreed = charge.agreement
    if agreed is None:
        return visit.say("The agreement of that time is not kept here any more.")
    day = visit.day(agreed.enrolled_on)
    if is_payer:
        return visit.say("You agreed to autopay on %(day)s.", day=day)
    return visit.say(
        "Autopay was set up on %(day)s by whoever's payment method it draws from.", day=day
    )
