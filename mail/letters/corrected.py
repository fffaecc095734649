"""What the mail of a corrected bill says: what changed, and how the account stands since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.languages import ENGLISH, say_day
from domain.money import ZERO, Money
from mail.letters.spanish import in_language

CORRECTED_BILL = "corrected-bill"  # the template's name, whatever the bill's form
SAME_AMOUNT = "The amount is as before: {now}."
OTHER_AMOUNT = "The amount is now {now}; it was {before}."
SAME_DAY = "The due date is as before: {now}."
OTHER_DAY = "The due date is now {now}; it was {before}."
RECEIVED = "We have received {amount} since the bill was made."
CREDIT = "Your account has a credit of {amount}. Nothing needs to be paid."
NOTHING_LEFT = "Nothing is left to be paid."
NOTHING_TO_DO = "There is nothing else you need to do."
PAY_THE_REST = "Please pay the remaining {amount} by {day}."
NOT_DRAWN = "{amount} is left, which autopay does not draw: please pay it by {day}."
PLEASE_PAY = "Please pay {amount} by {day}."
A_CREDIT = "a credit of {amount}"


@dataclass(frozen=True, slots=True)
class Change:
    """
    The bill that was there before; `open_balance` is what the account owes when the mail leaves.

    None: the account's balance is not of this bill any more.
    """

    amount_before: Money
    due_before: date
    open_balance: Money | None


def say_changes(
    amount_due: Money, due_on: date, change: Change, language: str = ENGLISH
) -> tuple[str, ...]:
    """Name old and new amount and due date; what stays as it was is said too."""
    amount, amount_before = _amount(amount_due, language), _amount(change.amount_before, language)
    day, day_before = say_day(due_on, language), say_day(change.due_before, language)
    is_same, falls_alike = amount_due == change.amount_before, due_on == change.due_before
    return (
        _say(SAME_AMOUNT if is_same else OTHER_AMOUNT, language, now=amount, before=amount_before),
        _say(SAME_DAY if falls_alike else OTHER_DAY, language, now=day, before=day_before),
    )


def say_standing(
    amount_due: Money,
    due_on: date,
    change: Change,
    drawn: Money,
    autopay_line: str,
    language: str = ENGLISH,
) -> tuple[str, ...]:
    """
    Say what is left to pay and who pays it; `drawn` is what autopay is going to draw.

    What was paid is never asked for twice: more than is owed now is a credit.
    """
    owed = amount_due if change.open_balance is None else change.open_balance
    received = amount_due - owed
    told = [_say(RECEIVED, language, amount=received.dollars())] if received > ZERO else []
    if owed < ZERO:
        return (*told, _say(CREDIT, language, amount=Money(-owed.cents).dollars()))
    if owed == ZERO:
        return (*told, _say(NOTHING_LEFT, language))
    if drawn >= owed:
        return (*told, autopay_line, _say(NOTHING_TO_DO, language))
    asked = {"amount": (owed - drawn).dollars(), "day": say_day(due_on, language)}
    if drawn > ZERO:
        return (*told, autopay_line, _say(PAY_THE_REST, language, **asked))
    return (*told, _say(NOT_DRAWN if told else PLEASE_PAY, language, **asked))


def _say(sentence: str, language: str, **said: str) -> str:
    return in_language(sentence, language).format(**said)


def _amount(amount: Money, language: str) -> str:
    if amount < ZERO:
        return _say(A_CREDIT, language, amount=Money(-amount.cents).dollars())
    return amount.dollars()
