"""Placing and lifting holds on past-due mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from database.tables import account, bill_run, reminder_hold
from domain.accounts import account_key
from domain.failures import Misuse
from mail.holds import Hold, has_value, list_holds, newest_export

GROUPS = ("city", "state", "zip", "status", "cosigner_id", "ebill", "send_paper", "direct_pay")
LONGEST = 200  # characters of a reason or a value


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to be held: an account's number, or a column with its value."""

    account: str = ""
    column: str = ""
    value: str = ""


def place_hold(
    database: Database,
    wanted: Wanted,
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


def _of_account(books: Connection, wanted: Wanted) -> dict[str, Any]:
    """Take the account's number as the newest export that has it writes it."""
    key = account_key(wanted.account)
    query = (
        sa.select(account.c.account)
        .join(bill_run, bill_run.c.run == account.c.run)
        .where(account.c.account_key == key)
        .order_by(bill_run.c.ends_on.desc())
    )
    number = books.scalar(query.limit(1))
    if number is None:
        raise Misuse(
            f"No period in the books has an account {wanted.account}; check its number.",
            "unknown-account",
        )
    return {"account_key": key, "account": number}


def _of_group(books: Connection, wanted: Wanted) -> dict[str, Any]:
    if wanted.column not in GROUPS:
        known = ", ".join(GROUPS)
        raise Misuse(f"--where {wanted.column}=…: write COLUMN=VALUE with one of {known}.")
    value = wanted.value.strip()
    belongs = has_value(wanted.column, value)
    query = sa.select(account.c.account_key).where(account.c.run == newest_export(), belongs)
    if len(value) > LONGEST or books.execute(query.limit(1)).first() is None:
        raise Misuse(
            f"No account of the newest export has {wanted.column}={value[:LONGEST]}; check it.",
            "unknown-group",
        )
    return {"column_name": wanted.column, "value": value}


def _require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > LONGEST:
        raise Misuse(f"--reason must be 1 to {LONGEST} characters: it is shown and audited.")
