"""Rows of a list as people and programs read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from database.tables import check_finding, period_close
from domain.money import Money

NOT_BEFORE_THE_CLOSE = ("bills",)


def closed_periods() -> sa.Select[Any]:
    """Select the periods that are closed: bills of others are nobody's to look at (rule 2)."""
    return sa.select(period_close.c.period)


def shown_rows(
    result: sa.CursorResult[Any], zone: tzinfo | None = None
) -> Iterator[dict[str, Any]]:
    """
    Yield rows as programs and people read them, without the columns that only sort.

    With a zone moments are those of its clocks, for people; programs get them with their offset.
    """
    headings = headings_of(result)
    for row in result.mappings():
        yield {name: to_plain(_on_clocks(known_part(row, name), zone)) for name in headings}


def day_of(name: str) -> str:
    """Name the column that holds the day of a moment of which the day alone is known."""
    return f"_{name}_day"


def known_part(row: Mapping[str, Any] | RowMapping, name: str) -> Any:
    """Return a value of a row: of a moment of which the day alone is known, that day."""
    day = row.get(day_of(name))
    return row[name] if day is None else day


def _on_clocks(value: Any, zone: tzinfo | None) -> Any:
    if zone is None or not isinstance(value, datetime):
        return value
    return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"


def headings_of(result: sa.CursorResult[Any]) -> list[str]:
    return [name for name in list(result.keys()) if not name.startswith("_")]


def to_plain(value: Any) -> Any:
    """Write money as a decimal string and dates as ISO; flags and counts stay what they are."""
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def accounts_of_checks(books: Connection) -> dict[tuple[str, str], list[str]]:
    """Return the numbers of the accounts that failed each check of each period, each once."""
    found: dict[tuple[str, str], list[str]] = {}
    for period, name, number in books.execute(
        sa.select(check_finding.c.period, check_finding.c.check_name, check_finding.c.account)
        .where(check_finding.c.account != "", check_finding.c.known_until.is_(None))
        .order_by(check_finding.c.period, check_finding.c.check_name, check_finding.c.line)
    ):
        found.setdefault((period, name), []).append(number)
    return {key: list(dict.fromkeys(numbers)) for key, numbers in found.items()}
