"""Past exports taken in for comparison alone: nothing of them is closed, shown, mailed or drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.belonging import require_own_utility
from billing_system.importing import ImportStatus
from billing_system.port import BillingExport
from database.audit import record_audit
from database.books import Database, insert_rows
from database.checking.tables import history_line, history_period
from database.tables import bill_run
from domain.accounts import account_key
from domain.failures import Refused
from domain.movements import MovementKind
from domain.problems import Problem

_COLUMNS = (
    *("period", "line", "account_key", "service", "amount", "usage", "days"),
    *("meter", "read_type", "previous_read", "current_read", "rate_code"),
)


@dataclass(frozen=True, slots=True)
class HistoryOutcome:
    """What became of one past export; `problems` are rows that are left out."""

    period: str
    status: ImportStatus
    lines: int
    problems: tuple[Problem, ...]


def take_in_history(
    database: Database, export: BillingExport, *, now: datetime, who: str, utility: str = ""
) -> HistoryOutcome:
    """
    Keep what a past export billed, line by line, in tables that only the register review reads.

    It becomes no period: no list, bill, balance, mail or draw knows it. The same export again
    changes nothing, a corrected one takes its place. Rows that cannot be read are left out and
    returned. Raises Refused for a period that is in the books itself (`period-in-books`) and for
    another utility's export.
    """
    period = export.period
    with database.writing() as books:
        require_own_utility(books, export.utility, period.id, utility)
        if books.execute(sa.select(bill_run).where(bill_run.c.period == period.id)).first():
            raise Refused(
                "period-in-books",
                f"Period {period.id} is in the books itself and is compared with anyway; "
                "--history is for exports of before.",
            )
        known = books.execute(
            sa.select(history_period).where(history_period.c.period == period.id)
        ).one_or_none()
        if known is not None and known.export_sha256 == export.sha256:
            return HistoryOutcome(period.id, ImportStatus.UNCHANGED, known.lines, ())
        if known is not None:
            books.execute(history_period.delete().where(history_period.c.period == period.id))
        return _enter(books, export, now, who, is_new=known is None)


def _enter(
    books: Connection, export: BillingExport, now: datetime, who: str, *, is_new: bool
) -> HistoryOutcome:
    period = export.period
    problems = list(export.problems)
    books.execute(
        history_period.insert().values(
            period=period.id,
            cycle=period.cycle,
            starts_on=period.starts_on,
            ends_on=period.ends_on,
            utility=export.utility.name,
            export_name=export.name,
            export_sha256=export.sha256,
            accounts=len(export.accounts),
            lines=0,
            imported_at=now,
            imported_by=who,
        )
    )
    lines = insert_rows(books, history_line, _COLUMNS, _lines(export, problems))
    of_period = history_period.c.period == period.id
    books.execute(history_period.update().where(of_period).values(lines=lines))
    status = ImportStatus.IMPORTED if is_new else ImportStatus.REPLACED
    detail = f"{status} for comparison alone: {export.name}, sha256 {export.sha256[:16]}, "
    record_audit(books, now, who, "import history", period.id, f"{detail}{lines} lines billed")
    return HistoryOutcome(period.id, status, lines, tuple(problems))


def _lines(export: BillingExport, problems: list[Problem]) -> Iterator[tuple[Any, ...]]:
    numbers = count(1)
    for some in export.movements(problems.append):
        rows = zip(
            *(some.account, some.kind, some.service, some.amount, some.usage, some.days),
            *(some.meter, some.read_type, some.previous_read, some.current_read, some.rate_code),
            strict=True,
        )
        for number, kind, *told in rows:
            if kind is MovementKind.BILLING:
                yield export.period.id, next(numbers), account_key(number), *told
