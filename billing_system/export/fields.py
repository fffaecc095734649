"""Typed values out of bundle.toml, each complaint one sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from billing_system.export.cells import LARGEST_AMOUNT
from billing_system.export.names import nearest
from domain.dates import parse_date
from domain.failures import Misuse
from domain.money import Money

MANIFEST = "bundle.toml"
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,39}")
_MINUTES = "2026-10-31T17:00"
_LARGEST_COUNT = 10**9


def fault(place: str, what: str) -> Misuse:
    """Return the complaint about one place of bundle.toml."""
    return Misuse(f"{MANIFEST}, {place}: {what}", "bundle")


@dataclass(frozen=True, slots=True)
class ManifestSection:
    """One table of bundle.toml, for example `[period]`, and its typed values."""

    title: str
    values: Mapping[str, Any]

    def place(self, key: str) -> str:
        return f"{self.title} {key}" if self.title else f"[{key}]"

    def required(self, key: str) -> Any:
        if key not in self.values:
            raise fault(self.place(key), "is missing; add it")
        return self.values[key]

    def text(self, key: str, longest: int = 1000) -> str:
        """Return a text that is not empty."""
        value = self.required(key)
        if not isinstance(value, str) or not value.strip():
            raise fault(self.place(key), f"is {show(value)}; write a text in quotation marks")
        if len(value) > longest or not value.isprintable():
            raise fault(self.place(key), f"is {show(value)}; write one line of up to {longest}")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self.values else None

    def name(self, key: str) -> str:
        """Return a name that is safe as part of a file's name (rule of our own: 40 letters)."""
        value = self.text(key)
        if not SAFE_NAME.fullmatch(value):
            raise fault(
                self.place(key),
                f"is {show(value)}; use up to 40 letters, digits, periods, hyphens and "
                "underlines, not beginning with a period or hyphen",
            )
        return value

    def date(self, key: str) -> date:
        """Return a date, written as TOML's own or as a text."""
        value = self.required(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return parse_date(value if isinstance(value, str) else "")
        except ValueError:
            raise fault(
                self.place(key), f"is {show(value)}, which is no date; write it as 2026-10-31"
            ) from None

    def moment(self, key: str) -> datetime:
        """Return a day with its time, written as TOML's own or as a text; local where it says."""
        value = self.required(key)
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or (isinstance(value, str) and len(value.strip()) < len(_MINUTES)):
            raise fault(
                self.place(key),
                f"is {show(value)}, which is no day with a time; write it as 2026-10-31T17:00:00",
            )
        return moment

    def money(self, key: str) -> Money:
        """Return an amount from a text or a number; numbers never pass through a float."""
        value = self.required(key)
        is_amount = isinstance(value, str | int | Decimal) and not isinstance(value, bool)
        try:
            amount = Money.parse(str(value) if is_amount else "")
        except ValueError:
            raise fault(
                self.place(key), f'is {show(value)}, which is no amount; write it as "1027.35"'
            ) from None
        if abs(amount.cents) > LARGEST_AMOUNT:
            raise fault(self.place(key), f"is {show(value)}, which is impossibly large")
        return amount

    def count(self, key: str) -> int:
        """Return a whole number from 0 on."""
        value = self.required(key)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value.strip()):
            return int(value)
        if not is_whole or not 0 <= value < _LARGEST_COUNT:
            raise fault(self.place(key), f"is {show(value)}; write a whole number, for example 400")
        return int(value)

    def pattern(self, key: str) -> str:
        """Return a regular expression that has a group 1, the value."""
        value = self.text(key)
        try:
            groups = re.compile(value).groups
        except (re.error, OverflowError) as error:
            raise fault(
                self.place(key), f"is {show(value)}, which is no regular expression: {error}"
            ) from None
        if groups < 1:
            raise fault(
                self.place(key),
                f"is {show(value)}, which has no group; put the value's part in parentheses",
            )
        return value

    def optional_pattern(self, key: str) -> str | None:
        return self.pattern(key) if key in self.values else None

    def unknown_keys(self, known: Iterable[str]) -> list[str]:
        """
        List the keys that are not ours, in their order.

        Raises Misuse for one that nearly is: misspelled, it would silently do nothing.
        """
        names = list(known)
        strangers = [key for key in self.values if key not in names]
        for key in strangers:
            if near := nearest(key, [name for name in names if name not in self.values]):
                raise fault(self.place(key), f'is unknown; did you mean "{near}"?')
        return strangers


def show(value: Any) -> str:
    """Repeat a value as written, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    written = str(value)
    shortened = written[:60] + ("…" if len(written) > 60 else "")
    return f'"{shortened}"' if isinstance(value, str) else shortened
