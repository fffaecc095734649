"""Whether an export belongs here: of this utility, and of days that were not closed already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account, bill_run, period_close
from domain.accounts import AccountStatus
from domain.failures import Refused
from domain.periods import FINAL_CYCLE, Utility
from domain.words import say_count

NAMED = 3  # accounts that a sentence names


def require_own_utility(books: Connection, utility: Utility, period: str, named: str) -> None:
    """
    Raise Refused (`other-utility`) for an export of another name or time zone than the home's.

    `named` is the setting `utility.name`, which has the last word; where it is empty the home
    belongs to the utility whose export came before. Two utilities may well give out the same
    account numbers: the balances and payments of one would become the other's.
    """
    if named:
        if _is_same(utility.name, named):
            return
        raise Refused(
            "other-utility",
            f"The export is of {utility.name}, and this home belongs to {named} (setting "
            "utility.name); give each utility a home of its own.",
        )
    query = (
        sa.select(bill_run.c.utility, bill_run.c.timezone, bill_run.c.period)
        .where(bill_run.c.period != period)
        .order_by(bill_run.c.imported_at.desc(), bill_run.c.period.desc())
        .limit(1)
    )
    before = books.execute(query).one_or_none()
    if before is None:
        return
    if _is_same(utility.name, before.utility) and utility.timezone == before.timezone:
        return
    raise Refused(
        "other-utility",
        f"The export is of {utility.name} ({utility.timezone}), and this home belongs to "
        f"{before.utility} ({before.timezone}, period {before.period}); give each utility a home "
        f'of its own. If it is the same under a new name, set utility.name = "{utility.name}".',
    )


def require_no_overlap(books: Connection, period: str) -> None:
    """
    Raise Refused (`overlap`) where its days were closed before for its accounts (ruling 22).

    The same month under another id would bill, mail and draw everybody again. Periods of other
    accounts (cycles) may overlap, and so may final bills in a period of their own; for anything
    else a person gives a reason, which is kept with the period.
    """
    this = books.execute(sa.select(bill_run).where(bill_run.c.period == period)).one()
    if this.cycle == FINAL_CYCLE or this.overlaps is not None:
        return
    ours, theirs = account.alias("ours"), account.alias("theirs")
    query = (
        sa.select(bill_run.c.period, bill_run.c.starts_on, bill_run.c.ends_on, ours.c.account)
        .join(period_close, period_close.c.period == bill_run.c.period)
        .join(theirs, theirs.c.period == bill_run.c.period)
        .join(ours, sa.and_(ours.c.period == period, ours.c.account_key == theirs.c.account_key))
        .where(
            bill_run.c.period != period,
            bill_run.c.starts_on <= this.ends_on,
            bill_run.c.ends_on >= this.starts_on,
            bill_run.c.cycle != FINAL_CYCLE,
            ours.c.status != AccountStatus.CLOSED,
            theirs.c.status != AccountStatus.CLOSED,
        )
        .order_by(bill_run.c.ends_on.desc(), bill_run.c.period, ours.c.account_key)
    )
    rows = books.execute(query).all()
    if rows:
        raise _overlap(period, this, rows)


def _overlap(period: str, this: Any, rows: Sequence[Any]) -> Refused:
    closed = rows[0]
    accounts = list(dict.fromkeys(row.account for row in rows))
    named = ", ".join(accounts[:NAMED]) + (", …" if len(accounts) > NAMED else "")
    return Refused(
        "overlap",
        f"Period {period} ({this.starts_on} to {this.ends_on}) overlaps period {closed.period} "
        f"({closed.starts_on} to {closed.ends_on}), which is closed, for "
        f"{say_count(len(accounts), 'account')} ({named}): they would be billed, mailed and drawn "
        "for the same days again. If it is a correction, correct it in the next period; if it is "
        'meant, say why: --overlaps "REASON".',
    )


def _is_same(one: str, other: str) -> bool:
    """Compare names as people do: spaces and letters' case do not count."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
