"""How a mail writes names, days, links and ways of paying."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from domain.payments import MethodKind
from mail.headers import one_line

Value = str | bool | tuple[str, ...]
Values = dict[str, Value]  # what a template may use

_SUFFIXES = frozenset({"LLC", "INC", "CO", "LLP", "LTD", "LP", "PC", "JR", "SR", "II", "III"})
_METHODS = {MethodKind.CARD: "card", MethodKind.ACH: "bank account"}


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


def long_date(day: date) -> str:
    """Write a date as bills do, `November 20, 2026`: the order of figures differs by country."""
    return f"{day:%B} {day.day}, {day.year}"


def web_address(link: str) -> str:
    """Keep a link that is one: anything else, `javascript:` above all, shows nothing."""
    return link if link.lower().startswith(("https://", "http://")) else ""


def method_words(kind: MethodKind | None, last4: str) -> str:
    """Name a payment method, `card ending 1234`; empty for a recipient who may not know it."""
    return f"{_METHODS[kind]} ending {last4}" if kind else ""
