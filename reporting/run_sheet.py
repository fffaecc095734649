"""The run sheet: counts and totals of one run, read from the books alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import (
    account,
    autopay_unscheduled,
    balance_due,
    bill,
    bill_run,
    bulk_file,
    check_finding,
    check_result,
    delivery,
    delivery_plan,
    held_account,
    mandate,
    movement,
    page,
    paper,
    period_close,
    planned_payment,
    print_batch,
    recipient,
    run_step,
    scheduled_payment,
    waiver,
)
from domain.accounts import AccountStatus
from domain.checks import CheckResult
from domain.deliveries import DeliveryStatus
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.payments import PaymentState
from domain.runs import RunState

TOTALS = (
    "accounts", "bills", "opening_balance", "billed", "payments", "adjustments", "penalties",
    "closing_balance",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AutopaySheet:
    """The two lists of autopay, planned before the close and scheduled after it."""

    scheduled: int
    immediate: int
    unscheduled: int
    amount: Money
    reasons: dict[str, int]  # why enrolled accounts have no payment


@dataclass(frozen=True, slots=True)
class DeliverySheet:
    """What became of the e-bills: messages, and bills that went out by mail in one or more."""

    messages: int
    sent: int
    failed: int
    deferred: int
    in_doubt: int
    queued: int
    bills: int
    bills_sent: int


@dataclass(frozen=True, slots=True)
class PaperSheet:
    bills: int
    pages: int
    files: tuple[str, ...]
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class Waiver:
    check: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RunSheet:
    """Everything that the report and the command's JSON say of a run."""

    period: str
    utility: str
    timezone: str
    starts_on: date
    ends_on: date
    due_on: date
    state: RunState
    export_name: str
    export_sha256: str
    imported_at: datetime
    imported_by: str
    approved_at: datetime | None
    approved_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    pages: dict[str, int]  # total, billed, separators, unassigned
    bills: int
    printed_total: Money  # sum of the amounts printed on the bills
    amount_due_total: Money  # sum of the amounts due of the accounts billed
    checks: tuple[CheckResult, ...]
    check_texts: dict[str, tuple[str, str]]  # check -> what it says, what to do
    waivers: tuple[Waiver, ...]
    control: dict[str, int | Money]  # the billing system's totals
    totals: dict[str, int | Money]  # ours, by the same names
    accounts_closed: int
    held: int  # accounts held out of mail and autopay by a waiver
    held_bills: int  # of these, bills that therefore go neither by mail nor on paper
    both: int  # bills that go by mail and on paper
    autopay: AutopaySheet
    not_enrolled: int
    deliveries: DeliverySheet
    paper: PaperSheet
    seconds: dict[str, float]
    open_accounts_total: Money = ZERO  # sum of the amounts due of all accounts that are not closed
    balances_moved: Money = ZERO  # sum of Balance Due as this close left it

    @property
    def is_closed(self) -> bool:
        return self.state in (RunState.CLOSED, RunState.FINISHED)


def read_run_sheet(database: Database, run: str) -> RunSheet:
    """Put a run's figures together; before the close they are what the close would bring."""
    with database.reading() as books:
        head = books.execute(sa.select(bill_run).where(bill_run.c.run == run)).one()
        closing = books.execute(
            sa.select(period_close).where(period_close.c.run == run)
        ).one_or_none()
        autopay = _autopay(books, run, closed=closing is not None)
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
            bills=_count(books, bill, run),
            printed_total=_printed_total(books, run),
            amount_due_total=_amount_due_total(books, run),
            checks=_checks(books, run),
            check_texts=_check_texts(books, run),
            waivers=_waivers(books, run),
            control={name: getattr(head, f"control_{name}") for name in TOTALS},
            totals=_totals(books, run),
            accounts_closed=_closed_accounts(books, run),
            held=_held(books, run),
            held_bills=_held_bills(books, run),
            both=_both(books, run),
            autopay=autopay,
            not_enrolled=_not_enrolled(books, run),
            deliveries=_deliveries(books, run, closed=closing is not None),
            paper=_paper(books, run, closed=closing is not None),
            seconds=_seconds(books, run),
            open_accounts_total=_sum(
                books,
                account.c.amount_due,
                account.c.run == run,
                account.c.status != AccountStatus.CLOSED,
            ),
            balances_moved=_sum(books, balance_due.c.amount_due, balance_due.c.run == run),
        )


def _count(books: Connection, table: sa.Table, run: str, *also: Any) -> int:
    return int(
        books.execute(
            sa.select(sa.func.count()).select_from(table).where(table.c.run == run, *also)
        ).scalar_one()
    )


