"""The close itself: bills become visible and balances move, at once and once (rules 1-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from database.audit import record_audit
from database.books import Database
from database.inserting import insert_new
from database.tables import account, balance_due, bill_run, period_close
from domain.accounts import AccountStatus
from domain.failures import Misuse, Refused
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


def _move_balances(connection: Connection, found: Row[tuple[str, RunState, object]]) -> None:
    """
    Let the amounts due of this period take the place of older ones (rule 2b).

    A balance that already stands for a later period stays: closing a forgotten older period
    must not bring an old amount back. The insert passes over it by the key of the table: asked
    whether it stands, PostgreSQL looked through all of them for each account where it had last
    counted none, and a large city took minutes.
    """
    run, _, ends_on = found
    billed = sa.and_(account.c.run == run, account.c.status != AccountStatus.CLOSED)
    later = sa.select(bill_run.c.run).where(bill_run.c.ends_on > ends_on)
    connection.execute(
        sa.delete(balance_due).where(
            balance_due.c.account_key.in_(sa.select(account.c.account_key).where(billed)),
            balance_due.c.run.not_in(later),
        )
    )
    moved = (
        sa.select(
            account.c.account_key,
            account.c.account,
            account.c.run,
            account.c.amount_due,
            sa.literal(ZERO, balance_due.c.paid.type),
            bill_run.c.due_on,
        )
        .join_from(account, bill_run, bill_run.c.run == account.c.run)
        .where(billed)
    )
    names = ["account_key", "account", "run", "amount_due", "paid", "due_on"]
    connection.execute(insert_new(connection.dialect.name, balance_due).from_select(names, moved))


def _sum_up(connection: Connection, run: str, already: bool) -> Published:
    """Count from the run's own rows: a later close moves the balances on."""
    query = sa.select(sa.func.count(), sa.func.sum(account.c.amount_due)).where(
        account.c.run == run, account.c.status != AccountStatus.CLOSED
    )
    accounts, amount = connection.execute(query).one()
    return Published(accounts, amount or ZERO, already)
