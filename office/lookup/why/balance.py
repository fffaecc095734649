"""Each movement on the account, and what it does to the balance."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.corrections import correction
from database.ledger.tables import balance_entry
from database.queries.balances import read_open_balance
from database.tables import movement
from domain.ledger import ContainedBy, EntrySource
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic, say_day

CONTAINED = {
    ContainedBy.REFERENCE: "by its reference",
    ContainedBy.TIME: "for the billing system had it when it wrote the export",
    ContainedBy.AMOUNT: "by a line of its amount and day",
    ContainedBy.SPLIT: "as several lines",
    ContainedBy.MERGED: "in one line with others",
    ContainedBy.VOIDED: "with what took it back: neither is there",
    ContainedBy.AGREED: "for an agreed amount is asked whatever moved",
    ContainedBy.LATE: "as was told after the close",
    ContainedBy.DECIDED: "as a person decided",
}

BY = {
    EntrySource.FEED: "the billing system's word",
    EntrySource.DRAW: "autopay",
    EntrySource.CHECKOUT: "the customer's own payment",
    EntrySource.OFFICE: "the office",
    EntrySource.CORRECTION: "a bill that was made anew after its close",
}


def why_balance(case: Case) -> Sentences:
    """Say of each movement of the period whence it is, and what is owed now and why."""
    lines = sa.select(movement).where(
        movement.c.period == case.period, movement.c.account_key == case.account_key
    )
    for row in case.rows(lines.order_by(movement.c.posted_on, movement.c.line)):
        yield _of_a_line(case, row)
    taken_back = {row.entry_key for row in case.rows(_taken_back(case))}
    for row in case.rows(_entries(case)):
        yield _of_an_entry(case, row, taken_back)
    yield from _of_the_balance(case)


def _of_a_line(case: Case, row: Any) -> Sentence:
    for_what = " ".join(filter(None, (row.service, row.description and f"({row.description})")))
    text = (
        f"{say_day(row.posted_on)}: {row.kind} of {row.amount.dollars()}"
        f"{f', {for_what}' if for_what else ''}, as the export of {case.period} has it"
    )
    return Sentence(Topic.BALANCE, text, ("44",), f"movement/{row.period}/{row.line}")


def _entries(case: Case) -> sa.Select[Any]:
    """Select the entries that the period's export has, and for the newest those outstanding."""
    rows = balance_entry.c
    of_period = rows.in_export_of == case.period
    if case.is_newest:
        of_period = sa.or_(of_period, rows.in_export_of.is_(None))
    query = sa.select(balance_entry).where(rows.account_key == case.account_key, of_period)
    return query.order_by(rows.happened_on, rows.key)


def _taken_back(case: Case) -> sa.Select[Any]:
    """Select the entries of corrections that went with their bills when a close was undone."""
    rows = correction.c
    return sa.select(rows.entry_key).where(
        rows.account_key == case.account_key, rows.undone.is_not(None)
    )


def _of_an_entry(case: Case, row: Any, taken_back: set[str]) -> Sentence:
    what = f"{say_day(row.happened_on)}: {row.kind} of {row.amount.dollars()} by {BY[row.source]}"
    if not row.counts:
        text = f"{what}, which is shown and not in the balance due"
    elif row.key in taken_back:
        text = f"{what}, which went with its bill when the close was taken back"
    elif row.in_export_of is None:
        text = f"{what}, in the balance due since it was recorded {case.say_time(row.recorded_at)}"
    else:
        text = f"{what}, which the export of {row.in_export_of} contains {CONTAINED[row.how]}"
    return Sentence(Topic.BALANCE, text, ("39",), row.key)


def _of_the_balance(case: Case) -> Sentences:
    about = f"balance/{case.account_key}"
    if case.balance is None:
        text = "Nothing was ever moved to its balance due"
        yield Sentence(Topic.BALANCE, text, ("2", "40"), about)
        return
    if not case.is_newest:
        stands = case.balance.period
        text = (
            f"What it owes now stands {f'with the bill of {stands}' if stands else 'for no bill'}"
        )
        yield Sentence(Topic.BALANCE, text, ("38", "40"), about)
        return
    owed = read_open_balance(case.books, case.account_key)
    row = case.balance
    text = (
        f"{owed.dollars()} is owed now: {row.amount_due.dollars()} by the bill, "
        f"{row.added.dollars()} added and {row.paid.dollars()} paid since"
    )
    yield Sentence(Topic.BALANCE, text, ("38", "39", "40"), about)
