"""Dates of the business as billing systems and bills write them."""

from __future__ import annotations

import re
from datetime import date

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_US = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_LONG = re.compile(r"([A-Za-z]{3,9})\.?\s+([0-9]{1,2})\s*,\s*([0-9]{4})")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


def parse_date(text: str) -> date:
    """
    Read `2026-11-20`, `11/20/2026` or `November 20, 2026` (`Nov 20, 2026`) as a local date.

    Raises ValueError for anything else, days that do not exist included.
    """
    written = text.strip()
    if match := _ISO.fullmatch(written):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _US.fullmatch(written):
        return date(int(match[3]), int(match[1]), int(match[2]))
    if match := _LONG.fullmatch(written):
        return date(int(match[3]), _month(match[1]), int(match[2]))
    raise ValueError("not a date")


def _month(name: str) -> int:
    for number, month in enumerate(_MONTHS, start=1):
        if month == name.lower() or (len(name) >= 3 and month.startswith(name.lower())):
            return number
    raise ValueError("not a month")
