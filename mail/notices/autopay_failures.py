"""Who is told that autopay did not pay, and of which payment (rule 83, ruling 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.in_force import email_in_force, landlord_in_force, link_in_force
from database.queries.balances import open_balance
from database.queries.payment_events import newest_taken_back
from database.tables import (
    account,
    balance_due,
    draw,
    scheduled_payment,
)
from domain.deliveries import MessageKind
from domain.payments import DrawState, PaymentState
from mail.notices.payments import NoticeCounts, Notifying, payments_of, queue_notices
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from mail.recipients.suppressed import suppressed_mailboxes
from mail.rendering.notice_letters import not_drawn
from rules.mail.delivery import choose_recipients

_PAYMENT = scheduled_payment.c


def queue_autopay_failures(
    database: Database, *, since: datetime, now: datetime, message_domain: str, to_landlords: bool
) -> int:
    """
    Record a mail for each payment that was declined, returned or left out since a moment.

    Returns how many. One for each payment and mailbox, however often this is done: to the
    addresses of the customer record, all linked portal users and the landlord's, paperless or
    not. Which card or bank account it was stands only in the mail to its owner (rules 117, 118).
    """
    with database.writing() as books:
        found = (_declined(since), _returned(since), *not_drawn(since))
        failed = [row for query in found for row in books.execute(query)]
        suppressed = suppressed_mailboxes(books)
        messages = (
            message
            for row in failed
            for message in _messages(books, row, to_landlords)
            if message.address.casefold() not in suppressed
        )
        return queue_messages(books, list(messages), now=now, message_domain=message_domain)


def _declined(since: datetime) -> sa.Select[Any]:
    """The newest draw of each payment, where it was declined; given as long as it is the newest."""
    newer = draw.alias("newer")
    return (
        _failures(draw.c.key)
        .join(draw, draw.c.payment_key == _PAYMENT.key)
        .where(
            draw.c.state == DrawState.DECLINED,
            draw.c.answered_at >= since,
            _PAYMENT.state.in_((PaymentState.DECLINED, PaymentState.SCHEDULED)),
            ~sa.exists().where(
                newer.c.payment_key == draw.c.payment_key, newer.c.number > draw.c.number
            ),
        )
    )


def _returned(since: datetime) -> sa.Select[Any]:
    taken_back = newest_taken_back()
    about = sa.literal("return/").concat(taken_back.c.payment_key)
    return (
        _failures(about)
        .join(taken_back, taken_back.c.payment_key == _PAYMENT.key)
        .where(taken_back.c.recorded_at >= since, _PAYMENT.state == PaymentState.RETURNED)
    )


def _failures(about: sa.ColumnElement[str]) -> sa.Select[Any]:
    same_account = sa.and_(
        account.c.period == _PAYMENT.period, account.c.account_key == _PAYMENT.account_key
    )
    return (
        sa.select(
            about.label("about"),
            sa.literal(MessageKind.AUTOPAY_FAILED.value).label("form"),
            _PAYMENT.period,
            _PAYMENT.account,
            _PAYMENT.account_key,
            account.c.cosigner_id,
        )
        .select_from(scheduled_payment)
        .join(account, same_account)
        .order_by(_PAYMENT.key)
    )


def _messages(books: Connection, row: Any, to_landlords: bool) -> Iterator[PlannedMessage]:
    landlords = _landlords(books, row) if to_landlords else ()
    recipients = choose_recipients(
        _addresses(books, email_in_force, row),
        _addresses(books, link_in_force, row),
        landlords,
    )
    for found in recipients:
        yield PlannedMessage(
            MessageKind.AUTOPAY_FAILED,
            about=row.about,
            address=found.address,
            source=found.source,
            account=row.account,
            period=row.period,
            form=row.form,
        )


def _addresses(books: Connection, table: sa.FromClause, row: Any) -> Sequence[str]:
    query = sa.select(table.c.address).where(
        table.c.period == row.period,
        table.c.account_key == row.account_key,
        table.c.fault.is_(None),
    )
    return books.scalars(query.order_by(table.c.address)).all()


def _landlords(books: Connection, row: Any) -> Sequence[str]:
    query = sa.select(landlord_in_force.c.portal_user).where(
        landlord_in_force.c.period == row.period,
        landlord_in_force.c.cosigner_id == row.cosigner_id,
        landlord_in_force.c.fault.is_(None),
    )
    return books.scalars(query.order_by(landlord_in_force.c.portal_user)).all()


_CAPPED_PAYMENT = scheduled_payment.c


def queue_capped_draws(database: Database, terms: Notifying) -> NoticeCounts:
    """
    Record the mail before a draw (`autopay-scheduled`) for each that leaves a rest to be paid.

    It says how much is drawn, and how much is left to pay by when. Once for each payment and
    mailbox, whoever records it.
    """

    def find(books: Connection) -> list[tuple[str, sa.Select[Any]]]:
        leaves_rest = sa.exists().where(
            balance_due.c.period == _CAPPED_PAYMENT.period,
            balance_due.c.account_key == _CAPPED_PAYMENT.account_key,
            open_balance() > _CAPPED_PAYMENT.amount,
        )
        capped = sa.and_(
            _CAPPED_PAYMENT.state == PaymentState.SCHEDULED,
            _CAPPED_PAYMENT.number == 1,
            leaves_rest,
        )
        runs = books.scalars(
            sa.select(_CAPPED_PAYMENT.period)
            .where(capped)
            .distinct()
            .order_by(_CAPPED_PAYMENT.period)
        )
        return [(period, payments_of(period, capped)) for period in runs.all()]

    return queue_notices(database, MessageKind.AUTOPAY_SCHEDULED, find, terms)
