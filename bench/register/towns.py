"""What the made-up towns have in common: months as periods of the books, and slips planted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from random import Random
from typing import Any, Protocol, TypeVar

from bench.register.books import Line, Truth, WrittenPeriod


class Billed(Protocol):
    """Who is billed: `lines` by month, `until` the month of the final bill."""

    key: str
    until: int
    lines: list[list[Line]]


Anybody = TypeVar("Anybody", bound=Billed)
Slips = Mapping[str, tuple[Callable[[Anybody], bool], Callable[[Anybody, Random], None]]]


def written_period(
    period: str,
    dates: tuple[date, date],
    people: Iterable[Billed],
    month: int,
    random: Random,
    *,
    pay_late: float,
    **changes: Any,
) -> WrittenPeriod:
    """Return a month's bills as a period; a share of the accounts pays a late fee."""
    known = list(people)
    billed = {one.key: one.lines[month] for one in known if one.lines[month]}
    return WrittenPeriod(
        period,
        *dates,
        billed,
        fees={key for key in billed if random.random() < pay_late},
        statuses={one.key: "final" for one in known if one.until == month}
        | {one.key: "closed" for one in known if one.until < month},
        **changes,
    )


def plant(slips: Slips[Anybody], free: list[Anybody], each: int, random: Random,
          truth: Truth) -> None:  # fmt: skip
    """Let each kind of slip spoil so many of those whom it suits; they are free no more."""
    for kind, (suits, slip) in slips.items():
        for one in [one for one in free if suits(one)][:each]:
            free.remove(one)
            slip(one, random)
            truth.add(kind, one.key)


def bill_line(one: Billed, service: str, back: int = 1) -> Line:
    """Return an account's first line of a service, `back` months from the end."""
    return next(line for line in one.lines[-back] if line["service"] == service)


def month_again(one: Billed, _random: Random) -> None:
    """Bill the month before once more."""
    one.lines[-1] = [dict(line) for line in one.lines[-2]]
