"""What autopay does and when, in customers' words: every case (rules 41, 48-63; rulings 3-5)."""

from __future__ import annotations

from datetime import date, timedelta

from domain.money import Money
from domain.payments import Unscheduled
from payments.enrollment.enrolling import EnrollmentEffect, Offer
from payments.enrollment.facts import EnrollmentFacts
from rules.money.autopay import OnClosedDay, draw_date
from web.visits import Visit

REFUSALS = {
    "account-closed": "This account is closed. Autopay cannot be set up for it.",
    "direct-pay": "The billing office already draws this account's bills from your bank account "
    "(direct pay). You would pay twice. Ask the office to end direct pay, then set up autopay.",
    "already-enrolled": "Autopay is on for this account already. To change anything, unenroll "
    "first.",
    "method-blocked": "This account may not be paid that way. Choose another payment method, or "
    "ask the billing office.",
    "changed": "Something changed since the page was shown: look again before you say yes. Nothing "
    "was changed.",
    "not-enrolled": "Autopay is not on for this account. Nothing was changed.",
    "not-theirs": "Somebody else's payment method pays by autopay. They can end it, or the billing "
    "office.",
    "unknown-method": "That payment method is not in your wallet any more. Choose another one.",
    "no-wallet": "Your wallet has no payment method yet. Add one first.",
}
OTHERWISE = "This cannot be done here. Please ask the billing office."

# Why nothing is scheduled now (rules 56-58, 81).
NOT_NOW = {
    Unscheduled.HELD: "The billing office is looking at your bill. Nothing is drawn until that is "
    "done.",
    Unscheduled.ACCOUNT_CLOSED: "The account is closed. Nothing is drawn.",
    Unscheduled.DIRECT_PAY: "The billing office draws the bill by direct pay. Autopay draws "
    "nothing.",
    Unscheduled.METHOD_BLOCKED: "This account may not be paid with that payment method. Nothing is "
    "drawn: unenroll, and set up autopay with another one.",
    Unscheduled.METHOD_MISSING: "The payment method is not known any more. Nothing is drawn: "
    "unenroll, and set up autopay with another one.",
    Unscheduled.ARRANGED: "What you owe is in your payment plan, whose installments you pay by "
    "hand. Autopay draws what your next bill adds to it.",
    Unscheduled.ZERO_BALANCE: "You owe nothing now, so no payment is scheduled. The first one "
    "follows your next bill.",
    Unscheduled.OVER_MAXIMUM: "You owe more than your maximum, so nothing is drawn. Pay this bill "
    "another way.",
    Unscheduled.AFTER_DUE_DATE: "Autopay was set up after the due date. The first payment follows "
    "your next bill.",
    Unscheduled.ALREADY_PROCESSED: "The payment for this bill was already made or is on its way. "
    "The next one follows your next bill.",
}
NO_BILL = "There is no bill of this account here yet. The first payment follows the first bill."


def say_refusal(visit: Visit, code: str) -> str:
    return visit.say(REFUSALS.get(code, OTHERWISE))


def say_first(visit: Visit, offer: Offer) -> list[str]:
    """Say what happens with the bill of now, before the yes (rules 51-59)."""
    if offer.planned is None:
        return [visit.say(NO_BILL)]
    if offer.outcome is EnrollmentEffect.AFTER_NEXT_CLOSE:
        return [_say_nothing_now(visit, offer)]
    said = [_say_why_now(visit, offer)] if offer.outcome is EnrollmentEffect.AT_ONCE else []
    return [*said, _say_draw(visit, offer), *_say_moved(visit, offer)]


def _say_nothing_now(visit: Visit, offer: Offer) -> str:
    planned = offer.planned
    if planned is None or planned.unscheduled is None:
        return visit.say(NO_BILL)
    if planned.unscheduled is Unscheduled.OVER_MAXIMUM and offer.mandate.maximum is not None:
        return visit.say(
            "You owe %(owed)s, more than your maximum of %(maximum)s: nothing of it is drawn. Pay "
            "this bill another way.",
            owed=offer.standing.payable.balance.dollars(),
            maximum=offer.mandate.maximum.dollars(),
        )
    return visit.say(NOT_NOW[planned.unscheduled])


def _say_why_now(visit: Visit, offer: Offer) -> str:
    """Cases 2 and 3, and the day itself (ruling 4)."""
    today, due_on, chosen = offer.mandate.enrolled_on, offer.standing.due_on, _chosen(visit, offer)
    if due_on is not None and today > due_on:
        return visit.say("Your bill was due on %(day)s and is not paid.", day=visit.day(due_on))
    if chosen is not None and chosen < today:
        return visit.say(
            "The day on which it would be drawn, %(day)s, has passed.", day=visit.day(chosen)
        )
    return visit.say("The day on which it is drawn is today.")


