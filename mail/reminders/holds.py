"""Holds on past-due mails: for an account or a group, until a day, with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.account_changes import column_in_force
from database.queries.periods import newest_first
from database.tables import account, bill_run, reminder_hold
from domain.accounts import account_key
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
    return books.scalar(query.where(account.c.period == newest_export(), hold.of_the_group())) or 0


def has_value(column: str, value: str) -> sa.ColumnElement[bool]:
    """Compare as people mean it: flags by what they say, words whatever the case of letters."""
    found = column_in_force(account, column)
    if isinstance(found.type, sa.Boolean):
        if value.lower() not in _YES + _NO:
            raise Misuse(f"--where {column}={value}: write yes or no.")
        return found.is_(value.lower() in _YES)
    return sa.func.lower(sa.cast(found, sa.String)) == value.lower()


def newest_export() -> sa.ScalarSelect[str]:
    """Select the run of the newest export."""
    newest = bill_run.alias("newest")
    query = sa.select(newest.c.period).order_by(newest.c.ends_on.desc(), newest.c.period.desc())
    return query.limit(1).scalar_subquery()


GROUPS = ("city", "state", "zip", "status", "cosigner_id", "ebill", "send_paper", "direct_pay")
LONGEST = 200  # characters of a reason or a value


@dataclass(frozen=True, slots=True)
class HoldTarget:
    """Who is to be held: an account's number, or a column with its value."""

    account: str = ""
    column: str = ""
    value: str = ""


def place_hold(
    database: Database,
    wanted: HoldTarget,
    *,
    until: date,
    reason: str,
    now: datetime,
    today: date,
    who: str,
) -> Hold:
    """
    Keep past-due mails from an account or a group until the end of a local day; audited.

    Raises Misuse for an account or a group that no export has, for a day that is past, and
    without a reason.
    """
    _require_reason(reason)
    if until < today:
        raise Misuse(f"--until {until} is past; name the last day of the hold.", "until-past")
    with database.writing() as books:
        found = _of_account(books, wanted) if wanted.account else _of_group(books, wanted)
        placed = reminder_hold.insert().values(
            **found, until=until, reason=reason.strip(), placed_at=now, placed_by=who
        )
        number = books.execute(placed.returning(reminder_hold.c.number)).scalar_one()
        hold = _find(books, number)
        detail = f"hold {number} until {until}: {hold.reason}"
        record_audit(books, now, who, "hold reminders", hold.subject, detail)
    return hold


def lift_hold(
    database: Database, number: int, reason: str, *, now: datetime, today: date, who: str
) -> Hold:
    """End a hold before its day; what it kept back is caught up. Raises Misuse; audited."""
    _require_reason(reason)
    with database.writing() as books:
        hold = _find(books, number)
        if not hold.is_in_force(today):
            raise Misuse(f"Hold {number} is over already; see `billclose hold list`.", "hold-over")
        books.execute(
            reminder_hold.update()
            .where(reminder_hold.c.number == number)
            .values(lifted_at=now, lifted_by=who, lift_reason=reason.strip())
        )
        detail = f"hold {number}: {reason.strip()}"
        record_audit(books, now, who, "lift hold", hold.subject, detail)
    return hold


def _find(books: Connection, number: int) -> Hold:
    found = list_holds(books, reminder_hold.c.number == number)
    if not found:
        raise Misuse(f"There is no hold {number}; see `billclose hold list`.", "unknown-hold")
    return found[0]


def _of_account(books: Connection, wanted: HoldTarget) -> dict[str, Any]:
    """Take the account's number as the newest export that has it writes it."""
    key = account_key(wanted.account)
    query = (
        sa.select(account.c.account)
        .join(bill_run, bill_run.c.period == account.c.period)
        .where(account.c.account_key == key)
        .order_by(*newest_first())
    )
    number = books.scalar(query.limit(1))
    if number is None:
        raise Misuse(
            f"No period in the books has an account {wanted.account}; check its number.",
            "unknown-account",
        )
    return {"account_key": key, "account": number}


def _of_group(books: Connection, wanted: HoldTarget) -> dict[str, Any]:
    if wanted.column not in GROUPS:
        known = ", ".join(GROUPS)
        raise Misuse(f"--where {wanted.column}=…: write COLUMN=VALUE with one of {known}.")
    value = wanted.value.strip()
    belongs = has_value(wanted.column, value)
    query = sa.select(account.c.account_key).where(account.c.period == newest_export(), belongs)
    if len(value) > LONGEST or books.execute(query.limit(1)).first() is None:
        raise Misuse(
            f"No account of the newest export has {wanted.column}={value[:LONGEST]}; check it.",
            "unknown-group",
        )
    return {"column_name": wanted.column, "value": value}


def _require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > LONGEST:
        raise Misuse(f"--reason must be 1 to {LONGEST} characters: it is shown and audited.")
