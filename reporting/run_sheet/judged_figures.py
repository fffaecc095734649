"""This month's figures against their bands, as the register review wrote them down."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.checking.tables import register_figure


@dataclass(frozen=True, slots=True)
class JudgedFigure:
    """One figure of a service or class: dollars, lines or a share; no amount of the books."""

    check: str
    service: str
    rate_code: str
    figure: str
    value: float | None
    low: float | None
    high: float | None
    before: float | None
    passed: bool
    sentence: str


def list_figures(books: Connection, period: str) -> tuple[JudgedFigure, ...]:
    """Return the figures of a period, those out of their band first."""
    row = register_figure.c
    columns = (
        *(row.check_name, row.service, row.rate_code, row.figure),
        *(row.value, row.low, row.high, row.before, row.passed, row.sentence),
    )
    rows = books.execute(
        sa.select(*columns).where(row.period == period).order_by(row.passed, row.line)
    )
    return tuple(JudgedFigure(*found) for found in rows)
