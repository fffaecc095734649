"""Why this bill: where its pages came from, its amount, and why it shows or does not."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.queries.bills import is_doubled
from database.queries.corrections import standing_corrections
from database.queries.outsorted import is_outsorted
from database.tables import bill, bulk_file, outsorted_bill
from domain.accounts import AccountStatus
from domain.money import Money
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic, say_day


def why_bill(case: Case) -> Sentences:
    """Say why the account has the bill that it has in the period, or none."""
    yield _of_the_close(case)
    bills = case.rows(_bills(case))
    if not bills:
        yield Sentence(Topic.BILL, _why_none(case), ("11", "12"))
    for row in bills:
        yield _of_the_pages(row)
        yield from _of_its_show(row)
    if case.account.status is not AccountStatus.CLOSED:
        yield _of_the_amount(case)
    yield from _of_holds(case)


def _of_the_close(case: Case) -> Sentence:
    period = case.bill_run
    about = f"close/{case.period}"
    if period.closed_at is None:
        text = (
            f"Period {case.period} is not closed (it is {period.state}): its bill does not show, "
            "its balance has not moved, nothing of it is mailed or drawn"
        )
        return Sentence(Topic.BILL, text, ("2", "3", "4"), about)
    text = (
        f"Period {case.period} was closed {case.say_time(period.closed_at)} by {period.closed_by}: "
        f"since then its bills show and its amounts are due on {say_day(period.due_on)}"
    )
    return Sentence(Topic.BILL, text, ("2", "3", "4"), about)


def _bills(case: Case) -> sa.Select[Any]:
    of_file = sa.and_(bulk_file.c.period == bill.c.period, bulk_file.c.bulk == bill.c.bulk)
    return (
        sa.select(bill, bulk_file.c.file, is_doubled().label("is_doubled"))
        .outerjoin(bulk_file, of_file)
        .where(bill.c.period == case.period, bill.c.account_key == case.account_key)
        .order_by(bill.c.form, bill.c.ordinal)
    )


def _why_none(case: Case) -> str:
    if case.account.status is AccountStatus.CLOSED:
        return "The account is closed, so that it has no bill"
    return (
        "No page of the period's bulk files names the account, so that there is no bill to see, "
        "mail or print"
    )


def _of_the_pages(row: Any) -> Sentence:
    if row.file is None:  # of a correction that went with its close
        text = f"The {row.form} is split anew when the period is closed again"
        return Sentence(Topic.BILL, text, ("11",), row.pdf)
    first, last = row.first_page + 1, row.first_page + row.pages  # people count from one
    where = f"page {last}" if row.pages == 1 else f"pages {first} to {last}"
    text = f"The {row.form} is {where} of {row.file}, because the pages name account {row.account}"
    return Sentence(Topic.BILL, text, ("11",), row.pdf)


def _of_its_show(row: Any) -> Sentences:
    if row.is_doubled:
        text = (
            f"It does not show: the file has two of the form {row.form} for the account, and a "
            "person must say which counts"
        )
        yield Sentence(Topic.BILL, text, ("13",), row.pdf)
    if row.lacks:
        yield Sentence(Topic.BILL, f"It is not whole: {row.lacks}".rstrip("."), ("11",), row.pdf)


def _of_the_amount(case: Case) -> Sentence:
    """Say what the amount due is made of, and what of it a correction made."""
    row = case.account
    moved = row.closing_balance - row.opening_balance
    corrected = _corrected_amount(case)
    is_due = f"{row.amount_due.dollars()} {'is' if corrected is None else 'was'} due"
    since = "" if corrected is None else f"; since it was corrected {corrected.dollars()} is due"
    about = f"amount/{case.period}"
    if row.equal_pay_amount is not None and row.status is AccountStatus.ACTIVE:
        text = (
            f"{is_due}: the agreed equal-pay amount, whatever the balance is (it is "
            f"{row.closing_balance.dollars()}){since}"
        )
        return Sentence(Topic.BILL, text, ("41",), about)
    text = (
        f"{is_due}: {row.opening_balance.dollars()} stood before, and the period's movements are "
        f"{moved.dollars()}{since}"
    )
    return Sentence(Topic.BILL, text, ("38", "41"), about)


def _corrected_amount(case: Case) -> Money | None:
    """Return what the bill asks for since it was made anew; None: no correction stands."""
    stands = standing_corrections()
    found: Money | None = case.books.scalar(
        sa.select(stands.c.amount_due).where(
            stands.c.period == case.period, stands.c.account_key == case.account_key
        )
    )
    return found


def is_held_back(case: Case) -> bool:
    """Tell whether the account's bill of the period is held back now."""
    held = is_outsorted(case.period, sa.literal(case.account_key))
    return bool(case.books.scalar(sa.select(held)))


def _of_holds(case: Case) -> Sentences:
    """Say who or what held the bill back, and who let it go (contract 7)."""
    held = outsorted_bill.c
    query = sa.select(outsorted_bill).where(
        held.period == case.period, held.account_key == case.account_key
    )
    for row in case.rows(query.order_by(held.number)):
        by = f"the waived check {row.check_name}" if row.check_name else row.outsorted_by
        text = f"The bill was held back {case.say_time(row.outsorted_at)} by {by}: {row.reason}; "
        if row.released_at is None:
            text += "until it is released nothing of it shows, moves, is mailed, printed or drawn"
        else:
            due = f", due {say_day(row.due_on)}" if row.due_on is not None else ""
            why = f" ({row.release_reason})" if row.release_reason else ""
            text += f"{row.released_by} released it {case.say_time(row.released_at)}{why}{due}"
        yield Sentence(Topic.BILL, text, (), f"outsorted/{row.number}")