def _say_draw(visit: Visit, offer: Offer) -> str:
    assert offer.planned is not None and offer.planned.pay_on is not None
    amount, day = offer.planned.amount, visit.day(offer.planned.pay_on)
    rest = offer.standing.payable.balance - amount
    values = {"amount": amount.dollars(), "day": day, "rest": rest.dollars()}
    is_now = offer.outcome is EnrollmentEffect.AT_ONCE
    if rest > Money(0):
        now = "We draw %(amount)s today, your maximum. The rest, %(rest)s, you pay another way."
        later = (
            "We draw %(amount)s on %(day)s, your maximum. The rest, %(rest)s, you pay another way."
        )
    else:
        now = "We draw %(amount)s today: the entire balance due."
        later = (
            "We draw %(amount)s on %(day)s: the entire balance due. What you pay before that day "
            "is not drawn again."
        )
    return visit.say(now if is_now else later, **values)


def _say_moved(visit: Visit, offer: Offer) -> list[str]:
    """Say that a day without banking was moved (ruling 13)."""
    due_on, chosen = offer.standing.due_on, _chosen(visit, offer)
    if due_on is None or offer.outcome is not EnrollmentEffect.ON_DAY:
        return []
    wanted = due_on - timedelta(days=offer.mandate.days_prior)
    if chosen == wanted:
        return []
    return [visit.say("No bank works on %(day)s, so it is another day.", day=visit.day(wanted))]


def _chosen(visit: Visit, offer: Offer) -> date | None:
    due_on, days = offer.standing.due_on, offer.mandate.days_prior
    if due_on is None:
        return None
    office = visit.office
    return draw_date(due_on, days, office.bank_days, office.autopay_policy.on_closed_day)


def say_always(visit: Visit, offer: Offer) -> list[str]:
    """Say what happens with each bill from then on (rules 41, 48-50, 60; rulings 3, 13)."""
    days = offer.mandate.days_prior
    when = visit.say("Each bill is paid on its due date.")
    if days == 1:
        when = visit.say(
            "Each bill is paid the day before its due date. Due dates change from bill to bill, "
            "and the day of the payment with them."
        )
    elif days:
        when = visit.say(
            "Each bill is paid %(days)s days before its due date. Due dates change from bill to "
            "bill, and the day of the payment with them.",
            days=days,
        )
    equal = visit.say("Each time we draw the entire balance due.")
    if offer.standing.payable.pays_equal_amount:
        equal = visit.say(
            "Each time we draw your equal-pay amount; your maximum does not limit it."
        )
    return [
        when,
        _say_closed_days(visit),
        equal,
        _say_maximum(visit, offer),
        visit.say(
            "If a bill's day has already passed when autopay is set up or when payments are "
            "scheduled, the entire balance due is drawn at once."
        ),
        visit.say(
            "To change the payment method, the days or the maximum, unenroll and set autopay up "
            "again. What is due by then is drawn at once."
        ),
    ]


def _say_closed_days(visit: Visit) -> str:
    moves = {
        OnClosedDay.PREVIOUS: "Where no bank works on that day, it is the banking day before.",
        OnClosedDay.NEXT: "Where no bank works on that day, it is the banking day after, but never "
        "later than the due date.",
        OnClosedDay.SAME: "Weekends and holidays do not change the day.",
    }
    return visit.say(moves[visit.office.autopay_policy.on_closed_day])


def _say_maximum(visit: Visit, offer: Offer) -> str:
    maximum = offer.mandate.maximum
    if maximum is None:
        return visit.say("There is no maximum.")
    if offer.mandate.pays_up_to_maximum:
        return visit.say(
            "Never more than %(maximum)s of a balance due is drawn; the rest of a higher one you "
            "pay another way.",
            maximum=maximum.dollars(),
        )
    return visit.say(
        "Of a balance due above %(maximum)s nothing is drawn; you are told, and pay it another "
        "way.",
        maximum=maximum.dollars(),
    )


def say_ending(visit: Visit, standing: EnrollmentFacts) -> list[str]:
    """Say what unenrolling drops, what stands, and what enrolling again would do (rule 60)."""
    payment, said = standing.payment, []
    if payment is not None and payment.waits:
        said.append(
            visit.say(
                "The payment of %(amount)s on %(day)s is taken off the schedule: you pay that bill "
                "yourself.",
                amount=payment.amount.dollars(),
                day=visit.day(payment.pay_on),
            )
        )
    elif payment is not None and payment.is_processed:
        said.append(
            visit.say(
                "The payment of %(amount)s was already asked for. It stands.",
                amount=payment.amount.dollars(),
            )
        )
    said.append(visit.say("No later bill is paid by autopay."))
    said.append(
        visit.say("If you set autopay up again later, what is due by then may be drawn at once.")
    )
    return said
