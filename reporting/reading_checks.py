"""What the data checks of a run found, and what of it was waived."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import check_finding, check_result, waiver
from domain.checks import CheckResult
from reporting.run_sheet import Waiver


def list_checks(books: Connection, run: str) -> tuple[CheckResult, ...]:
    found: dict[str, list[str]] = {}
    for name, number in books.execute(
        sa.select(check_finding.c.check_name, check_finding.c.account)
        .where(check_finding.c.run == run, check_finding.c.account != "")
        .order_by(check_finding.c.check_name, check_finding.c.line)
    ):
        found.setdefault(name, []).append(number)
    rows = books.execute(
        sa.select(check_result).where(check_result.c.run == run).order_by(check_result.c.position)
    )
    return tuple(
        CheckResult(
            row.check_name,
            row.severity,
            row.status,
            row.failed,
            tuple(dict.fromkeys(found.get(row.check_name, ()))),
        )
        for row in rows
    )


def list_check_texts(books: Connection, run: str) -> dict[str, tuple[str, str]]:
    rows = books.execute(
        sa.select(check_result.c.check_name, check_result.c.what, check_result.c.fix).where(
            check_result.c.run == run
        )
    )
    return {name: (what, fix) for name, what, fix in rows}


def list_waivers(books: Connection, run: str) -> tuple[Waiver, ...]:
    rows = books.execute(
        sa.select(waiver.c.check_name, waiver.c.reason, waiver.c.waived_by, waiver.c.waived_at)
        .where(waiver.c.run == run)
        .order_by(waiver.c.check_name)
    )
    return tuple(Waiver(*row) for row in rows)
