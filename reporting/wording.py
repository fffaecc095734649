"""How the report writes days, moments, counts and codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from domain.money import Money
from domain.words import say_code

Figure = int | Money

# Bounded, so that a long text without an address is not searched again from every letter.
_ADDRESS = re.compile(r"[^\s<>()\[\]{}\"',;:|]{1,64}@[^\s<>()\[\]{}\"',;:|]{1,255}")
REASONS = {
    "send-paper": "asked for paper",
    "no-valid-email": "no valid e-mail address",
    "no-ebill": "not paperless",
    "ebill-bounced": "e-bill bounced",
    "password-missing": "no password for the e-bill",
    "ebill-too-large": "too large for an e-mail",
    "held": "held back",
    "account-closed": "account closed",
    "direct-pay": "on direct pay",
    "method-blocked": "payment method blocked",
    "method-missing": "payment method missing",
    "zero-balance": "nothing owed",
    "over-maximum": "over the customer's maximum",
    "after-due-date": "enrolled after the due date",
    "arranged": "in a payment arrangement",
    "already-processed": "already paid by autopay",
}


def say_day(day: date) -> str:
    """Write a day as `Monday, November 2, 2026`."""
    return f"{day:%A, %B} {day.day}, {day.year}"


def say_days(first: date, last: date) -> str:
    """Write the days of a period as `October 1 to October 31, 2026`."""
    year = "" if first.year == last.year else f", {first.year}"
    return f"{first:%B} {first.day}{year} to {last:%B} {last.day}, {last.year}"


def say_moment(moment: datetime, timezone: str) -> str:
    """
    Write a moment as `Monday, November 2, 2026 at 9:04 AM MST`, in the utility's own time.

    Raises ValueError for a moment without a time zone: nobody could tell later what it meant.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    local = moment.astimezone(ZoneInfo(timezone))
    zone = local.tzname() or ""
    zone = f"UTC{zone}" if zone[:1] in "+-" else zone
    return f"{say_day(local)} at {local.hour % 12 or 12}:{local:%M %p} {zone}"


def say_figure(figure: Figure) -> str:
    """Write a count as `12,345` and money as `$12,345.67`."""
    return figure.dollars() if isinstance(figure, Money) else f"{figure:,}"


def units(figure: Figure) -> int:
    """Return cents of money and the number of anything else."""
    return figure.cents if isinstance(figure, Money) else figure


def like(figure: Figure, number: int) -> Figure:
    """Return a number of units as the kind of figure that another one is."""
    return Money(number) if isinstance(figure, Money) else number


def say_seconds(seconds: float) -> str:
    """Write how long something took: `0.4 s`, `12 s`, `3 min 05 s`."""
    if 0 <= seconds < 0.05:
        return "under 0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest:02d} s" if minutes else f"{rest} s"


def say_reasons(reasons: Mapping[str, int]) -> str:
    """Write counts by reason, the frequent ones first: `12 nothing owed, 3 on direct pay`."""
    ranked = sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0]))
    return ", ".join(f"{number:,} {REASONS.get(name, say_code(name))}" for name, number in ranked)


def capitalize(sentence: str) -> str:
    """Raise the first letter, but not that of a file's name, and leave the others as they are."""
    first, _, _ = sentence.partition(" ")
    if "." in first.rstrip(".,:;"):
        return sentence
    return sentence[:1].upper() + sentence[1:]


def without_addresses(text: str) -> str:
    """
    Take e-mail addresses out of a text.

    Mail servers like to repeat the address they refuse; the report goes to more people than may
    know it, and the account number says whose it is.
    """
    return _ADDRESS.sub("(address)", text)


def with_commands(text: str) -> Markup:
    """Set what stands between backticks as what is typed; everything else is escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without its other
        return escape(text)
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if at % 2 else part for at, part in enumerate(parts))
