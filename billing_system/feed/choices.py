"""Customers' choices on their way to the billing system: told until it says what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.feed.port import FeedSource
from database.audit import record_audit
from database.books import Database
from database.feed.tables import customer_choice
from domain.failures import OutcomeUnknown, TemporaryFailure
from domain.feeds import Acknowledgement, Choice, ChoiceState

_ROWS = customer_choice.c
SOME = 200  # choices that are told at a time
FIRST_TRY, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=6)
ASK_AFTER = timedelta(hours=1)  # what was told, until somebody says what became of it
OPEN = (ChoiceState.WAITING, ChoiceState.TOLD)
MAY_BE_TAKEN = (*OPEN, ChoiceState.REFUSED)  # a clerk there has put right what was refused


@dataclass(slots=True)
class ChoiceCounts:
    """What became of customers' choices at one telling."""

    told: int = 0
    taken: int = 0
    refused: int = 0
    waiting: int = 0
    stopped_by: str = ""


def tell_choices(database: Database, source: FeedSource, now: datetime, who: str) -> ChoiceCounts:
    """
    Tell the billing system what customers chose, and ask what became of what it was told.

    Each choice is told under its number until an answer comes, at longer and longer intervals: the
    billing system takes it once. A refusal is for a person.
    """
    counts = ChoiceCounts()
    try:
        while due := _due(database, ChoiceState.WAITING, now):
            _mark_tried(database, due, now)
            _settle(database, due, source.tell(due), ChoiceState.TOLD, now, who, counts)
            counts.told += len(due)
        if asked := _due(database, ChoiceState.TOLD, now):
            _settle(database, asked, source.ask(asked), ChoiceState.TOLD, now, who, counts)
    except (TemporaryFailure, OutcomeUnknown) as failure:
        counts.stopped_by = str(failure)
    counts.waiting = _count_waiting(database)
    return counts


@dataclass(slots=True)
class Acknowledged:
    """What the billing system said of choices: news of how many, what it refused, what is none."""

    news: int = 0
    refused: list[str] = field(default_factory=list)  # sentences, each at the first telling alone
    unknown: list[int] = field(default_factory=list)  # numbers that no choice of ours has


def acknowledge(
    books: Connection, said: Iterable[Acknowledgement], now: datetime, who: str
) -> Acknowledged:
    """Take what the billing system says of choices; what it said before is no news."""
    found = Acknowledged()
    for one in said:
        if _acknowledge_one(books, one, now, who):
            found.news += 1
            if not one.is_taken:
                why = one.reason or "no reason given"
                found.refused.append(f"choice-refused: The change {one.number} is refused: {why}.")
        elif not books.scalar(sa.select(sa.exists().where(_ROWS.number == one.number))):
            found.unknown.append(one.number)
    return found


def take_as_taken(
    books: Connection, told: Sequence[tuple[str, str, str]], now: datetime, who: str
) -> None:
    """Take choices as taken that the billing system tells us itself: account, field, value."""
    values = set(told)
    keys = {key for key, _, _ in values}
    query = (
        sa.select(_ROWS.number, _ROWS.account_key, _ROWS.field, _ROWS.value)
        .where(_ROWS.account_key.in_(keys), _ROWS.state.in_(MAY_BE_TAKEN))
        .order_by(_ROWS.number)
    )
    for row in books.execute(query).all():
        if (row.account_key, row.field, row.value) in values:
            _acknowledge_one(books, Acknowledgement(row.number, is_taken=True), now, who)


def _acknowledge_one(books: Connection, one: Acknowledgement, now: datetime, who: str) -> bool:
    state = ChoiceState.TAKEN if one.is_taken else ChoiceState.REFUSED
    changed = books.execute(
        customer_choice.update()
        .where(_ROWS.number == one.number, _ROWS.state.in_(MAY_BE_TAKEN if one.is_taken else OPEN))
        .values(state=state, answered_at=now, reason=one.reason)
    )
    if changed.rowcount and not one.is_taken:
        account = books.scalar(sa.select(_ROWS.account).where(_ROWS.number == one.number))
        detail = f"change {one.number}: {one.reason or 'no reason given'}"
        record_audit(books, now, who, "choice refused by billing system", str(account), detail)
    return bool(changed.rowcount)


def _due(database: Database, state: ChoiceState, now: datetime) -> list[Choice]:
    query = (
        sa.select(customer_choice)
        .where(_ROWS.state == state, _ROWS.next_try_at <= now)
        .order_by(_ROWS.number)
        .limit(SOME)
    )
    with database.reading() as books:
        return [_to_choice(row) for row in books.execute(query)]


def _to_choice(row: Any) -> Choice:
    return Choice(row.number, row.account, row.field, row.value, row.at, row.by)


def _mark_tried(database: Database, due: Sequence[Choice], now: datetime) -> None:
    """Write down that choices are about to be told, and when they are told again without answer."""
    with database.writing() as books:
        numbers = [one.number for one in due]
        query = sa.select(_ROWS.number, _ROWS.attempts).where(_ROWS.number.in_(numbers))
        for row in books.execute(query).all():
            wait = min(FIRST_TRY * 2 ** min(row.attempts, 12), LONGEST_WAIT)
            books.execute(
                customer_choice.update()
                .where(_ROWS.number == row.number)
                .values(attempts=row.attempts + 1, next_try_at=now + wait)
            )


def _settle(
    database: Database,
    choices: Sequence[Choice],
    said: Sequence[Acknowledgement],
    otherwise: ChoiceState,
    now: datetime,
    who: str,
    counts: ChoiceCounts,
) -> None:
    with database.writing() as books:
        acknowledge(books, said, now, who)
        counts.taken += sum(one.is_taken for one in said)
        counts.refused += sum(not one.is_taken for one in said)
        answered = {one.number for one in said}
        numbers = [one.number for one in choices]
        first_told = customer_choice.update().where(_ROWS.told_at.is_(None))
        books.execute(first_told.where(_ROWS.number.in_(numbers)).values(told_at=now))
        rest = [number for number in numbers if number not in answered]
        books.execute(
            customer_choice.update()
            .where(_ROWS.number.in_(rest), _ROWS.state.in_(OPEN))
            .values(state=otherwise, next_try_at=now + ASK_AFTER)
        )


def _count_waiting(database: Database) -> int:
    count = sa.select(sa.func.count()).where(_ROWS.state == ChoiceState.WAITING)
    with database.reading() as books:
        return int(books.scalar(count) or 0)
