"""Sentences that say why, and the account and period that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.account_changes import column_in_force
from database.queries.periods import newest_once_closed, unknown_period
from database.tables import account, account_search, balance_due, bill_run, period_close
from domain.failures import Misuse
from office.equipment.office import Office


class Topic(StrEnum):
    BILL = "bill"
    DELIVERY = "delivery"
    AUTOPAY = "autopay"
    PAYMENT = "payment"
    REMINDER = "reminder"
    BALANCE = "balance"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class Sentence:
    """
    One event, or one thing that did not happen, and why.

    `rules` name the rule book (`54`, `ruling 3`), `about` the row that it is about: the key of a
    mail, a payment, an entry; empty for what did not happen.
    """

    topic: Topic
    text: str
    rules: tuple[str, ...] = ()
    about: str = ""

    @property
    def with_rules(self) -> str:
        if not self.rules:
            return self.text
        plain = [one for one in self.rules if one.isdigit()]
        named = [f"rule{'s' * (len(plain) > 1)} {', '.join(plain)}"] if plain else []
        named += [one for one in self.rules if not one.isdigit()]
        return f"{self.text} ({'; '.join(named)})"


Sentences = Iterator[Sentence]


@dataclass(frozen=True)
class Case:
    """An account in a period, as the books have both; `now` decides what is owed by now."""

    office: Office
    books: Connection
    account_key: str
    account: Any  # its row in the period
    bill_run: Any  # the period's row, with closed_at and closed_by
    balance: Any  # its row of balance_due; None where nothing was ever billed
    now: datetime

    @property
    def period(self) -> str:
        return str(self.bill_run.period)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.bill_run.timezone)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def is_newest(self) -> bool:
        """Tell whether the balance that stands is this period's."""
        return self.balance is not None and self.balance.period == self.period

    def say_time(self, moment: datetime | None) -> str:
        """Write a moment as the office's clock showed it."""
        if moment is None:
            return "some time"
        local = moment.astimezone(self.zone)
        return f"{say_day(local.date())} at {local:%H:%M}"

    def rows(self, query: sa.Select[Any]) -> list[Any]:
        return list(self.books.execute(query).all())


def say_day(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


_FACTS = (
    *(
        column_in_force(account, column.name).label(column.name)
        for column in account.c
        if column.name != "status"
    ),
    account.c.status,  # the export's: what it billed stays billed
    account.c.ebill.label("exported_ebill"),
)


def newest_period_of(books: Connection, key: str) -> str | None:
    """Return an account's newest closed period, else its newest whose close was taken back."""
    closed = sa.select(account_search.c.period).where(account_search.c.account_key == key)
    found: str | None = books.scalar(closed) or books.scalar(newest_once_closed(key))
    return found


def has_account(books: Connection, key: str, period: str) -> bool:
    """Tell whether a period's export has the account, closed or not."""
    query = sa.select(account.c.account).where(
        account.c.period == period, account.c.account_key == key
    )
    return books.execute(query).first() is not None


def open_case(office: Office, books: Connection, key: str, period: str | None) -> Case:
    """
    Read an account in a period, in its newest closed one if none is named; raises Misuse.

    Where none is closed any more it is the newest that was: its draws and mails stand.
    """
    chosen = period or newest_period_of(books, key)
    of_period = (
        sa.select(bill_run, period_close.c.closed_at, period_close.c.closed_by)
        .outerjoin(period_close, period_close.c.period == bill_run.c.period)
        .where(bill_run.c.period == chosen)
    )
    its_period = books.execute(of_period).first()
    if its_period is None:
        raise unknown_period(books, str(chosen))
    found = books.execute(
        sa.select(*_FACTS).where(account.c.period == chosen, account.c.account_key == key)
    ).first()
    if found is None:
        raise Misuse(f"The export of {chosen} has no such account.", "unknown-account")
    balance = sa.select(balance_due).where(balance_due.c.account_key == key)
    now = office.due_now()
    return Case(office, books, key, found, its_period, books.execute(balance).first(), now)
