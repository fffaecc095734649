"""What moved after a bill was made, as its mails say it."""

from __future__ import annotations

from datetime import date

import pytest

from domain.languages import ENGLISH, SPANISH
from domain.money import ZERO, Money
from domain.since_bill import SinceBill
from mail.letters.bill import AnnouncedDraw, a_sample, variables
from mail.letters.since_bill import say_since_bill


def money(amount: str) -> Money:
    return Money.parse(amount)


ON, LATER = date(2026, 11, 30), date(2026, 12, 1)


def since(paid: str = "0.00", added: str = "0.00", first: date | None = ON, last: date | None = ON):
    return SinceBill(money("160.00"), money(added), money(paid), first, last)


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (since(), ""),
        (None, ""),
        (
            since("100.00"),
            "Your bill shows $160.00. We received $100.00 on November 30, 2026, after it was made: "
            "$60.00 is left.",
        ),
        (
            since("160.00", last=LATER),
            "Your bill shows $160.00. We received $160.00 until December 1, 2026, after it was "
            "made: nothing is left to pay.",
        ),
        (
            since("170.00"),
            "Your bill shows $160.00. We received $170.00 on November 30, 2026, after it was made: "
            "you have a credit of $10.00.",
        ),
        (
            since("-80.00", first=None, last=None),
            "Your bill shows $160.00. $80.00 that was paid before went back: $240.00 is owed now.",
        ),
        (
            since("100.00", "25.00"),
            "Your bill shows $160.00. We received $100.00 on November 30, 2026, after it was made; "
            "$25.00 was added since: $85.00 is left.",
        ),
        (
            since(added="-5.00"),
            "Your bill shows $160.00. $5.00 was taken off: $155.00 is left.",
        ),
    ],
)
def test_a_mail_says_what_the_bill_shows_what_moved_since_and_what_is_left(moved, expected):
    assert expected == say_since_bill(moved)


def test_no_english_is_left_in_spanish():
    cases = [since("100.00"), since("-80.00"), since("100.00", "25.00"), since(added="-5.00")]
    cases += [since("170.00"), since("160.00", last=LATER), since("1.00", first=None, last=None)]

    pieces = [say_since_bill(one, SPANISH) for one in cases]

    english = ("bill", "was", "received", "left", "owed", "credit", "went")
    assert [] == [(word, text) for text in pieces for word in english if word in text]


def test_what_is_to_be_paid_goes_by_what_moved_since():
    letter = a_sample()
    moved = SinceBill(letter.amount_due, ZERO, letter.amount_due - money("60.00"), ON, ON)
    draw = AnnouncedDraw(money("60.00"), date(2026, 12, 18))

    values = variables(type(letter)(**{**_facts(letter), "since": moved, "draw": draw}))

    names = ("amount_due", "open_balance", "remaining_due", "is_paid_by_autopay", "is_payment_due")
    assert ["$1,027.35", "$60.00", "$0.00", True, True] == [values[name] for name in names]
    assert ENGLISH == values["language"]


def test_a_bill_that_was_paid_before_its_mail_asks_for_nothing():
    letter = a_sample()
    moved = SinceBill(letter.amount_due, ZERO, letter.amount_due, ON, ON)

    values = variables(type(letter)(**{**_facts(letter), "since": moved, "draw": None}))

    assert (False, "$0.00") == (values["is_payment_due"], values["open_balance"])


def _facts(letter) -> dict:
    return {name: getattr(letter, name) for name in letter.__dataclass_fields__}
