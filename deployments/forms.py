"""What a clerk fills in when a flow is started from the Prefect UI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from data_checks.checks.catalog import CATALOG
from data_checks.recording import is_waivable
from database.books import Database
from database.tables import bill_run

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
MONTHS_AHEAD = 3
MOST_CHOICES = 36
NAMES = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,39}$"
EVERY = ""  # chosen for all periods
WAIVABLE = sorted(check.name for check in CATALOG if is_waivable(check))

Period = Annotated[str, Field(pattern=NAMES, examples=["2026-10"])]
AnyPeriod = Annotated[str, Field(pattern=f"^$|{NAMES}", examples=["2026-10"])]
Bundle = Annotated[str, Field(max_length=1000, examples=["/srv/export/2026-10"])]
Reason = Annotated[str, Field(max_length=500)]


class Waiver(BaseModel):
    """A check that shall not stop the close, and why."""

    check: str = Field(
        description="The bills of the accounts that it found are held back until released.",
        json_schema_extra={"enum": [*WAIVABLE]},
    )
    reason: str = Field(
        description="Stands in the audit list; no names of customers.",
        max_length=500,
        pattern=r"\S",
    )


def by_check(listed: Iterable[Waiver], named: Mapping[str, str]) -> dict[str, str]:
    """
    Return the reason of each waived check, from a form's list and from a caller's mapping.

    Where a check stands there more than once, none of its reasons is lost.
    """
    found: dict[str, list[str]] = {name: [reason] for name, reason in named.items()}
    for waiver in listed:
        found.setdefault(waiver.check, []).append(" ".join(waiver.reason.split()))
    return {name: "; ".join(dict.fromkeys(reasons)) for name, reasons in found.items()}


def choices(database: Database) -> list[str]:
    """
    Return the periods to choose from: those that are open, the next ones, those that are closed.

    Empty where there are none, or where they are not named by months: then the clerk types it.
    """
    newest_first = sa.select(bill_run.c.period, bill_run.c.state).order_by(
        bill_run.c.ends_on.desc()
    )
    with database.reading() as books:
        rows = list(books.execute(newest_first.limit(MOST_CHOICES)))
    if not rows or not all(MONTH.fullmatch(row.period) for row in rows):
        return []
    done = [row.period for row in rows if row.state in ("closed", "finished")]
    return (
        [row.period for row in rows if row.period not in done] + months_after(rows[0].period) + done
    )


def months_after(period: str, count: int = MONTHS_AHEAD) -> list[str]:
    """Return the months after one."""
    year, month = (int(part) for part in period.split("-"))
    later = [year * 12 + month - 1 + ahead for ahead in range(1, count + 1)]
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in later]


def readable(properties: dict[str, Any]) -> dict[str, Any]:
    """Return a form's fields with headings in words and help texts on one line."""
    return {
        name: field
        | {"title": name.replace("_", " ").capitalize()}
        | {"description": " ".join(field.get("description", "").split())}
        for name, field in properties.items()
    }


def with_choices(properties: dict[str, Any], periods: list[str]) -> dict[str, Any]:
    """Return a form's fields with the period as a choice; without periods it stays a text."""
    if not periods or "period" not in properties:
        return properties
    field = dict(properties["period"])
    may_be_empty = field.get("default") == EVERY
    field["enum"] = [EVERY, *periods] if may_be_empty else periods
    return properties | {"period": field}
