"""Usage by month: one graph a metered service, this year beside last, with a table (rule 178)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from starlette.responses import Response

from database.queries.histories import Consumption, consumption_of
from domain.languages import say_short_month
from web.customers.accounts import my_accounts
from web.layout import show
from web.visits import Visit

MONTHS = 13  # this month, and back to the same one of last year
WIDTH, HEIGHT, FOOT, LEFT = 720, 240, 28, 44


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a graph, in points of its picture."""

    x: float
    y: float
    width: float
    height: float
    month: str
    said: str


@dataclass(frozen=True, slots=True)
class Graph:
    """What one service used month by month, as bars and as the same numbers."""

    account: str
    service: str
    bars: tuple[Bar, ...]
    months: tuple[Consumption, ...]
    highest: str


def show_usage(visit: Visit) -> Response:
    keys = [one.account_key for one in my_accounts(visit)]
    with visit.office.database.reading() as books:
        found = consumption_of(books, keys)
    size = {"width": WIDTH, "height": HEIGHT, "foot": FOOT, "left": LEFT}
    return show(visit, "usage.html", graphs=to_graphs(found, visit.language), size=size)


def to_graphs(found: Iterable[Consumption], language: str) -> list[Graph]:
    """Draw what was used, one graph an account and service, of at most thirteen months."""
    by_service = groupby(found, key=lambda month: (month.account, month.service))
    return [
        _to_graph(account, service, tuple(months)[-MONTHS:], language)
        for (account, service), months in by_service
    ]


def _to_graph(account: str, service: str, months: Sequence[Consumption], language: str) -> Graph:
    highest = max((month.usage for month in months), default=0) or 1
    step = (WIDTH - LEFT) / MONTHS
    room = HEIGHT - FOOT - 16
    bars = []
    for place, month in enumerate(months):
        tall = max(month.usage, 0) / highest * room
        bars.append(
            Bar(
                round(LEFT + place * step + step * 0.15, 1),
                round(HEIGHT - FOOT - tall, 1),
                round(step * 0.7, 1),
                round(tall, 1),
                say_short_month(month.ends_on, language),
                f"{month.usage:,g}",
            )
        )
    return Graph(account, service, tuple(bars), tuple(months), f"{highest:,g}")
