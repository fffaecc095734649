"""The undo itself: everything of a close that can be taken back, in one transaction and once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corrections.undo.looking import (
    OF_A_BILL,
    UndoBoundary,
    UndoPlan,
    look_at_undo,
    not_asked,
    to_figures,
)
from database.approvals import record_request
from database.audit import record_audit
from database.books import Database
from database.definitions.corrections import correction, period_undo, replaced_bill
from database.definitions.texts import text_message
from database.ledger.entries import add_up
from database.ledger.locking import lock_all_balances
from database.ledger.tables import balance_entry
from database.queries.bills import is_doubled
from database.queries.corrections import (
    amount_due_in_force,
    due_on_in_force,
    is_of_account,
    standing_corrections,
)
from database.queries.customers.findable import forget_period
from database.queries.outsorted import is_outsorted
from database.runs import move_run
from database.tables import (
    account,
    autopay_unscheduled,
    balance_due,
    bill,
    bill_run,
    bulk_file,
    delivery,
    draw,
    gateway_payment,
    paper,
    period_close,
    planned_payment,
    print_batch,
    print_plan,
    run_step,
)
from database.types import Cents, Moment
from domain.accounts import AccountStatus
from domain.corrections import CORRECTED_FILE, PERIOD_UNDONE, Replacing
from domain.ledger import ContainedBy
from domain.money import ZERO
from domain.payments import DRAW, PAYMENT, DrawState, PaymentKind, PaymentState
from domain.steps import Step
from mail.outbox.queueing import surely_not_left
from mail.texts.recording import withdraw_texts

SOME = 500  # accounts whose sums are added up at a time
DONE_ANEW = (Step.APPROVE, Step.PUBLISH, Step.SCHEDULE, Step.SEND, Step.PRINT, Step.REPORT)
_PAYMENT, _ENTRY, _MAIL = gateway_payment.c, balance_entry.c, delivery.c


@dataclass(frozen=True, slots=True)
class UndoTerms:
    """Who takes a close back (several people's names, where several said yes) and why."""

    now: datetime
    who: str
    people: str
    reason: str
    boundary: UndoBoundary


def take_back(
    database: Database, period: str, is_fetched: Callable[[str], bool], terms: UndoTerms
) -> UndoPlan:
    """
    Take a close back (rules 1-4): balances, visibility, payments not drawn, mail not sent.

    One transaction: a kill leaves the close or no close. Draws and mails that happened stay as
    they are, and refer to a close that was. Entries that the period's export contained are
    outstanding again, and each balance is that of the account's bill before. What is decided by
    is read under the locks, as always: run, balances, payments, draws. Raises as `look_at_undo`.
    """
    with database.writing() as books:
        run = bill_run.c.period
        books.execute(sa.select(run).where(run == period).with_for_update())
        lock_all_balances(books)
        plan = look_at_undo(books, period, terms.boundary, is_fetched)
        _cancel_payments(books, period)
        _withdraw_mails(books, period)
        _keep_bills(books, period, terms)
        _end_corrections(books, period, plan.number)
        _restore_balances(books, period)
        _open(books, plan, terms)
        _audit(books, plan, terms)
    return plan


def _cancel_payments(books: Connection, period: str) -> None:
    """
    Give up draws that nobody asked for, then take off the schedule what is not drawn.

    The next close plans it anew; what a bank had returned, and was to be drawn once more, it
    schedules again as it was, if it was not off for a reason of its own.
    """
    waiting = sa.select(_PAYMENT.key).where(not_asked(period))
    created = DrawState.CREATED
    books.execute(
        draw.update()
        .where(draw.c.payment_key.in_(waiting), draw.c.state == created)
        .values(state=DRAW.after(created, "abandoned"))
    )
    cancelled = PAYMENT.after(PaymentState.SCHEDULED, "cancelled")
    books.execute(
        gateway_payment.update()
        .where(not_asked(period))
        .values(state=cancelled, error=PERIOD_UNDONE)
    )
    books.execute(  # what was off already, nothing having been drawn, is planned anew as well
        gateway_payment.update()
        .where(
            _PAYMENT.period == period,
            _PAYMENT.kind == PaymentKind.AUTOPAY,
            _PAYMENT.number == 1,
            _PAYMENT.state == PaymentState.CANCELLED,
        )
        .values(error=PERIOD_UNDONE)
    )
    for table in (autopay_unscheduled, planned_payment):
        books.execute(table.delete().where(table.c.period == period))


def _withdraw_mails(books: Connection, period: str) -> None:
    of_the_bills = (_MAIL.period == period, _MAIL.kind.in_(OF_A_BILL))
    books.execute(delivery.delete().where(*of_the_bills, *surely_not_left()))
    withdraw_texts(books, period, text_message.c.kind.in_(OF_A_BILL))


def _keep_bills(books: Connection, period: str, terms: UndoTerms) -> None:
    """Keep what was shown and mailed: each bill with its document, as it stood in the end."""
    corrected = standing_corrections()
    shown = (
        sa.select(
            bill.c.period,
            bill.c.form,
            bill.c.account_key,
            bill.c.edition,
            bill.c.account,
            amount_due_in_force(corrected),
            due_on_in_force(corrected, bill.c.period, bill.c.account_key),
            bill.c.pdf,
            bill.c.sha256,
            bill.c.pages,
            sa.literal(terms.now, Moment()),
            sa.literal(Replacing.UNDO.value),
        )
        .join(
            account,
            sa.and_(account.c.period == bill.c.period, account.c.account_key == bill.c.account_key),
        )
        .join(bill_run, bill_run.c.period == bill.c.period)
        .outerjoin(corrected, is_of_account(corrected))
        .where(bill.c.period == period, ~is_doubled())
    )
    names = [
        "period", "form", "account_key", "edition", "account", "amount_due", "due_on", "pdf",
        "sha256", "pages", "replaced_at", "replaced_by",
    ]  # fmt: skip
    books.execute(replaced_bill.insert().from_select(names, shown))


def _end_corrections(books: Connection, period: str, number: int) -> None:
    """
    End the corrections of the period's bills: what they changed is gone with the bills.

    Their entries stay in the ledger, done with by this very period, and move nothing.
    """
    ended = sa.and_(correction.c.period == period, correction.c.undone.is_(None))
    entries = sa.select(correction.c.entry_key).where(ended, correction.c.entry_key.is_not(None))
    books.execute(
        balance_entry.update()
        .where(_ENTRY.key.in_(entries))
        .values(in_export_of=period, how=ContainedBy.DECIDED)
    )
    books.execute(correction.update().where(ended).values(undone=number))


def _restore_balances(books: Connection, period: str) -> None:
    """
    Give each balance the bill before this period's, and add its entries up anew (case 37).

    An account without a bill before keeps its row, of no period and with nothing due.
    """
    corrections = sa.select(correction.c.entry_key).where(correction.c.entry_key.is_not(None))
    books.execute(
        balance_entry.update()
        .where(_ENTRY.in_export_of == period, _ENTRY.key.not_in(corrections))
        .values(in_export_of=None, how=None)
    )
    moved = list(
        books.scalars(sa.select(balance_due.c.account_key).where(balance_due.c.period == period))
    )
    before = _bills_before(period).subquery("before")
    books.execute(
        balance_due.update()
        .where(balance_due.c.account_key == before.c.account_key, balance_due.c.period == period)
        .values({name: before.c[name] for name in ("period", "amount_due", "due_on", "equal_pay")})
    )
    for first in range(0, len(moved), SOME):
        add_up(books, moved[first : first + SOME])


def _bills_before(period: str) -> sa.Select[Any]:
    """Select what each balance of a period was of before: its account's last closed bill."""
    corrected = standing_corrections()
    had, closed = account.alias("had"), bill_run.alias("closed")
    newest = (
        sa.select(closed.c.period)
        .join(period_close, period_close.c.period == closed.c.period)
        .join(had, had.c.period == closed.c.period)
        .where(
            closed.c.period != period,
            had.c.account_key == balance_due.c.account_key,
            had.c.status != AccountStatus.CLOSED,
            ~is_outsorted(had.c.period, had.c.account_key),  # such a bill moved no balance
        )
        .order_by(closed.c.ends_on.desc(), closed.c.period.desc())
        .limit(1)
        .correlate(balance_due)
        .scalar_subquery()
    )
    of = (
        sa.select(balance_due.c.account_key, newest.label("period"))
        .where(balance_due.c.period == period)
        .subquery("of")
    )
    is_agreed = sa.and_(
        account.c.status == AccountStatus.ACTIVE, account.c.equal_pay_amount.is_not(None)
    )
    nothing = sa.literal(ZERO, Cents())
    return (
        sa.select(
            of.c.account_key,
            of.c.period,
            sa.func.coalesce(account.c.amount_due, nothing).label("amount_due"),
            due_on_in_force(corrected, of.c.period, of.c.account_key).label("due_on"),
            sa.func.coalesce(is_agreed, sa.false()).label("equal_pay"),
        )
        .select_from(of)
        .outerjoin(
            account,
            sa.and_(account.c.period == of.c.period, account.c.account_key == of.c.account_key),
        )
        .outerjoin(bill_run, bill_run.c.period == of.c.period)
        .outerjoin(corrected, is_of_account(corrected))
    )


def _open(books: Connection, plan: UndoPlan, terms: UndoTerms) -> None:
    """
    Let the period be closed again: by another export, or by this one with another yes.

    The step that splits stays done, unless bills were corrected: their old ones are filed anew.
    What was approved is asked anew.
    """
    period = plan.period
    again = (*DONE_ANEW, Step.SPLIT) if _remove_corrected(books, period) else DONE_ANEW
    for table in (paper, print_plan, print_batch, period_close):
        books.execute(table.delete().where(table.c.period == period))
    books.execute(
        run_step.delete().where(
            run_step.c.period == period, run_step.c.step.in_([step.value for step in again])
        )
    )
    move_run(books, period, "undone")
    forget_period(books, period)
    books.execute(
        bill_run.update()
        .where(bill_run.c.period == period)
        .values(approved_at=None, approved_by=None)
    )
    record_request(
        books, period, digest=f"undone {plan.number}", figures="{}", at=terms.now, who=terms.who
    )
    books.execute(
        period_undo.insert().values(
            period=period,
            number=plan.number,
            closed_at=plan.closed_at,
            closed_by=plan.closed_by,
            undone_at=terms.now,
            undone_by=terms.people,
            reason=terms.reason,
            figures=to_figures(plan),
        )
    )


def _audit(books: Connection, plan: UndoPlan, terms: UndoTerms) -> None:
    detail = (
        f"{plan.balances} balances, {plan.amount.dollars()}; {plan.payments} payments cancelled; "
        f"{len(plan.draws)} draws stand, {plan.drawn.dollars()}; "
        f"{sum(plan.mails_out.values())} mails had left; by {terms.people}"
    )
    detail += f"; {terms.reason}" if terms.reason else ""
    record_audit(books, terms.now, terms.who, "undo close", plan.period, detail)


def _remove_corrected(books: Connection, period: str) -> bool:
    """Take the bulk files of corrected bills off the period; tell whether there were any."""
    of_corrections = bulk_file.c.path.contains(f"/{CORRECTED_FILE}")
    gone = bulk_file.delete().where(bulk_file.c.period == period, of_corrections)
    return books.execute(gone).rowcount > 0


@dataclass(frozen=True, slots=True)
class UnfinishedUndo:
    """An undo whose print files may still lie where the close wrote them."""

    number: int
    print_files: tuple[str, ...]


def read_undone(database: Database, period: str) -> bool:
    """Tell whether a period was closed, and taken back, and is not closed again."""
    closed, undone = period_close.c.period, period_undo.c.period
    with database.reading() as books:
        is_closed = books.execute(sa.select(closed).where(closed == period)).first()
        was = books.execute(sa.select(undone).where(undone == period)).first()
    return is_closed is None and was is not None


def unfinished_undo(database: Database, period: str) -> UnfinishedUndo | None:
    """Return the newest undo of a period where its files were not removed yet."""
    rows = period_undo.c
    query = (
        sa.select(period_undo)
        .where(rows.period == period, rows.files_removed_at.is_(None))
        .order_by(rows.number.desc())
        .limit(1)
    )
    with database.reading() as books:
        row = books.execute(query).one_or_none()
    if row is None:
        return None
    return UnfinishedUndo(row.number, tuple(row.figures["taken_back"]["print_files"]))


def finish_undo(database: Database, period: str, now: datetime) -> None:
    """Write down that the print files of a period that was taken back are gone."""
    rows = period_undo.c
    with database.writing() as books:
        books.execute(
            period_undo.update()
            .where(rows.period == period, rows.files_removed_at.is_(None))
            .values(files_removed_at=now)
        )
