"""What a person says of a communication that is posted: its title, its last day, its address."""

from __future__ import annotations

from datetime import date

from domain.dates import parse_date
from domain.failures import Misuse
from office.settings.addresses import is_web_address

LONGEST_TITLE = 200  # characters


def read_title(typed: str) -> str:
    """Return the title that customers see; raises Misuse for none and for one of several lines."""
    if not typed.strip() or len(typed) > LONGEST_TITLE or not typed.isprintable():
        raise Misuse(f"The title must be one line of at most {LONGEST_TITLE} characters.")
    return typed.strip()


def read_link(typed: str) -> str:
    """Return where it is read, empty for the portal; raises Misuse for what is no web address."""
    if typed and not is_web_address(typed):
        raise Misuse(f"{typed} is no web address; write it as https://…")
    return typed


def read_last_day(typed: str, today: date) -> date | None:
    """Return the last local day, None where none is typed; raises Misuse for one that is past."""
    if not typed:
        return None
    try:
        day = parse_date(typed)
    except ValueError:
        raise Misuse(f"{typed} is no date such as 2026-12-31.") from None
    if day < today:
        raise Misuse(f"The last day {day} is past; nobody would ever see it.")
    return day
