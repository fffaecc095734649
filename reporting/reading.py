"""Reading a run sheet: from the books alone, so that anybody can count again."""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.counting import count_by
from database.postings import read_unposted
from database.return_rates import read_return_rates
from database.tables import account, balance_due, bill, bill_run, page, period_close, run_step
from domain.accounts import AccountStatus
from domain.steps import Step
from reporting.counting import count, total
from reporting.draws import list_draws
from reporting.leaving import (
    count_both,
    count_deliveries,
    count_held,
    count_held_bills,
    count_paper,
)
from reporting.reading_autopay import count_autopay, count_not_enrolled
from reporting.reading_checks import list_check_texts, list_checks, list_waivers
from reporting.reading_totals import (
    amount_due_total,
    list_totals,
    open_accounts_total,
    printed_total,
)
from reporting.run_sheet import TOTALS, RunSheet


def read_run_sheet(database: Database, run: str) -> RunSheet:
    """Put a run's figures together; before the close they are what the close would bring."""
    with database.reading() as books:
        head = books.execute(sa.select(bill_run).where(bill_run.c.run == run)).one()
        closing = books.execute(
            sa.select(period_close).where(period_close.c.run == run)
        ).one_or_none()
        autopay = count_autopay(books, run, closed=closing is not None)
        split = _split(books, run)
        return RunSheet(
            period=head.run,
            utility=head.utility,
            timezone=head.timezone,
            starts_on=head.starts_on,
            ends_on=head.ends_on,
            due_on=head.due_on,
            state=head.state,
            export_name=head.export_name,
            export_sha256=head.export_sha256,
            imported_at=head.imported_at,
            imported_by=head.imported_by,
            approved_at=head.approved_at,
            approved_by=head.approved_by,
            closed_at=closing.closed_at if closing else None,
            closed_by=closing.closed_by if closing else None,
            pages=_pages(books, run),
            bills=count(books, bill, run),
            printed_total=printed_total(books, run),
            amount_due_total=amount_due_total(books, run),
            checks=list_checks(books, run),
            check_texts=list_check_texts(books, run),
            waivers=list_waivers(books, run),
            control={name: getattr(head, f"control_{name}") for name in TOTALS},
            totals=list_totals(books, run),
            accounts_closed=count(books, account, run, account.c.status == AccountStatus.CLOSED),
            held=count_held(books, run),
            held_bills=count_held_bills(books, run),
            both=count_both(books, run),
            autopay=autopay,
            not_enrolled=count_not_enrolled(books, run),
            deliveries=count_deliveries(books, run, closed=closing is not None),
            paper=count_paper(books, run, closed=closing is not None),
            seconds=_seconds(books, run),
            open_accounts_total=open_accounts_total(books, run),
            draws=list_draws(books, run, closed=closing is not None),
            balances_moved=total(books, balance_due.c.amount_due, balance_due.c.run == run),
            copies_read_back=split.get("read_back", 0),
            copies_audited=split.get("audited", 0),
            return_rates=read_return_rates(books),
            unposted=read_unposted(books),
        )


def _pages(books: Connection, run: str) -> dict[str, int]:
    counts = count_by(books, page.c.disposition, page.c.run == run)
    return {
        "total": sum(counts.values()),
        "billed": counts.get("bill", 0),
        "separators": counts.get("separator", 0),
        "unassigned": counts.get("unassigned", 0),
    }


def _split(books: Connection, run: str) -> dict[str, int]:
    """Return what the splitting counted; nothing before it, and of a run that was only read."""
    summary = books.execute(
        sa.select(run_step.c.summary).where(run_step.c.run == run, run_step.c.step == Step.SPLIT)
    ).scalar_one_or_none()
    figures: dict[str, int] = json.loads(summary).get("figures", {}) if summary else {}
    return figures


def _seconds(books: Connection, run: str) -> dict[str, float]:
    rows = books.execute(
        sa.select(run_step.c.step, run_step.c.started_at, run_step.c.finished_at)
        .where(run_step.c.run == run, run_step.c.finished_at.is_not(None))
        .order_by(run_step.c.position)
    )
    return {step: round((end - start).total_seconds(), 3) for step, start, end in rows}
