"""Lists of what a period's checks found: account by account, and the figures of the register."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.checking.tables import register_figure
from database.tables import check_finding, check_result

Select = sa.Select[Any]


def finding_key(found: Any) -> sa.ColumnElement[str]:
    """Name a finding: by its period, its check and its place."""
    place = sa.cast(found.line, sa.String)
    key: sa.ColumnElement[str] = found.period.concat("/").concat(found.check_name)
    return key.concat("/").concat(place)


def findings() -> Select:
    """Every finding of every check, what stops the close first, most at stake first in each."""
    found = check_finding.c
    return sa.select(
        found.period.label("period"),
        found.check_name.label("check"),
        check_result.c.severity,
        check_result.c.status,
        found.account,
        found.service,
        found.detail.label("found"),
        found.stake.label("at_stake"),
        found.known_until,
        check_result.c.fix.label("remedy"),
        check_result.c.position.label("_position"),
        found.line.label("_line"),
        finding_key(found).label("_key"),
        found.account_key.label("_account_key"),
    ).join(
        check_result,
        sa.and_(
            check_result.c.period == found.period, check_result.c.check_name == found.check_name
        ),
    )


def register_figures() -> Select:
    """Every figure of the register review with its band, those out of it first."""
    row = register_figure.c
    return sa.select(
        row.period.label("period"),
        row.check_name.label("check"),
        row.service,
        row.rate_code,
        row.figure,
        row.value,
        row.low,
        row.high,
        row.before,
        row.passed,
        row.sentence,
        row.line.label("_line"),
    )
