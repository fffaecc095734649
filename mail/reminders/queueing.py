"""Reminders that are owed now, recorded once for each due date, kind and mailbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import is_audited, record_audit
from database.books import Database
from database.definitions.texts import text_message
from database.tables import bounce, delivery, gateway_payment, scheduled_payment
from domain.deliveries import WAITING, DeliveryStatus, MessageKind
from domain.payments import PaymentKind, PaymentState
from domain.reminders import REMINDERS, Skipped, audit_action
from domain.words import say_count
from mail.keys import about_of, to_part
from mail.letters.notices import NOT_TAKEN
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages, without_known
from mail.reminders.due_dates import DueDate, Reminding, due_dates
from mail.reminders.holds import Hold
from mail.reminders.selection import count_skipped, debts, read_debtors
from rules.mail.reminders import OwedStep

TOO_LATE = "past-due too late"  # in the audit list


@dataclass(slots=True)
class ReminderCounts:
    """
    What is owed of one kind, in mails: recorded `queued` now, the others by an earlier run.

    `skipped` counts accounts that owe money and are not reminded, by why; `holds` those that a
    hold of the office keeps back, by hold.
    """

    queued: int = 0
    earlier: Counter[DeliveryStatus] = field(default_factory=Counter)
    skipped: Counter[Skipped] = field(default_factory=Counter)
    holds: Counter[Hold] = field(default_factory=Counter)

    @property
    def owed(self) -> int:
        return self.queued + self.earlier.total()

    @property
    def already_sent(self) -> int:
        return self.earlier[DeliveryStatus.SENT]


def queue_reminders(database: Database, kind: MessageKind, terms: Reminding) -> ReminderCounts:
    """
    Record every mail of a kind that is owed now and was not recorded before (rules 90-97).

    What is owed goes by due date and kind, never by what day it is: nights that were missed are
    made up for (ruling 17). Batches are recorded one by one, each with its audit row, so that
    nobody else waits for long; what a kill left out is found by the next run.
    """
    counts = ReminderCounts()
    with database.reading() as books:
        dues = [due for due in due_dates(books, terms.now) if due.period not in terms.left_out]
    for due in dues:
        for owed in due.owed(terms.plan):
            if owed.step.kind is kind:
                _queue_step(database, due, owed, terms, counts)
        if kind is MessageKind.PAST_DUE and due.is_over(terms.plan):
            counts.skipped[Skipped.TOO_LATE] += _count_missed(database, due, terms)
    counts.skipped = +counts.skipped
    return counts


def _queue_step(
    database: Database, due: DueDate, owed: OwedStep, terms: Reminding, counts: ReminderCounts
) -> None:
    found = debts(due, owed.step.kind, terms, owed)
    with database.reading() as books:
        skipped, held = count_skipped(books, found)
        counts.skipped.update(skipped)
        counts.holds.update({hold: held[hold.number] for hold in due.holds if held[hold.number]})
        messages = _messages(books, due, owed, found, counts.skipped)
        while batch := list(islice(messages, terms.batch)):
            new, known = without_known(books, batch)
            counts.earlier.update(known)
            counts.queued += _record_batch(database, due, owed, terms, new) if new else 0
    if terms.records and not _was_noted(database, audit_action(owed.step.kind), due.period):
        _record_batch(database, due, owed, terms, [])  # from now on exceptions are listed


def _record_batch(
    database: Database,
    due: DueDate,
    owed: OwedStep,
    terms: Reminding,
    messages: list[PlannedMessage],
) -> int:
    """Record mails and their audit row in one transaction; return how many are new."""
    if not terms.records:
        return len(messages)
    with database.writing() as books:
        queued = queue_messages(books, messages, now=terms.now, message_domain=terms.message_domain)
        detail = f"{owed.step.form}, due {due.due_on}: {say_count(queued, 'mail')} queued"
        action = audit_action(owed.step.kind)
        record_audit(books, terms.now, terms.who, action, due.period, detail)
    return queued


def _messages(
    books: Connection, due: DueDate, owed: OwedStep, found: sa.Subquery, skipped: Counter[Skipped]
) -> Iterator[PlannedMessage]:
    for debtor in read_debtors(books, due.period, found):
        if debtor.skipped is not None:
            skipped[debtor.skipped] += 1
        for recipient in debtor.recipients:
            yield PlannedMessage(
                owed.step.kind,
                about=due.due_on.isoformat(),
                address=recipient.address,
                source=recipient.source,
                account=debtor.account,
                period=due.period,
                form=owed.step.form,
            )


def _was_noted(database: Database, action: str, period: str) -> bool:
    with database.reading() as books:
        return is_audited(books, action, period)


def _count_missed(database: Database, due: DueDate, terms: Reminding) -> int:
    """Count who got no past-due mail in time; audited once, for nobody is going to send it."""
    found = debts(due, MessageKind.PAST_DUE, terms)
    was_written_to = sa.exists().where(
        delivery.c.period == due.period,
        delivery.c.account_key == found.c.account_key,
        delivery.c.kind == MessageKind.PAST_DUE,
    )
    with database.reading() as books:
        debtors = read_debtors(books, due.period, found, ~was_written_to)
        missed = sum(bool(debtor.recipients) for debtor in debtors)
    if missed and terms.records and not _was_noted(database, TOO_LATE, due.period):
        with database.writing() as books:
            detail = f"due {due.due_on}: {say_count(missed, 'account')} not reminded any more"
            record_audit(books, terms.now, terms.who, TOO_LATE, due.period, detail)
    return missed


_NOTICES = {
    MessageKind.RECEIPT: PaymentState.SUCCEEDED,
    MessageKind.AUTOPAY_SCHEDULED: PaymentState.SCHEDULED,
}
_BY_HAND = {
    MessageKind.RECEIPT.value: (PaymentState.SUCCEEDED,),
    NOT_TAKEN: (PaymentState.DECLINED, PaymentState.CANCELLED),
}
_TABLES = (delivery, text_message)


def withdraw_reminders(database: Database, terms: Reminding) -> int:
    """
    Take out the waiting reminders that are not owed now; return how many.

    A mail server that was away must not make us remind of what has been paid meanwhile, or
    announce a due date that is past. What is owed again later (a payment came back) is recorded
    anew. A mail that may have left before is kept.
    """
    taken = 0
    with database.reading() as books:
        runs = {
            period
            for table in _TABLES
            for period in books.scalars(
                sa.select(table.c.period).where(*_waiting(table, REMINDERS)).distinct()
            )
        }
    for period in sorted(runs, key=str):
        with database.writing() as books:
            number = _withdraw(books, period, terms)
            if number:
                detail = f"{say_count(number, 'reminder')} not owed any more"
                record_audit(books, terms.now, terms.who, "withdraw reminders", period, detail)
        taken += number
    return taken


def withdraw_notices(database: Database, now: datetime, who: str) -> int:
    """
    Take out the waiting notices about payments that are not so any more; return how many.

    A receipt of a payment that came back, a word before a draw that has been done or taken off. Of
    payments by hand each mail is of its own payment; what moved afterwards stays so, and is told.
    """
    with database.writing() as books:
        taken = sum(_withdraw_notices(books, table) for table in _TABLES)
        taken += _withdraw_by_hand(books)
        if taken:
            detail = f"{say_count(taken, 'notice')} not so any more"
            record_audit(books, now, who, "withdraw notices", "payments", detail)
    return taken


def _withdraw_notices(books: Connection, table: sa.Table) -> int:
    over = [
        sa.and_(table.c.kind == kind, ~_is_payment(table, state))
        for kind, state in _NOTICES.items()
    ]
    waiting = (*_waiting(table, _NOTICES), ~_is_by_hand(table))
    done = books.execute(table.delete().where(*waiting, sa.or_(*over)))
    return done.rowcount


def _is_by_hand(table: sa.Table) -> sa.ColumnElement[bool]:
    """Claim that a receipt is of a payment that a customer made: its key says so."""
    kind, about = MessageKind.RECEIPT, to_part(f"{PaymentKind.CHECKOUT}/")
    of_checkout: sa.ColumnElement[bool] = table.c.key.startswith(f"{kind}/{about}", autoescape=True)
    return of_checkout


def _withdraw_by_hand(books: Connection) -> int:
    """Take out receipts whose payment came back meanwhile, and words of none that was taken."""
    waiting = (*_waiting(delivery, (MessageKind.RECEIPT,)), _is_by_hand(delivery))
    rows = books.execute(sa.select(delivery.c.key, delivery.c.form).where(*waiting)).all()
    about = {row.key: about_of(row.key) for row in rows if row.form in _BY_HAND}
    payments = gateway_payment.c
    states = {
        row.key: row.state
        for row in books.execute(
            sa.select(payments.key, payments.state).where(payments.key.in_(set(about.values())))
        )
    }
    over = [
        row.key
        for row in rows
        if row.key in about and states.get(about[row.key]) not in _BY_HAND[row.form]
    ]
    books.execute(delivery.delete().where(delivery.c.key.in_(over)))
    return len(over)


def _is_payment(table: sa.Table, state: PaymentState) -> sa.Exists:
    return sa.exists().where(
        scheduled_payment.c.period == table.c.period,
        scheduled_payment.c.account_key == table.c.account_key,
        scheduled_payment.c.state == state,
    )


def _withdraw(books: Connection, period: str | None, terms: Reminding) -> int:
    owed = [
        (step, debts(due, step.step.kind, terms, step))
        for due in due_dates(books, terms.now, period)
        for step in due.owed(terms.plan)
    ]
    return sum(_withdraw_from(books, table, period, owed) for table in _TABLES)


def _withdraw_from(
    books: Connection, table: sa.Table, period: str | None, owed: list[tuple[OwedStep, Any]]
) -> int:
    still_owed = [
        sa.and_(
            table.c.form == step.step.form,
            table.c.account_key.in_(sa.select(found.c.account_key).where(found.c.reason.is_(None))),
        )
        for step, found in owed
    ]
    of_the_run = table.c.period == period if period is not None else table.c.period.is_(None)
    done = books.execute(
        table.delete().where(
            *_waiting(table, REMINDERS), of_the_run, ~sa.or_(sa.false(), *still_owed)
        )
    )
    return done.rowcount


def _waiting(table: sa.Table, kinds: Iterable[MessageKind]) -> list[sa.ColumnElement[bool]]:
    waits = [
        table.c.status.in_(WAITING),
        table.c.kind.in_(list(kinds)),
        ~table.c.possible_duplicate,
    ]
    came_back = sa.exists().where(bounce.c.delivery_key == table.c.key)
    return [*waits, ~came_back] if table is delivery else waits