def _sum(books: Connection, column: sa.ColumnElement[Any], *where: Any) -> Money:
    total: Money | None = books.execute(sa.select(sa.func.sum(column)).where(*where)).scalar_one()
    return total or ZERO


def _grouped(books: Connection, column: sa.Column[Any], *where: Any) -> dict[str, int]:
    rows = books.execute(sa.select(column, sa.func.count()).where(*where).group_by(column))
    return {str(value): count for value, count in sorted(rows, key=lambda row: str(row[0]))}


def _pages(books: Connection, run: str) -> dict[str, int]:
    counts = _grouped(books, page.c.disposition, page.c.run == run)
    return {
        "total": sum(counts.values()),
        "billed": counts.get("bill", 0),
        "separators": counts.get("separator", 0),
        "unassigned": counts.get("unassigned", 0),
    }


def _priced_bills(run: str) -> sa.Select[Any]:
    """Select the bills whose amount was looked for: notices ask for what is owed already."""
    return (
        sa.select(bill.c.account_key, bill.c.printed_amount_due)
        .join(bulk_file, sa.and_(bulk_file.c.run == bill.c.run, bulk_file.c.bulk == bill.c.bulk))
        .where(
            bill.c.run == run,
            ~bill.c.form.like("%-notice"),
            bulk_file.c.amount_due_pattern.is_not(None),
        )
    )


def _printed_total(books: Connection, run: str) -> Money:
    priced = _priced_bills(run).subquery()
    return _sum(books, priced.c.printed_amount_due)


def _amount_due_total(books: Connection, run: str) -> Money:
    priced = _priced_bills(run).subquery()
    billed = sa.select(priced.c.account_key)
    has_priced = books.execute(sa.select(sa.exists(billed))).scalar_one()
    if not has_priced:
        billed = sa.select(bill.c.account_key).where(bill.c.run == run)
    return _sum(
        books, account.c.amount_due, account.c.run == run, account.c.account_key.in_(billed)
    )


def _totals(books: Connection, run: str) -> dict[str, int | Money]:
    rows = books.execute(
        sa.select(movement.c.kind, sa.func.sum(movement.c.amount))
        .where(movement.c.run == run)
        .group_by(movement.c.kind)
    )
    moved = {row[0]: row[1] for row in rows}
    return {
        "accounts": _count(books, account, run),
        "bills": _count(books, bill, run, ~bill.c.form.like("%-notice")),
        "opening_balance": _sum(books, account.c.opening_balance, account.c.run == run),
        "billed": moved.get(MovementKind.BILLING, ZERO),
        "payments": moved.get(MovementKind.PAYMENT, ZERO),
        "adjustments": moved.get(MovementKind.ADJUSTMENT, ZERO),
        "penalties": moved.get(MovementKind.PENALTY, ZERO),
        "closing_balance": _sum(books, account.c.closing_balance, account.c.run == run),
    }


def _checks(books: Connection, run: str) -> tuple[CheckResult, ...]:
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


def _check_texts(books: Connection, run: str) -> dict[str, tuple[str, str]]:
    rows = books.execute(
        sa.select(check_result.c.check_name, check_result.c.what, check_result.c.fix).where(
            check_result.c.run == run
        )
    )
    return {name: (what, fix) for name, what, fix in rows}


def _waivers(books: Connection, run: str) -> tuple[Waiver, ...]:
    rows = books.execute(
        sa.select(waiver.c.check_name, waiver.c.reason, waiver.c.waived_by, waiver.c.waived_at)
        .where(waiver.c.run == run)
        .order_by(waiver.c.check_name)
    )
    return tuple(Waiver(*row) for row in rows)


def _closed_accounts(books: Connection, run: str) -> int:
    return _count(books, account, run, account.c.status == AccountStatus.CLOSED)


def _held(books: Connection, run: str) -> int:
    return int(
        books.execute(
            sa.select(sa.func.count(held_account.c.account_key.distinct())).where(
                held_account.c.run == run
            )
        ).scalar_one()
    )


def _on_paper(run: str) -> sa.Select[Any]:
    return sa.select(delivery_plan.c.account_key).where(
        delivery_plan.c.run == run, delivery_plan.c.paper.is_not(None)
    )


def _by_mail(run: str) -> sa.Select[Any]:
    held = sa.select(held_account.c.account_key).where(held_account.c.run == run)
    return sa.select(recipient.c.account_key).where(
        recipient.c.run == run, recipient.c.account_key.not_in(held)
    )


def _held_bills(books: Connection, run: str) -> int:
    """Count the bills that leave neither by mail nor on paper."""
    return _count(
        books,
        bill,
        run,
        bill.c.account_key.not_in(_by_mail(run)),
        bill.c.account_key.not_in(_on_paper(run)),
    )


