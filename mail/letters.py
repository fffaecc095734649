"""What a mail about a bill says: its facts, and the variables that templates may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.money import ZERO, Money
from domain.payments import MethodKind
from mail.headers import one_line

FORM_TITLES = {
    "utility-bill": "utility bill",
    "final-bill": "final bill",
    "delinquent-notice": "delinquent notice",
    "ar-invoice": "invoice",
}
_SUFFIXES = frozenset({"LLC", "INC", "CO", "LLP", "LTD", "LP", "PC", "JR", "SR", "II", "III"})
_METHODS = {MethodKind.CARD: "card", MethodKind.ACH: "bank account"}


@dataclass(frozen=True, slots=True)
class Draw:
    """
    An autopay payment that is going to be drawn for this bill.

    The method is there only where this recipient may read it (rules 117, 118).
    """

    amount: Money
    pay_on: date
    method: MethodKind | None = None
    last4: str = ""


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
    draw: Draw | None = None
    latest_communication: str = ""  # a web address; empty: there is none now (rule 108)


def variables(letter: BillLetter) -> dict[str, str | bool]:
    """
    Return everything a template may use (rule 17); this is the one list of them.

    Texts are made safe for one line; amounts and dates are written as people read them.
    `amount_due` never bears a minus: of a credit the templates say that it is one.
    """
    texts = {
        "utility": letter.utility,
        "period": letter.period,
        "form_title": form_title(letter.form),
        "account_number": letter.account,
        "customer_name": _greeted(letter.customer),
        "service_address": letter.service_address,
        "amount_due": Money(abs(letter.amount_due.cents)).dollars(),
        "remaining_due": _remaining(letter).dollars(),
        "due_date": _long_date(letter.due_on),
        "autopay_line": "" if letter.draw is None else _autopay_line(letter.draw),
        "LatestCommunicationLink": _web_address(letter.latest_communication),
    }
    flags: dict[str, str | bool] = {
        "is_payment_due": letter.amount_due > ZERO,
        "is_credit": letter.amount_due < ZERO,
        "is_paid_by_autopay": letter.draw is not None and letter.draw.amount >= letter.amount_due,
    }
    return flags | {name: one_line(text) for name, text in texts.items()}


def form_title(form: str) -> str:
    """Say a form's name as people do: `backflow-test` is a backflow test (rule 14)."""
    return FORM_TITLES.get(form) or one_line(form.replace("-", " ").replace("_", " "))


def a_sample(form: str = "utility-bill") -> BillLetter:
    """Return sample facts with every variable filled: for previews, and to try a template."""
    return BillLetter(
        utility="City of Larkspur",
        period="2026-10",
        form=form,
        account="01.1037.1",
        customer="Ann O'Neil & Søn",
        service_address="12 Elm Street",
        amount_due=Money(102_735),
        due_on=date(2026, 11, 20),
        draw=Draw(Money(102_735), date(2026, 11, 13), MethodKind.CARD, "1234"),
        latest_communication="https://larkspur.example/news/2026-10.pdf",
    )


def _remaining(letter: BillLetter) -> Money:
    """Return what a draw that stops at the customer's maximum leaves to be paid."""
    drawn = ZERO if letter.draw is None else letter.draw.amount
    return max(letter.amount_due - drawn, ZERO)


def _autopay_line(draw: Draw) -> str:
    method = f" from your {_METHODS[draw.method]} ending {draw.last4}" if draw.method else ""
    owner = "Your" if draw.method else "The autopay"
    return (
        f"{owner} payment of {draw.amount.dollars()} will be drawn on "
        f"{_long_date(draw.pay_on)}{method}."
    )


def _greeted(customer: str) -> str:
    """Turn a register's `Last, First` round; a firm's or another name stays as it is."""
    last, comma, first = customer.partition(", ")
    is_person = comma and "," not in first and not any(char.isdigit() for char in customer)
    is_firm = first.strip(". ").upper() in {
        "LLC",
        "INC",
        "CO",
        "LLP",
        "LTD",
        "LP",
        "PC",
        "JR",
        "SR",
    }
    return f"{first} {last}" if is_person and not is_firm else customer


def _long_date(day: date) -> str:
    """Write a date as bills do, `November 20, 2026`: the order of figures differs by country."""
    return f"{day:%B} {day.day}, {day.year}"


def _web_address(link: str) -> str:
    """Keep a link that is one: anything else, `javascript:` above all, shows nothing."""
    return link if link.lower().startswith(("https://", "http://")) else ""
