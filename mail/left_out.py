"""Who would be reminded now and is not: for the list of exceptions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import reminder_hold
from domain.deliveries import MessageKind
from domain.reminders import SHIELDS, Skipped
from mail.due_dates import due_dates
from mail.reminder_selection import debts
from mail.reminder_terms import Reminding


def kept_back(books: Connection, terms: Reminding) -> list[sa.Select[Any]]:
    """
    Select whom a hold or a shield keeps from a past-due mail that is owed at this moment.

    One SELECT a step of the ladder, its columns named as those of `list exceptions`.
    """
    return [
        _rows(debts(due, MessageKind.PAST_DUE, terms, owed), due.run)
        for due in due_dates(books, terms.now)
        for owed in due.owed(terms.plan)
        if owed.step.kind is MessageKind.PAST_DUE
    ]


def _rows(found: Any, run: str) -> sa.Select[Any]:
    hold = (
        sa.literal("no past-due mail until ")
        .concat(sa.cast(reminder_hold.c.until, sa.String))
        .concat(", hold ")
        .concat(sa.cast(reminder_hold.c.number, sa.String))
        .concat(": ")
        .concat(reminder_hold.c.reason)
    )
    message = sa.case(
        (found.c.reason == Skipped.HELD.value, hold),
        *(
            (found.c.reason == shield.value, f"no past-due mail meanwhile: {why}")
            for shield, why in SHIELDS.items()
        ),
    )
    is_held = sa.and_(found.c.reason == Skipped.HELD.value, reminder_hold.c.number.is_not(None))
    return (
        sa.select(
            found.c.account,
            sa.literal("mail").label("stage"),
            sa.literal("reminder-").concat(found.c.reason).label("code"),
            message.label("message"),
            sa.literal(run).label("period"),
            found.c.account_key.label("_account_key"),
            sa.literal(3).label("_position"),
        )
        .select_from(found)
        .outerjoin(reminder_hold, reminder_hold.c.number == found.c.hold)
        .where(sa.or_(is_held, found.c.reason.in_([shield.value for shield in SHIELDS])))
    )