def _both(books: Connection, run: str) -> int:
    return _count(
        books,
        bill,
        run,
        bill.c.account_key.in_(_by_mail(run)),
        bill.c.account_key.in_(_on_paper(run)),
    )


def _autopay(books: Connection, run: str, *, closed: bool) -> AutopaySheet:
    if closed:
        payments, reasons = scheduled_payment, autopay_unscheduled.c.reason
        drawn = [payments.c.run == run, payments.c.state != PaymentState.CANCELLED]
        why = _grouped(books, reasons, autopay_unscheduled.c.run == run)
    else:
        payments, reasons = planned_payment, planned_payment.c.unscheduled
        drawn = [payments.c.run == run, payments.c.unscheduled.is_(None)]
        why = _grouped(books, reasons, payments.c.run == run, reasons.is_not(None))
    return AutopaySheet(
        scheduled=_count(books, payments, run, *drawn),
        immediate=_count(books, payments, run, *drawn, payments.c.immediate),
        unscheduled=sum(why.values()),
        amount=_sum(books, payments.c.amount, *drawn),
        reasons=why,
    )


def _not_enrolled(books: Connection, run: str) -> int:
    """Count the accounts without an active mandate, on its own: so the lists can be proved."""
    enrolled = sa.select(mandate.c.account_key).where(mandate.c.run == run, mandate.c.active)
    return _count(books, account, run, account.c.account_key.not_in(enrolled))


def _deliveries(books: Connection, run: str, *, closed: bool) -> DeliverySheet:
    if not closed:
        return DeliverySheet(0, 0, 0, 0, 0, 0, _mail_bills(books, run), 0)
    ours = [delivery.c.run == run, delivery.c.kind == "bill"]
    counts = _grouped(books, delivery.c.status, *ours)
    sent = books.execute(
        sa.select(sa.func.count()).select_from(
            sa.select(delivery.c.account_key, delivery.c.form)
            .where(*ours, delivery.c.status == DeliveryStatus.SENT)
            .distinct()
            .subquery()
        )
    ).scalar_one()
    return DeliverySheet(
        messages=sum(counts.values()),
        sent=counts.get(DeliveryStatus.SENT, 0),
        failed=counts.get(DeliveryStatus.FAILED, 0),
        deferred=counts.get(DeliveryStatus.DEFERRED, 0),
        in_doubt=counts.get(DeliveryStatus.IN_DOUBT, 0),
        queued=counts.get(DeliveryStatus.QUEUED, 0) + counts.get(DeliveryStatus.SENDING, 0),
        bills=_mail_bills(books, run),
        bills_sent=sent,
    )


def _mail_bills(books: Connection, run: str) -> int:
    """Count the bills that go by mail, to one mailbox or several."""
    return _count(books, bill, run, bill.c.account_key.in_(_by_mail(run)))


def _paper(books: Connection, run: str, *, closed: bool) -> PaperSheet:
    if not closed:
        return _planned_paper(books, run)
    files = books.execute(
        sa.select(print_batch.c.file).where(print_batch.c.run == run).order_by(print_batch.c.bulk)
    ).scalars()
    pages = books.execute(sa.select(sa.func.sum(paper.c.pages)).where(paper.c.run == run))
    return PaperSheet(
        bills=_count(books, paper, run),
        pages=int(pages.scalar_one() or 0),
        files=tuple(files),
        reasons=_grouped(books, paper.c.reason, paper.c.run == run),
    )


def _planned_paper(books: Connection, run: str) -> PaperSheet:
    planned = (
        sa.select(bill.c.pages, delivery_plan.c.paper)
        .join(
            delivery_plan,
            sa.and_(delivery_plan.c.run == run, delivery_plan.c.account_key == bill.c.account_key),
        )
        .where(bill.c.run == run, delivery_plan.c.paper.is_not(None))
        .subquery()
    )
    rows = books.execute(
        sa.select(
            planned.c.paper, sa.func.count().label("bills"), sa.func.sum(planned.c.pages)
        ).group_by(planned.c.paper)
    ).all()
    return PaperSheet(
        bills=sum(row[1] for row in rows),
        pages=sum(int(row[2]) for row in rows),
        files=(),
        reasons={str(row[0]): row[1] for row in rows},
    )


def _seconds(books: Connection, run: str) -> dict[str, float]:
    rows = books.execute(
        sa.select(run_step.c.step, run_step.c.started_at, run_step.c.finished_at)
        .where(run_step.c.run == run, run_step.c.finished_at.is_not(None))
        .order_by(run_step.c.position)
    )
    return {step: round((end - start).total_seconds(), 3) for step, start, end in rows}
