"""What becomes of payment arrangements every night: paid, broken, or in force again."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.arrangements import arrangement
from database.ledger.locking import lock_balances
from database.queries.arrangements.reading import read_plans
from database.queries.balances import read_on_its_way
from database.tables import balance_due
from domain.arrangements import ARRANGEMENT, Arrangement, ArrangementState, PlanStanding
from domain.money import ZERO
from payments.arrangements.making import standing_now

WATCHED_FOR = timedelta(days=120)  # a bank may take back so long after a plan was paid
_PLAN = arrangement.c


@dataclass(slots=True)
class SettleCounts:
    """What became of plans, by account; `waiting`: a payment is on its way, and nothing is said."""

    kept: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    in_force_again: list[str] = field(default_factory=list)
    waiting: int = 0

    @property
    def changed(self) -> int:
        return len(self.kept) + len(self.broken) + len(self.in_force_again)


def settle_arrangements(
    database: Database,
    now: datetime,
    who: str,
    left_out: Container[str | None] = (),
    *,
    records: bool = True,
) -> SettleCounts:
    """
    Bring every plan to where the ledger has it; once, however often it is done.

    Each plan is a transaction of its own, decided anew under the lock of its balance: after a kill
    the next night goes on, and two at once do it once. A plan is not broken while a payment of the
    account is on its way (ruling 14), nor by balances that are too old to dun by (`left_out`, the
    periods of such). One that was paid is in force again where the bank took that back.
    """
    counts = SettleCounts()
    with database.reading() as books:
        watched = read_plans(books, _is_watched(now))
        events = {plan.number: _event(books, plan, now, left_out)[0] for plan in watched}
    for plan in watched:
        if events[plan.number] == "on its way":
            counts.waiting += 1
        elif events[plan.number] and (not records or _settle(database, plan, now, who, left_out)):
            _LISTS[events[plan.number]](counts).append(plan.account)
    return counts


_LISTS = {
    "paid": lambda counts: counts.kept,
    "missed": lambda counts: counts.broken,
    "came back": lambda counts: counts.in_force_again,
}


def _is_watched(now: datetime) -> sa.ColumnElement[bool]:
    later = arrangement.alias("later")
    was_kept = sa.and_(
        _PLAN.state == ArrangementState.KEPT,
        _PLAN.ended_at > now - WATCHED_FOR,
        ~sa.exists().where(later.c.account_key == _PLAN.account_key, later.c.number > _PLAN.number),
    )
    return sa.or_(_PLAN.state == ArrangementState.IN_FORCE, was_kept)


def _settle(
    database: Database, plan: Arrangement, now: datetime, who: str, left_out: Container[str | None]
) -> bool:
    """Decide again with the balance locked, and write it down; no where it was done meanwhile."""
    with database.writing() as books:
        lock_balances(books, [plan.account_key])
        found = read_plans(books, _PLAN.number == plan.number, _is_watched(now))
        if not found:
            return False  # it has ended, or another plan stands in its place
        current = found[0]
        event, standing = _event(books, current, now, left_out)
        if event not in _LISTS:
            return False
        is_over = event != "came back"
        why = _say(event, standing)
        moved = books.execute(
            arrangement.update()
            .where(_PLAN.number == plan.number, _PLAN.state == current.state)
            .values(
                state=ARRANGEMENT.after(current.state, event),
                ended_at=now if is_over else None,
                ended_by=who if is_over else "",
                end_reason=why if is_over else "",
                paid_at_end=standing.paid if event == "paid" else None,
            )
        )
        if moved.rowcount != 1:
            raise ValueError(f"the plan {plan.number} is no longer {current.state}")
        detail = f"plan {plan.number} of {plan.amount}: {why}"
        record_audit(books, now, who, f"arrangement {event}", plan.account, detail)
        return True


def _event(
    books: Connection, plan: Arrangement, now: datetime, left_out: Container[str | None]
) -> tuple[str, PlanStanding]:
    """Say what the ledger makes of a plan that is watched: an event of its states, or nothing."""
    standing = standing_now(books, plan, now)
    if plan.state is ArrangementState.KEPT:
        has_less = plan.paid_at_end is not None and standing.paid < plan.paid_at_end
        return ("came back" if has_less and not standing.is_paid else "", standing)
    if standing.is_paid:
        return "paid", standing
    if standing.missing <= ZERO or _stands_with(books, plan.account_key) in left_out:
        return "", standing
    is_on_its_way = read_on_its_way(books, plan.account_key) > ZERO
    return ("on its way" if is_on_its_way else "missed"), standing


def _stands_with(books: Connection, account_key: str) -> str | None:
    found: str | None = books.scalar(
        sa.select(balance_due.c.period).where(balance_due.c.account_key == account_key)
    )
    return found


def _say(event: str, standing: PlanStanding) -> str:
    if event == "missed":
        first = next(one for one in standing.installments if one.open > ZERO)
        missing = standing.missing.dollars()
        return f"{missing} is missing; the first unpaid installment was due on {first.due_on}"
    if event == "came back":
        return f"{standing.left.dollars()} of it came back from the bank"
    return (
        f"{standing.paid.dollars()} paid" if standing.left <= ZERO else "nothing is owed any more"
    )
