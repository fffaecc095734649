"""The close itself: bills become visible and balances move, at once and once (rules 1-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from database.audit import record_audit
from database.books import Database
from database.inserting import insert_new
from database.ledger.entries import NOTHING, outstanding_sums
from database.ledger.locking import lock_all_balances
from database.ledger.tables import balance_entry
from database.tables import account, balance_due, bill_run, period_close
from domain.accounts import AccountStatus
from domain.failures import Misuse, Refused
from domain.ledger import ContainedBy
from domain.money import ZERO, Money
from domain.runs import RUN, RunState


@dataclass(frozen=True, slots=True)
class Published:
    """What the close moved to Balance Due; `already` says that it had been done before."""

    accounts: int
    amount: Money
    already: bool


def publish(database: Database, run: str, *, now: datetime, who: str) -> Published:
    """
    Close the period of an approved run (rules 2-4): the row in period_close is the close.

    Everything that may only happen after the close refers to that row, so it cannot happen
    before. Published again, a run stays as it is. Raises Refused (`not-approved`) before a
    person's yes, Misuse for a run that was never imported.
    """
    with database.writing() as connection:
        found = _lock(connection, run)
        already = _is_closed(connection, run)
        if not already:
            if found.state is not RunState.APPROVED:
                raise Refused(
                    "not-approved",
                    f"Period {run} is {found.state}, not approved; approve it before it is closed.",
                )
            _close(connection, run, now, who)
            _move_balances(connection, found)
        published = _sum_up(connection, run, already)
        if not already:
            detail = f"{published.accounts} accounts, {published.amount.dollars()}"
            record_audit(connection, now, who, "close", run, detail)
    return published


def _lock(connection: Connection, run: str) -> Row[tuple[str, RunState, object]]:
    """Read the run and keep others from importing or closing it meanwhile."""
    columns = (bill_run.c.run, bill_run.c.state, bill_run.c.ends_on)
    query = sa.select(*columns).where(bill_run.c.run == run).with_for_update()
    found = connection.execute(query).one_or_none()
    if found is None:
        raise Misuse(f"There is no period {run}; import its billing export first.")
    return found


def _is_closed(connection: Connection, run: str) -> bool:
    query = sa.select(period_close.c.run).where(period_close.c.run == run)
    return connection.execute(query).first() is not None


def _close(connection: Connection, run: str, now: datetime, who: str) -> None:
    connection.execute(period_close.insert().values(run=run, closed_at=now, closed_by=who))
    after = RUN.after(RunState.APPROVED, "published")
    connection.execute(sa.update(bill_run).where(bill_run.c.run == run).values(state=after))


def _move_balances(books: Connection, found: Any) -> None:
    """
    Let the amounts due of this period take the place of older ones (rule 2b).

    Rows are changed where they stand and never deleted: whoever waits for a row that is made anew
    finds none, and a payment would be lost. A balance that already stands for a later period
    stays: closing a forgotten older period must not bring an old amount back.
    """
    lock_all_balances(books)
    billed = sa.select(account.c.account_key).where(
        account.c.run == found.run, account.c.status != AccountStatus.CLOSED
    )
    later = sa.select(bill_run.c.run).where(bill_run.c.ends_on > found.ends_on)
    mine = sa.and_(
        balance_due.c.account_key.in_(billed),
        sa.or_(balance_due.c.run.is_(None), balance_due.c.run.not_in(later)),
    )
    moving = sa.select(balance_due.c.account_key).where(mine)
    _contain(books, found.run, moving)
    _change(books, found.run, moving)
    _make(books, found.run)


def _contain(books: Connection, run: str, moving: sa.Select[Any]) -> None:
    entry = balance_entry.c
    books.execute(
        balance_entry.update()
        .where(entry.in_export_of.is_(None), entry.account_key.in_(moving))
        .values(in_export_of=run, how=ContainedBy.TIME)
    )


def _change(books: Connection, run: str, moving: sa.Select[Any]) -> None:
    new = _new_balances(run).where(account.c.account_key.in_(moving)).subquery("new")
    books.execute(
        balance_due.update()
        .where(balance_due.c.account_key == new.c.account_key)
        .values({name: new.c[name] for name in BALANCE})
    )


def _make(books: Connection, run: str) -> None:
    """Make the rows of accounts that had none. Whoever stands already is passed over by its key."""
    new = _new_balances(run).where(account.c.status != AccountStatus.CLOSED)
    names = ["account_key", *BALANCE]
    books.execute(insert_new(books.dialect.name, balance_due).from_select(names, new))


BALANCE = ("account", "run", "amount_due", "added", "paid", "due_on", "equal_pay")


def _new_balances(run: str) -> sa.Select[Any]:
    """Select the balances that a run's accounts get, with what is outstanding over them."""
    sums = outstanding_sums().subquery("sums")
    is_agreed = sa.and_(
        account.c.status == AccountStatus.ACTIVE, account.c.equal_pay_amount.is_not(None)
    )
    return (
        sa.select(
            account.c.account_key,
            account.c.account,
            account.c.run,
            account.c.amount_due,
            sa.func.coalesce(sums.c.added, NOTHING).label("added"),
            sa.func.coalesce(sums.c.paid, NOTHING).label("paid"),
            bill_run.c.due_on,
            is_agreed.label("equal_pay"),
        )
        .join_from(account, bill_run, bill_run.c.run == account.c.run)
        .outerjoin(sums, sums.c.account_key == account.c.account_key)
        .where(account.c.run == run)
    )


def _sum_up(connection: Connection, run: str, already: bool) -> Published:
    """Count from the run's own rows: a later close moves the balances on."""
    query = sa.select(sa.func.count(), sa.func.sum(account.c.amount_due)).where(
        account.c.run == run, account.c.status != AccountStatus.CLOSED
    )
    accounts, amount = connection.execute(query).one()
    return Published(accounts, amount or ZERO, already)
