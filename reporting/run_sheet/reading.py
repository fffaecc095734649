"""Reading a run sheet: from the books alone, so that anybody can count again."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.approvals import approved_checklist
from database.books import Database
from database.counting import count_by
from database.postings import read_unposted
from database.queries.autopay import read_return_rates
from database.queries.export_notes import list_export_notes
from database.queries.mandates import mandates_in_force
from database.tables import (
    account,
    autopay_unscheduled,
    balance_due,
    bill,
    bill_run,
    bulk_file,
    check_finding,
    check_result,
    movement,
    page,
    period_close,
    planned_payment,
    run_step,
    scheduled_payment,
    waiver,
)
from domain.accounts import AccountStatus
from domain.checks import CheckResult
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.payments import PaymentState
from domain.periods import NOTICE
from domain.steps import Step
from reporting.run_sheet.deliveries import (
    count,
    count_both,
    count_deliveries,
    count_held,
    count_held_bills,
    count_paper,
    total,
)
from reporting.run_sheet.draws import list_draws
from reporting.run_sheet.findings import read_findings
from reporting.run_sheet.judged_figures import list_figures
from reporting.run_sheet.ledger import read_ledger, read_money
from reporting.run_sheet.run_sheet import TOTALS, AutopaySheet, RunSheet, WaivedCheck

_COUNTS = check_finding.c.known_until.is_(None)  # what the office knows does not count


def count_autopay(books: Connection, period: str, *, closed: bool) -> AutopaySheet:
    if closed:
        payments, reasons = scheduled_payment, autopay_unscheduled.c.reason
        drawn = [
            payments.c.period == period,
            payments.c.number == 1,  # what was returned and is drawn again was scheduled once
            payments.c.state != PaymentState.CANCELLED,
        ]
        why = count_by(books, reasons, autopay_unscheduled.c.period == period)
    else:
        payments, reasons = planned_payment, planned_payment.c.unscheduled
        drawn = [payments.c.period == period, payments.c.unscheduled.is_(None)]
        why = count_by(books, reasons, payments.c.period == period, reasons.is_not(None))
    return AutopaySheet(
        scheduled=count(books, payments, period, *drawn),
        immediate=count(books, payments, period, *drawn, payments.c.immediate),
        unscheduled=sum(why.values()),
        amount=total(books, payments.c.amount, *drawn),
        reasons=why,
    )


def count_not_enrolled(books: Connection, period: str) -> int:
    """
    Count the accounts without a mandate in force, on its own: so the lists can be proved.

    Whose payment was asked for before the mandate ended stays on the list of payments.
    """
    accounts = sa.select(account.c.account_key).where(account.c.period == period)
    enrolled = sa.select(mandates_in_force(period).c.account_key)
    paid = sa.select(scheduled_payment.c.account_key).where(
        scheduled_payment.c.period == period, scheduled_payment.c.state != PaymentState.CANCELLED
    )
    rest = sa.except_(accounts, enrolled, paid).subquery()  # NOT IN is slow with many
    return int(books.execute(sa.select(sa.func.count()).select_from(rest)).scalar_one())


def list_checks(books: Connection, period: str) -> tuple[CheckResult, ...]:
    found: dict[str, list[str]] = {}
    for name, number in books.execute(
        sa.select(check_finding.c.check_name, check_finding.c.account)
        .where(check_finding.c.period == period, check_finding.c.account != "", _COUNTS)
        .order_by(check_finding.c.check_name, check_finding.c.line)
    ):
        found.setdefault(name, []).append(number)
    rows = books.execute(
        sa.select(check_result)
        .where(check_result.c.period == period)
        .order_by(check_result.c.position)
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


def list_check_texts(books: Connection, period: str) -> dict[str, tuple[str, str]]:
    rows = books.execute(
        sa.select(check_result.c.check_name, check_result.c.what, check_result.c.fix).where(
            check_result.c.period == period
        )
    )
    return {name: (what, fix) for name, what, fix in rows}


def list_waivers(books: Connection, period: str) -> tuple[WaivedCheck, ...]:
    rows = books.execute(
        sa.select(waiver.c.check_name, waiver.c.reason, waiver.c.waived_by, waiver.c.waived_at)
        .where(waiver.c.period == period)
        .order_by(waiver.c.check_name)
    )
    return tuple(WaivedCheck(*row) for row in rows)


def list_totals(books: Connection, period: str) -> dict[str, int | Money]:
    rows = books.execute(
        sa.select(movement.c.kind, sa.func.sum(movement.c.amount))
        .where(movement.c.period == period)
        .group_by(movement.c.kind)
    )
    moved = {row[0]: row[1] for row in rows}
    return {
        "accounts": count(books, account, period),
        "bills": count(books, bill, period, ~bill.c.form.endswith(NOTICE)),
        "opening_balance": total(books, account.c.opening_balance, account.c.period == period),
        "billed": moved.get(MovementKind.BILLING, ZERO),
        "payments": moved.get(MovementKind.PAYMENT, ZERO),
        "adjustments": moved.get(MovementKind.ADJUSTMENT, ZERO),
        "penalties": moved.get(MovementKind.PENALTY, ZERO),
        "closing_balance": total(books, account.c.closing_balance, account.c.period == period),
    }


def printed_total(books: Connection, period: str) -> Money:
    priced = _priced_bills(period).subquery()
    return total(books, priced.c.printed_amount_due)


def amount_due_total(books: Connection, period: str) -> Money:
    priced = _priced_bills(period).subquery()
    billed = sa.select(priced.c.account_key)
    has_priced = books.execute(sa.select(sa.exists(billed))).scalar_one()
    if not has_priced:
        billed = sa.select(bill.c.account_key).where(bill.c.period == period)
    return total(
        books, account.c.amount_due, account.c.period == period, account.c.account_key.in_(billed)
    )


def open_accounts_total(books: Connection, period: str) -> Money:
    """Add up what is due of the accounts that are not closed."""
    is_open = account.c.status != AccountStatus.CLOSED
    return total(books, account.c.amount_due, account.c.period == period, is_open)


def _priced_bills(period: str) -> sa.Select[Any]:
    """Select the bills whose amount was looked for: notices ask for what is owed already."""
    return (
        sa.select(bill.c.account_key, bill.c.printed_amount_due)
        .join(
            bulk_file, sa.and_(bulk_file.c.period == bill.c.period, bulk_file.c.bulk == bill.c.bulk)
        )
        .where(
            bill.c.period == period,
            ~bill.c.form.endswith(NOTICE),
            bulk_file.c.amount_due_pattern.is_not(None),
        )
    )


def read_run_sheet(database: Database, period: str) -> RunSheet:
    """Put a run's figures together; before the close they are what the close would bring."""
    with database.reading() as books:
        head = books.execute(sa.select(bill_run).where(bill_run.c.period == period)).one()
        closing = books.execute(
            sa.select(period_close).where(period_close.c.period == period)
        ).one_or_none()
        autopay = count_autopay(books, period, closed=closing is not None)
        split = _split(books, period)
        outsorting = count_held(books, period)
        return RunSheet(
            period=head.period,
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
            pages=_pages(books, period),
            bills=count(books, bill, period),
            printed_total=printed_total(books, period),
            amount_due_total=amount_due_total(books, period),
            checks=list_checks(books, period),
            check_texts=list_check_texts(books, period),
            waivers=list_waivers(books, period),
            control={name: getattr(head, f"control_{name}") for name in TOTALS},
            totals=list_totals(books, period),
            accounts_closed=count(books, account, period, account.c.status == AccountStatus.CLOSED),
            held=outsorting.held,
            outsorting=outsorting,
            held_bills=count_held_bills(books, period),
            both=count_both(books, period),
            autopay=autopay,
            not_enrolled=count_not_enrolled(books, period),
            deliveries=count_deliveries(books, period, closed=closing is not None),
            paper=count_paper(books, period, closed=closing is not None),
            seconds=_seconds(books, period),
            open_accounts_total=open_accounts_total(books, period),
            draws=list_draws(books, period, closed=closing is not None),
            balances_moved=total(books, balance_due.c.amount_due, balance_due.c.period == period),
            ledger=read_ledger(books, period),
            money=read_money(books),
            copies_read_back=split.get("read_back", 0),
            copies_audited=split.get("audited", 0),
            return_rates=read_return_rates(books),
            unposted=read_unposted(books),
            notes=list_export_notes(books, period),
            findings=read_findings(books, period),
            figures=list_figures(books, period),
            checklist=approved_checklist(books, period),
        )


def _pages(books: Connection, period: str) -> dict[str, int]:
    counts = count_by(books, page.c.disposition, page.c.period == period)
    return {
        "total": sum(counts.values()),
        "billed": counts.get("bill", 0),
        "separators": counts.get("separator", 0),
        "unassigned": counts.get("unassigned", 0),
    }


def _split(books: Connection, period: str) -> dict[str, int]:
    """Return what the splitting counted; nothing before it, and of a run that was only read."""
    summary = books.execute(
        sa.select(run_step.c.summary).where(
            run_step.c.period == period, run_step.c.step == Step.SPLIT
        )
    ).scalar_one_or_none()
    figures: dict[str, int] = json.loads(summary).get("figures", {}) if summary else {}
    return figures


def _seconds(books: Connection, period: str) -> dict[str, float]:
    rows = books.execute(
        sa.select(run_step.c.step, run_step.c.started_at, run_step.c.finished_at)
        .where(run_step.c.period == period, run_step.c.finished_at.is_not(None))
        .order_by(run_step.c.position)
    )
    return {step: round((end - start).total_seconds(), 3) for step, start, end in rows}
