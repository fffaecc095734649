"""A check: rows that must not be in a run, and what a person needs to know about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.checks import Severity
from domain.money import Money

Row = Mapping[str, Any]


def says(template: str) -> Callable[[Row], str]:
    """
    Return a formatter that fills a template from the columns of an offending row.

    Columns that end in `_cents` are written as dollars, an empty column as "nothing".
    """

    def write(row: Row) -> str:
        return template.format(**{column: written(column, row[column]) for column in row})

    return write


def written(column: str, value: Any) -> str:
    """Write one column's value as people read it."""
    if value is None:
        return "nothing"
    if column.endswith("_cents"):
        return Money(int(value)).dollars()
    if isinstance(value, float | Decimal):
        return f"{value:,.1f}".removesuffix(".0")
    return str(value)


@dataclass(frozen=True, slots=True)
class Check:
    """
    One expectation about a run, as data: a check holds when its SQL returns no row.

    The columns of `sql` are account_key ('' for a total), account (as accounts.csv writes it),
    then whatever `detail` puts into words; no personal data beyond account numbers. `sql` runs on
    SQLite and PostgreSQL alike; its parameters are those of `data_checks.parameters`.
    `what`, `why` and `fix` are one sentence each for the clerk: what was found, what harm it does,
    what to do. `rules` are numbers of the rule book.
    """

    name: str
    severity: Severity
    what: str
    why: str
    fix: str
    sql: str
    detail: Callable[[Row], str]
    rules: tuple[int, ...] = ()
