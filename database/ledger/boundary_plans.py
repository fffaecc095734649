"""What a check or a dry run finds at the boundary of a staged export, kept for who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from database.books import Database, insert_rows
from database.ledger.entries import NOTHING
from database.ledger.matching import (
    AccountMatch,
    StagedPeriod,
    agreed_accounts,
    match_period,
    read_staged,
)
from database.ledger.tables import balance_entry, boundary_finding, entry_plan
from database.types import Cents
from domain.money import Money
from rules.money.export_boundary import Outstanding, Uncontained, why_uncontained

_ENTRY = balance_entry.c
NOT_IN_EXPORT = "payments-not-in-export"
BOOKED_OTHERWISE = "booked-otherwise"


def plan_boundary(database: Database, period: str, posting_days: int) -> None:
    """
    Work out what a staged period's export contains of our entries, and write it down.

    Planning again replaces it. The close decides anew under its lock: minutes lie between.
    """
    with database.writing() as books:
        for table in (entry_plan, boundary_finding):
            books.execute(table.delete().where(table.c.period == period))
        staged = read_staged(books, period, posting_days)
        found = list(match_period(books, staged))
        plans = (
            (period, entry.key, one.matched.contained.get(entry.key))
            for one in found
            for entry in one.entries
        )
        insert_rows(books, entry_plan, ["period", "entry_key", "how"], plans)
        rows = (row for one in found for row in _findings(staged, one))
        numbered = ((period, line, *row) for line, row in enumerate(rows, start=1))
        insert_rows(books, boundary_finding, _COLUMNS, numbered)


_COLUMNS = (
    "period", "line", "code", "account_key", "happened_on", "amount", "booked", "reference",
    "reason", "blocks",
)  # fmt: skip


def _findings(staged: StagedPeriod, one: AccountMatch) -> Iterator[tuple[Any, ...]]:
    for entry in one.carried:
        if entry.payment_key:  # the feed has none
            why = why_uncontained(entry, staged.bounds)
            yield _row(NOT_IN_EXPORT, one, entry, None, why, _is_overdue(staged, entry, why))
    for entry in one.entries:
        if (booked := one.matched.booked_otherwise.get(entry.key)) is not None:
            yield _row(BOOKED_OTHERWISE, one, entry, booked, "", False)


def _is_overdue(staged: StagedPeriod, entry: Outstanding, why: Uncontained) -> bool:
    """
    Claim that the billing system ought to have had it by then.

    What is not posted yet is ours to post, and what was taken after the export was written cannot
    be there.
    """
    if why not in (Uncontained.NO_LINE, Uncontained.POSTED_AFTER):
        return False
    written_on = staged.bounds.sure_until.astimezone(ZoneInfo(staged.timezone)).date()
    return entry.day < written_on - timedelta(days=staged.bounds.posting_days)


def _row(
    code: str,
    one: AccountMatch,
    entry: Outstanding,
    booked: Money | None,
    reason: str,
    blocks: bool,
) -> tuple[Any, ...]:
    where = (code, one.account_key, entry.day)
    return (*where, entry.amount, booked, entry.confirmation, reason, blocks)


def carried_by_plan(period: str | sa.BindParameter[str]) -> sa.Select[Any]:
    """
    Select what a plan carries over to each account of a period that is not closed (`carried`).

    Nothing is carried to an agreed amount.
    """
    planned = sa.select(entry_plan.c.entry_key).where(
        entry_plan.c.period == period, entry_plan.c.how.is_(None)
    )
    total = sa.func.coalesce(sa.func.sum(_ENTRY.amount, type_=Cents()), NOTHING)
    return (
        sa.select(_ENTRY.account_key, sa.type_coerce(total, Cents()).label("carried"))
        .where(_ENTRY.key.in_(planned), _ENTRY.account_key.not_in(agreed_accounts(period)))
        .group_by(_ENTRY.account_key)
    )
