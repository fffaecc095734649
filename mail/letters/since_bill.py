"""What moved on an account after its bill was made, in the words of mails and pages."""

from __future__ import annotations

from domain.languages import ENGLISH, say_day
from domain.money import ZERO, Money
from domain.since_bill import SinceBill
from mail.letters.spanish import in_language


def say_since_bill(since: SinceBill | None, language: str = ENGLISH) -> str:
    """Say what the bill shows, what moved since, and what is left; empty where nothing moved."""
    if since is None or (since.added == ZERO and since.paid == ZERO):
        return ""
    said = [_received(since, language)] if since.paid != ZERO else []
    if since.added != ZERO:
        template = "{amount} was added since" if since.added > ZERO else "{amount} was taken off"
        said.append(_say(template, language, amount=_plain(since.added)))
    shows = _say("Your bill shows {amount}.", language, amount=since.billed.dollars())
    return f"{shows} {'; '.join(said)}: {_left(since, language)}"


def _received(since: SinceBill, language: str) -> str:
    amount = _plain(since.paid)
    if since.paid < ZERO:
        return _say("{amount} that was paid before went back", language, amount=amount)
    if since.last_on is None:
        return _say("We received {amount} after it was made", language, amount=amount)
    day = say_day(since.last_on, language)
    if since.first_on == since.last_on:
        template = "We received {amount} on {day}, after it was made"
    else:
        template = "We received {amount} until {day}, after it was made"
    return _say(template, language, amount=amount, day=day)


def _left(since: SinceBill, language: str) -> str:
    left = since.open_balance
    if left == ZERO:
        return _say("nothing is left to pay.", language)
    if left < ZERO:
        return _say("you have a credit of {amount}.", language, amount=_plain(left))
    template = "{amount} is left." if left < since.billed else "{amount} is owed now."
    return _say(template, language, amount=left.dollars())


def _say(template: str, language: str, **values: str) -> str:
    return in_language(template, language).format(**values)


def _plain(amount: Money) -> str:
    return Money(abs(amount.cents)).dollars()
