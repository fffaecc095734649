"""What a mail about a bill says: its facts, and the variables that templates may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from domain.deliveries import PasswordField
from domain.languages import ENGLISH, say_day
from domain.money import ZERO, Money
from domain.payments import MethodKind
from domain.since_bill import SinceBill
from mail.letters.corrected import CORRECTED_BILL, Change, say_changes, say_standing
from mail.letters.phrases import (
    Values,
    greeted,
    made_safe,
    method_words,
    password_hint,
    period_words,
    web_address,
)
from mail.letters.since_bill import say_since_bill
from mail.letters.spanish import in_language
from mail.message.mime import one_line

_OWN_DRAW = "Your payment of {amount} will be drawn on {day} from your {method}."
_ANY_DRAW = "The autopay payment of {amount} will be drawn on {day}."
FORM_TITLES = {
    "utility-bill": "utility bill",
    "final-bill": "final bill",
    "delinquent-notice": "delinquent notice",
    "ar-invoice": "invoice",
}


class Letter(Protocol):
    """The facts of one mail, whatever it is about."""

    @property
    def form(self) -> str: ...

    @property
    def utility(self) -> str: ...

    @property
    def language(self) -> str:
        """What its reader reads."""
        ...

    @property
    def templates(self) -> tuple[str, ...]:
        """The templates it may be worded by; the first that is there does it."""
        ...

    def values(self) -> Values: ...


@dataclass(frozen=True, slots=True)
class AnnouncedDraw:
    """
    An autopay payment that is going to be drawn for this bill.

    The method is there only where this recipient may read it (rules 117, 118).
    """

    amount: Money
    pay_on: date
    method: MethodKind | None = None
    last4: str = ""
    brand: str = ""


@dataclass(frozen=True, slots=True)
class BillLetter:
    """The facts that the mail about one bill may speak of; dates are local dates."""

    utility: str
    period: str
    form: str
    account: str
    customer: str
    service_address: str
    amount_due: Money
    due_on: date
    draw: AnnouncedDraw | None = None
    latest_communication: str = ""  # a web address; empty: there is none now (rule 108)
    password_hint: str = ""  # how the PDF is opened; empty: without a password
    bill_link: str = ""  # where the bill is to be read; empty: it is attached
    bill_page: str = ""  # where the same is a page that everybody can read; empty: there is none
    language: str = ENGLISH
    since: SinceBill | None = None  # what moved after it was made
    change: Change | None = None  # it takes the place of a bill that its reader may have

    @property
    def templates(self) -> tuple[str, ...]:
        names = (self.form, "default") if self.change is None else (CORRECTED_BILL,)
        return in_languages(names, self.language)

    def values(self) -> Values:
        return variables(self)


def variables(letter: BillLetter) -> Values:
    """
    Return everything a template may use (rule 17); this is the one list of them.

    Texts are made safe for one line; amounts and dates are written as people read them.
    `amount_due` is what the bill shows, and never bears a minus: of a credit the templates say that
    it is one. What is still to be paid goes by what moved since.
    """
    owed = letter.amount_due if letter.since is None else letter.since.open_balance
    return made_safe(
        {
            "utility": letter.utility,
            "language": letter.language,
            "period": period_words(letter.period, letter.language),
            "form_title": in_language(form_title(letter.form), letter.language),
            "account_number": letter.account,
            "customer_name": greeted(letter.customer),
            "service_address": letter.service_address,
            "amount_due": Money(abs(letter.amount_due.cents)).dollars(),
            "since_bill": say_since_bill(letter.since, letter.language),
            "open_balance": max(owed, ZERO).dollars(),
            "remaining_due": remaining(owed, letter.draw).dollars(),
            "due_date": say_day(letter.due_on, letter.language),
            "autopay_line": autopay_line(letter.draw, letter.language),
            "password_hint": letter.password_hint,
            "bill_link": web_address(letter.bill_link),
            "bill_page": web_address(letter.bill_page),
            "LatestCommunicationLink": web_address(letter.latest_communication),
            "is_payment_due": owed > ZERO,
            "is_credit": letter.amount_due < ZERO,
            "is_paid_by_autopay": is_covered(owed, letter.draw),
            "changes": _changes(letter),
            "standing": _standing(letter),
        }
    )


def _changes(letter: BillLetter) -> tuple[str, ...]:
    if letter.change is None:
        return ()
    return say_changes(letter.amount_due, letter.due_on, letter.change, letter.language)


def _standing(letter: BillLetter) -> tuple[str, ...]:
    if letter.change is None:
        return ()
    drawn = letter.draw.amount if letter.draw else ZERO
    return say_standing(
        letter.amount_due,
        letter.due_on,
        letter.change,
        drawn,
        autopay_line(letter.draw, letter.language),
        letter.language,
    )


def in_languages(names: tuple[str, ...], language: str) -> tuple[str, ...]:
    """Put before each template its own in a reader's language, `past-due-es`."""
    if language == ENGLISH:
        return names
    return tuple(template for name in names for template in (f"{name}-{language}", name))


def form_title(form: str) -> str:
    """Say a form's name as people do: `backflow-test` is a backflow test (rule 14)."""
    return FORM_TITLES.get(form) or one_line(form.replace("-", " ").replace("_", " "))


def a_sample(form: str = "utility-bill") -> BillLetter:
    """Return a bill's sample facts, with every variable filled that a bill can have at once."""
    return BillLetter(
        utility="City of Larkspur",
        period="2026-10",
        form=form,
        account="01.1037.1",
        customer="Ann O'Neil & Søn",
        service_address="12 Elm Street",
        amount_due=Money(102_735),
        due_on=date(2026, 11, 20),
        draw=AnnouncedDraw(Money(102_735), date(2026, 11, 13), MethodKind.CARD, "1234", "Visa"),
        latest_communication="https://larkspur.example/news/2026-10.pdf",
        password_hint=password_hint(PasswordField.ZIP, "84840"),
        bill_page="https://larkspur.example/accounts/01.1037.1/bill/2026-10/page",
        change=a_sample_change() if form == CORRECTED_BILL else None,
    )


def a_sample_change() -> Change:
    """Return what a sample of a corrected bill has changed."""
    return Change(Money(112_735), date(2026, 11, 18), Money(102_735))


def remaining(owed: Money, draw: AnnouncedDraw | None) -> Money:
    """Return what a draw that stops at the customer's maximum leaves to be paid."""
    return max(owed - (draw.amount if draw else ZERO), ZERO)


def is_covered(owed: Money, draw: AnnouncedDraw | None) -> bool:
    return draw is not None and draw.amount >= owed


def autopay_line(draw: AnnouncedDraw | None, language: str = ENGLISH) -> str:
    """Announce a draw; to whoever may not know the method, without it; empty without a draw."""
    if draw is None:
        return ""
    said = _OWN_DRAW if draw.method else _ANY_DRAW
    return in_language(said, language).format(
        amount=draw.amount.dollars(),
        day=say_day(draw.pay_on, language),
        method=method_of(draw, language),
    )


def method_of(draw: AnnouncedDraw, language: str) -> str:
    """Name what a draw is drawn from; empty for whoever may not know it."""
    return method_words(draw.method, draw.last4, draw.brand, language)
