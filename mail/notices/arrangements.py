"""Mails about payment plans: each owed one is recorded once, what is not so any more taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.arrangements import arrangement
from database.queries.arrangements.reading import read_money, read_plans
from database.queries.balances import read_on_its_way, stands_with
from database.tables import account, balance_due, delivery
from domain.arrangements import Arrangement, ArrangementState
from domain.deliveries import WAITING, MessageKind
from domain.money import ZERO
from domain.reminders import Skipped
from domain.words import say_count
from mail.letters.arrangements import AGREED, BROKEN, ENDED, INSTALLMENT
from mail.notices.payments import TOLD_FOR, NoticeCounts
from mail.notices.recording import record_new, without_recorded
from mail.outbox.planned import PlannedMessage
from mail.recipients.addresses import Some, read_addresses
from mail.recipients.suppressed import suppressed_mailboxes
from mail.rendering.arrangements import OF_INSTALLMENT
from rules.mail.reminders import time_has_come
from rules.money.arrangements import standing_of

_PLAN = arrangement.c
Owed = tuple[Arrangement, str, str]  # a plan, the form of a mail, and what it is about


@dataclass(frozen=True, slots=True)
class PlanMails:
    """
    On what terms an office writes about plans; `records` is false where it only wants to know.

    `at` is the local time of day from which a reminder is owed, `days_before` how long before
    its installment. `left_out` are periods whose balances are too old to remind by.
    """

    now: datetime
    who: str
    message_domain: str
    at: time
    days_before: int = 3
    records: bool = True
    left_out: frozenset[str] = field(default=frozenset())


def queue_plan_mails(database: Database, terms: PlanMails) -> NoticeCounts:
    """
    Record each mail that plans owe to whoever hears of an account's bills; once each, for ever.

    What was agreed, each installment to come that is not paid and not on its way, that a plan is
    broken, and that the office ended it. The nights that were missed are made up for as long as
    a mail makes sense (ruling 17).
    """
    counts = NoticeCounts()
    with database.reading() as books:
        messages = list(_messages(books, _owed(books, terms), terms, counts.skipped))
        new = without_recorded(books, messages)
    counts.queued = record_new(database, MessageKind.ARRANGEMENT, "arrangements", new, terms)
    return counts


def withdraw_plan_mails(database: Database, terms: PlanMails) -> int:
    """Take out the waiting mails that are not so any more: an installment that was paid."""
    with database.writing() as books:
        rows = delivery.c
        waiting = books.execute(
            sa.select(rows.key, rows.form, rows.account).where(
                rows.kind == MessageKind.ARRANGEMENT,
                rows.status.in_(WAITING),
                ~rows.possible_duplicate,
            )
        ).all()
        if not waiting:
            return 0
        owed = {message.key for message in _messages(books, _owed(books, terms), terms, Counter())}
        gone = [row.key for row in waiting if row.key not in owed]
        if gone:
            books.execute(delivery.delete().where(rows.key.in_(gone), rows.status.in_(WAITING)))
            detail = f"{say_count(len(gone), 'mail')} not so any more"
            action = "withdraw arrangement mails"
            record_audit(books, terms.now, terms.who, action, "arrangements", detail)
    return len(gone)


def _owed(books: Connection, terms: PlanMails) -> Iterator[Owed]:
    since = terms.now - TOLD_FOR
    told = (ArrangementState.BROKEN, ArrangementState.ENDED)
    is_news = sa.and_(_PLAN.state.in_(told), _PLAN.ended_at >= since)
    was_in_force = _PLAN.in_force_at.is_not(None)
    wanted = sa.or_(_PLAN.state == ArrangementState.IN_FORCE, is_news)
    for plan in read_plans(books, was_in_force, wanted):
        if plan.state is not ArrangementState.IN_FORCE:
            form = BROKEN if plan.state is ArrangementState.BROKEN else ENDED
            yield plan, form, str(plan.number)
            continue
        if plan.in_force_at is not None and plan.in_force_at >= since:
            yield plan, AGREED, str(plan.number)
        for place in _installments(books, plan, terms):
            yield plan, INSTALLMENT, f"{plan.number}{OF_INSTALLMENT}{place}"


def _installments(books: Connection, plan: Arrangement, terms: PlanMails) -> list[int]:
    """Return the installments whose reminder's time has come and whose day is not past."""
    zone = ZoneInfo(plan.timezone)
    today, before = terms.now.astimezone(zone).date(), timedelta(days=terms.days_before)
    near = [
        one
        for one in plan.installments
        if today <= one.due_on and time_has_come(one.due_on - before, terms.at, terms.now, zone)
    ]
    if not near or read_on_its_way(books, plan.account_key) > ZERO:
        return []
    paid, open_balance = read_money(books, plan)
    if open_balance <= ZERO:
        return []
    standing = standing_of(plan.installments, paid, open_balance, today)
    days = {one.due_on for one in near}
    return [one.number for one in standing.installments if one.due_on in days and one.open > ZERO]


def _messages(
    books: Connection, owed: Iterator[Owed], terms: PlanMails, skipped: Counter[Skipped]
) -> Iterator[PlannedMessage]:
    suppressed = suppressed_mailboxes(books)
    for plan, form, about in owed:
        stands = books.execute(_account_of(plan.account_key)).first()
        if stands is None or (form == INSTALLMENT and stands.period in terms.left_out):
            continue
        some = Some([plan.account_key], [stands.cosigner_id])
        everybody = read_addresses(books, stands.period, some).of(
            plan.account_key, stands.cosigner_id
        )
        reached = [one for one in everybody if one.mailbox not in suppressed]
        if not reached:
            skipped[Skipped.SUPPRESSED if everybody else Skipped.NO_ADDRESS] += 1
        for one in reached:
            yield PlannedMessage(
                MessageKind.ARRANGEMENT,
                about=about,
                address=one.address,
                source=one.source,
                account=stands.account,
                period=stands.period,
                form=form,
            )


def _account_of(account_key: str) -> sa.Select[tuple[str, str, str]]:
    return (
        sa.select(balance_due.c.period, account.c.account, account.c.cosigner_id)
        .join(account, stands_with(account))
        .where(balance_due.c.account_key == account_key)
    )
