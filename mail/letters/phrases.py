"""How a mail writes names, days, links and ways of paying."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from domain.deliveries import PasswordField
from domain.languages import ENGLISH, say_month
from domain.ledger import EntryKind
from domain.payment_methods import say_method
from domain.payments import Advice, MethodKind
from mail.letters.spanish import in_language
from mail.message.mime import one_line

_BEGIN = "The PDF opens with a password: "
_ZIP = "the first five digits of the ZIP code that the bill is addressed to."
_ABROAD = (
    "the postal code that the bill is addressed to, with capital letters and without blanks or"
    " dashes."
)
_PHONE = "the last seven digits of the phone number that you gave us for this account."


def password_hint(field: PasswordField, password: str, language: str = ENGLISH) -> str:
    """
    Return the sentence for a bill that this password opens; empty for one without.

    It says how to type what is written in several ways (rules.passwords); of the password itself
    only its kind shows.
    """
    if not password or field is PasswordField.NONE:
        return ""
    if field is PasswordField.PHONE:
        return in_language(_BEGIN, language) + in_language(_PHONE, language)
    is_five_digits = len(password) == 5 and password.isdigit()
    said = _ZIP if is_five_digits else _ABROAD
    return in_language(_BEGIN, language) + in_language(said, language)


Value = str | bool | tuple[str, ...]
Values = dict[str, Value]  # what a template may use

_SUFFIXES = frozenset({"LLC", "INC", "CO", "LLP", "LTD", "LP", "PC", "JR", "SR", "II", "III"})


def made_safe(values: Mapping[str, Value]) -> Values:
    """Make every text fit for one line: what an export brings may hold line ends."""
    return {name: _safe(value) for name, value in values.items()}


def _safe(value: Value) -> Value:
    if isinstance(value, str):
        return one_line(value)
    return value if isinstance(value, bool) else tuple(one_line(text) for text in value)


def greeted(customer: str) -> str:
    """Turn a register's `Last, First` round; a firm's or another name stays as it is."""
    last, comma, first = customer.partition(", ")
    is_person = comma and "," not in first and not any(char.isdigit() for char in customer)
    is_firm = first.strip(". ").upper() in _SUFFIXES
    return f"{first} {last}" if is_person and not is_firm else customer


def period_words(period: str, language: str = ENGLISH) -> str:
    """
    Say a month as customers do, `October 2026`, of a cycle (`2026-10-A`) as well.

    A period of another name keeps it.
    """
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])([-_. ].*)?", period)
    if not found or found[1] == "0000":
        return period
    return say_month(date(int(found[1]), int(found[2]), 1), language)


def web_address(link: str) -> str:
    """Keep a link that is one: anything else, `javascript:` above all, shows nothing."""
    return link if link.lower().startswith(("https://", "http://")) else ""


def method_words(kind: MethodKind | None, last4: str, brand: str, language: str) -> str:
    """Name a payment method, `Visa ending 1234`; empty for a recipient who may not know it."""
    return say_method(kind, last4, brand, language) if kind else ""


_NO_FUNDS = (
    "There was not enough money in the account.",
    "Please make sure of it before the next payment, or choose another way to pay.",
)
_EXPIRED = (
    "The card has expired.",
    "Please end autopay and enroll again with a card that is valid.",
)
_CLOSED = (
    "The bank account is closed or could not be found.",
    "Please end autopay and enroll again with another bank account.",
)
_NOT_ALLOWED = (
    "The bank says that this payment was not authorized.",
    "Please call us before anything is drawn again.",
)
_REFUSED = (
    "The payment was refused.",
    "Please ask your bank or card company why, or choose another way to pay.",
)
_UNFIT = (
    "This card or bank account cannot be used.",
    "Please end autopay and enroll again with another one.",
)
_CONFIRM = (
    "Your bank wants you to confirm the payment, or to lift a limit.",
    "Please ask your bank or card company.",
)
_AUTHENTICATE = (
    "Your bank wanted you to confirm this payment, and that did not happen.",
    "Please pay by hand: your bank then asks you on a page of its own.",
)
_ADVISED = {
    Advice.LATER: _NO_FUNDS,
    Advice.NEW_METHOD: _UNFIT,
    Advice.NEVER: _UNFIT,
    Advice.CUSTOMER_ACTION: _CONFIRM,
}
# Words of gateways, and return codes of the ACH network (Nacha).
_KNOWN = (
    (r"insufficient|not sufficient|\bnsf\b|uncollected|\br0[19]\b", _NO_FUNDS),
    (r"expired card|card (has )?expired|expiration", _EXPIRED),
    (r"account closed|closed account|no account|unable to locate|\br0[234]\b", _CLOSED),
    (r"authentication", _AUTHENTICATE),
    (r"unauthorized|revoked|stop payment|\br(05|07|08|10|29|51)\b", _NOT_ALLOWED),
)


_BY_HAND = {
    _NO_FUNDS[1]: "Please make sure of it before you pay again, or choose another way to pay.",
    _EXPIRED[1]: "Please pay with a card that is valid.",
    _CLOSED[1]: "Please pay with another bank account.",
    _NOT_ALLOWED[1]: "Please call us before you pay again.",
    _UNFIT[1]: "Please pay with another one.",
    _AUTHENTICATE[1]: "Please begin again and answer your bank, or choose another way to pay.",
}


def say_decline(error: str, advice: Advice | None = None) -> tuple[str, str]:
    """Return the same of a payment that a customer makes by hand: there is no autopay to end."""
    reason, remedy = say_failure(error, advice)
    return reason, _BY_HAND.get(remedy, remedy)


def say_failure(error: str, advice: Advice | None = None) -> tuple[str, str]:
    """
    Return in a customer's words why a payment failed and what to do.

    The gateway's words and codes are for the office (rule 79): they are read and never repeated.
    Where they say nothing known, `advice` does.
    """
    said = re.sub(r"[_-]+", " ", error.lower())
    for signs, words in _KNOWN:
        if re.search(signs, said):
            return words
    return _ADVISED.get(advice, _REFUSED) if advice else _REFUSED


MONEY_MOVED = {
    EntryKind.RETURN: "Your bank returned %(amount)s on %(day)s: nothing of that was paid, and it "
    "is owed again.",
    EntryKind.DISPUTE: "Your card's bank took %(amount)s back on %(day)s because the payment was "
    "disputed. It is owed again, unless the bank decides otherwise.",
    EntryKind.REFUND: "We gave %(amount)s back to you on %(day)s, the way you paid it. It may take "
    "some days to arrive, and no longer counts as paid.",
    EntryKind.REINSTATED: "The bank gave us %(amount)s back on %(day)s: it counts as paid again.",
    EntryKind.REFUND_FAILED: "Your bank did not take %(amount)s that we gave back to you on "
    "%(day)s. It counts as paid again; please call us.",
}
