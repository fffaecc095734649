"""Graphs of usage and of what was billed: this year beside last, as bars and as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from database.queries.portal.usage import Billed, Consumption
from domain.languages import say_month, say_short_month
from domain.money import Money

MONTHS = 12  # of this year, each beside the same one of last year
WIDTH, HEIGHT, FOOT, LEFT, TOP = 720, 270, 28, 64, 30
Month = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a graph, in points of its picture."""

    x: float
    y: float
    width: float
    height: float
    is_last_year: bool
    said: str


@dataclass(frozen=True, slots=True)
class GraphMonth:
    """One month of a graph as its table has it; empty: nothing is known of it."""

    place: float  # of its name below the bars
    name: str
    whole_name: str
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Graph:
    """What one service used, or an account was billed, month by month (rule 178)."""

    service: str  # empty: what was billed, all services together
    unit: str
    bars: tuple[Bar, ...]
    months: tuple[GraphMonth, ...]
    highest: str
    has_last_year: bool


def usage_graphs(found: Iterable[Consumption], language: str) -> list[Graph]:
    """
    Draw what one account used, a graph a metered service.

    Where no line names its meter any service with a quantity may have one: those that only count
    (one can, one connection) then stand last.
    """
    services = [
        (service, list(rows)) for service, rows in groupby(found, key=lambda one: one.service)
    ]
    metered = [one for one in services if any(month.is_metered for month in one[1])]
    graphs = []
    for service, months in metered or sorted(services, key=lambda one: _only_counts(one[1])):
        values: dict[Month, float] = {}
        for one in months:
            values[_month(one.ends_on)] = values.get(_month(one.ends_on), 0) + one.usage
        unit = next((one.unit for one in reversed(months) if one.unit), "")
        graphs.append(_to_graph(service, unit, values, language, _say_usage))
    return graphs


def _only_counts(months: list[Consumption]) -> bool:
    """Tell whether a quantity is none or one in every month, as of a can or a connection."""
    return all(month.usage in (0, 1) for month in months)


def billed_graph(found: Iterable[Billed], language: str) -> Graph | None:
    """Draw what one account was billed in total; None where it never was."""
    values: dict[Month, float] = {}
    for one in found:  # whole cents, which a float holds without loss
        values[_month(one.ends_on)] = values.get(_month(one.ends_on), 0) + one.amount.cents
    return _to_graph("", "", values, language, _say_cents) if values else None


def _to_graph(
    service: str,
    unit: str,
    values: dict[Month, float],
    language: str,
    say: Callable[[float], str],
) -> Graph:
    newest = max(values)
    shown = [_back(newest, months) for months in reversed(range(MONTHS))]
    pairs = [(values.get(_back(one, 12)), values.get(one)) for one in shown]
    highest = max((value for pair in pairs for value in pair if value is not None), default=0)
    step = (WIDTH - LEFT) / MONTHS
    bars, months = [], []
    for place, ((year, number), (before, now)) in enumerate(zip(shown, pairs, strict=True)):
        left, day = LEFT + place * step, date(year, number, 1)
        for value, offset in ((before, 0.08), (now, 0.5)):
            if value is not None:
                is_before = offset < 0.5
                said_of = date(year - 1, number, 1) if is_before else day
                said = f"{say_month(said_of, language)}: {say(value)}"
                bars.append(_bar(left + step * offset, step * 0.4, value, highest, is_before, said))
        months.append(
            GraphMonth(
                round(left + step / 2, 1),
                say_short_month(day, language).split()[0],
                say_month(day, language),
                "" if now is None else say(now),
                "" if before is None else say(before),
            )
        )
    has_last_year = any(before is not None for before, _now in pairs)
    return Graph(service, unit, tuple(bars), tuple(months), say(highest), has_last_year)


def _bar(
    x: float, width: float, value: float, highest: float, is_last_year: bool, said: str
) -> Bar:
    room = HEIGHT - FOOT - TOP
    tall = max(value, 0) / (highest if highest > 0 else 1) * room
    y = HEIGHT - FOOT - tall
    return Bar(round(x, 1), round(y, 1), round(width, 1), round(tall, 1), is_last_year, said)


def _month(day: date) -> Month:
    return day.year, day.month


def _back(month: Month, months: int) -> Month:
    whole = month[0] * 12 + month[1] - 1 - months
    return whole // 12, whole % 12 + 1


def _say_usage(value: float) -> str:
    return f"{value:,.10g}"


def _say_cents(value: float) -> str:
    return Money(int(value)).dollars()
