"""The offending rows of a check, all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect

from data_checks.check import Check, Row
from data_checks.parameters import Value
from domain.accounts import account_key

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


def find(connection: Connection, check: Check, query: str) -> tuple[Finding, ...]:
    """Return every offending row in a stable order; the framework itself stops at 200."""
    rows = connection.execute(sa.text(query))
    found = (_to_finding(check, row._asdict()) for row in rows)
    return tuple(sorted(found, key=lambda finding: (finding.account_key, finding.detail)))


def _to_finding(check: Check, row: Row) -> Finding:
    return Finding(
        account_key=row["account_key"] or account_key(row["account"]),
        account=row["account"],
        detail=check.detail(row),
    )
