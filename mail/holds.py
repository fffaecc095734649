"""Holds on past-due mails: for an account or a group, until a day, with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account, bill_run, reminder_hold
from domain.failures import Misuse

_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold; it is of an account, or of all accounts with a value in a column."""

    number: int
    account_key: str | None
    account: str | None
    column_name: str | None
    value: str | None
    until: date  # the last local day that it holds
    reason: str
    placed_at: datetime = field(compare=False)
    placed_by: str = field(compare=False)
    lifted_at: datetime | None = field(compare=False)

    @property
    def subject(self) -> str:
        """Name who is held, as the office typed it."""
        return self.account or f"{self.column_name}={self.value}"

    def is_in_force(self, today: date) -> bool:
        return self.lifted_at is None and today <= self.until

    def of_the_group(self) -> sa.ColumnElement[bool]:
        """Make the claim that a row of `account` belongs to the group."""
        assert self.column_name is not None
        assert self.value is not None
        return has_value(self.column_name, self.value)


def list_holds(books: Connection, *conditions: sa.ColumnElement[bool]) -> list[Hold]:
    """Return the holds, the oldest first, those that are over too."""
    columns = [reminder_hold.c[name] for name in Hold.__dataclass_fields__]
    query = sa.select(*columns).where(*conditions).order_by(reminder_hold.c.number)
    return [Hold(*row) for row in books.execute(query)]


def holds_in_force(books: Connection, today: date) -> tuple[Hold, ...]:
    """Return the holds that hold on a local day."""
    return tuple(
        list_holds(books, reminder_hold.c.lifted_at.is_(None), reminder_hold.c.until >= today)
    )


def count_held(books: Connection, hold: Hold) -> int:
    """Count the accounts of the newest export that a hold is about."""
    if hold.column_name is None:
        return 1
    query = sa.select(sa.func.count()).select_from(account)
    return books.scalar(query.where(account.c.run == newest_export(), hold.of_the_group())) or 0


def has_value(column: str, value: str) -> sa.ColumnElement[bool]:
    """Compare as people mean it: flags by what they say, words whatever the case of letters."""
    found = account.c[column]
    if isinstance(found.type, sa.Boolean):
        if value.lower() not in _YES + _NO:
            raise Misuse(f"--where {column}={value}: write yes or no.")
        return found.is_(value.lower() in _YES)
    return sa.func.lower(sa.cast(found, sa.String)) == value.lower()


def newest_export() -> sa.ScalarSelect[str]:
    """Select the run of the newest export."""
    newest = bill_run.alias("newest")
    query = sa.select(newest.c.run).order_by(newest.c.ends_on.desc(), newest.c.run.desc())
    return query.limit(1).scalar_subquery()
