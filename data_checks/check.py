"""A check: rows that must not be in a run, and what a person needs to know about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect

from data_checks.parameters import Value
from domain.accounts import account_key
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
    then whatever `detail` puts into words; no personal data beyond account numbers. A row that
    concerns a second account names it in also_key and also: a waiver holds both. `sql` runs on
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
    also_detail: Callable[[Row], str] | None = None  # of the second account; None: the same
    may_block: bool = False  # a warning that blocks where a row has `blocks`
    before_yes: bool = False  # a warning about what leaves with the close: looked at before it


_TYPES: dict[type, sa.types.TypeEngine[Any]] = {
    str: sa.String(),
    int: sa.BigInteger(),
    float: sa.Float(),
    date: sa.Date(),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that fails a check; `account` is as accounts.csv writes it, '' for a total."""

    account_key: str
    account: str
    detail: str
    blocks: bool = False  # this row alone stops the close, whatever the check's severity
    also_key: str = ""  # of a second account that it concerns
    also: str = ""
    also_detail: str = ""  # what concerns the second account; nothing: the same
    service: str = ""
    meter: str = ""
    stake: Money | None = None  # the money at stake, where the check can tell it
    months: tuple[float | None, ...] = ()  # use of the months before and of this one
    known_until: date | None = None  # the office knows it: listed, and not counted


def to_query(sql: str, parameters: Mapping[str, Value]) -> str:
    """
    Write the values of the parameters into a check's SQL.

    The framework binds no parameters, and both must run the same text. Colons that remain belong
    to values and are escaped, so that `sqlalchemy.text` takes none for a parameter.
    """
    statement = sa.text(sql)
    named = statement.compile(dialect=DefaultDialect()).params
    bound = statement.bindparams(
        *(sa.bindparam(name, parameters[name], _TYPES[type(parameters[name])]) for name in named)
    )
    literal = bound.compile(dialect=DefaultDialect(), compile_kwargs={"literal_binds": True})
    return str(literal).replace(":", "\\:")


def find(books: Connection, check: Check, query: str) -> tuple[Finding, ...]:
    """Return every offending row in a stable order; the framework itself stops at 200."""
    rows = books.execute(sa.text(query))
    found = (_to_finding(check, row._asdict()) for row in rows)
    return tuple(sorted(found, key=lambda finding: (finding.account_key, finding.detail)))


def _to_finding(check: Check, row: Row) -> Finding:
    return Finding(
        account_key=row["account_key"] or account_key(row["account"]),
        account=row["account"],
        detail=check.detail(row),
        blocks=check.may_block and bool(row["blocks"]),
        also_key=row.get("also_key") or "",
        also=row.get("also") or row.get("also_key") or "",
        also_detail=check.also_detail(row) if check.also_detail else "",
        service=row.get("service") or "",
    )
