"""A closed bill as it stands now, and what keeps it from being corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.corrections import correction
from database.queries.outsorted import due_on_of, outsorted_accounts
from database.queries.periods import is_period_closed, require_account, require_period
from database.tables import balance_due, bill, outsorted_bill
from domain.accounts import AccountStatus
from domain.failures import Refused
from domain.money import Money
from domain.runs import RunState

_CORRECTION = correction.c


@dataclass(frozen=True, slots=True)
class ClosedBill:
    """One account's bill of a closed period: what is asked for now, and its document."""

    period: str
    account_key: str
    account: str
    form: str
    edition: int
    ordinal: int
    amount_due: Money
    due_on: date
    pdf: str
    sha256: str
    pages: int
    sure_until: datetime


def read_closed_bill(
    books: Connection, period: str, key: str, number: str, form: str | None = None
) -> ClosedBill:
    """
    Return the bill that a correction would replace, of one form or the only one there is.

    Raises Misuse for an unknown period or account, Refused where the period is not closed or its
    close has not ended, where the account's newest bill is of a later period, and where there is
    not just one bill to replace.
    """
    run = _require_closed(books, period)
    owner = require_account(books, period, number)
    _require_newest(books, period, key, owner)
    row = _find_bill(books, period, key, owner.account, form)
    newest = newest_correction(books, period, key)
    return ClosedBill(
        period=period,
        account_key=key,
        account=owner.account,
        form=row.form,
        edition=row.edition,
        ordinal=row.ordinal,
        amount_due=owner.amount_due if newest is None else newest.amount_due,
        due_on=newest.due_on if newest is not None else _due_on(books, period, key, run.due_on),
        pdf=row.pdf,
        sha256=row.sha256,
        pages=row.pages,
        sure_until=run.sure_until,
    )


def _due_on(books: Connection, period: str, key: str, of_period: date) -> date:
    """Return the due date that the bill got when it was released, else the period's."""
    own = due_on_of(period, sa.literal(key), sa.literal(of_period, sa.Date()))
    found: date = books.execute(sa.select(own)).scalar_one()
    return found


def newest_correction(books: Connection, period: str, key: str) -> Any:
    """Return the correction of a bill that stands, None where it is as it was closed."""
    return books.execute(
        sa.select(correction)
        .where(
            _CORRECTION.period == period,
            _CORRECTION.account_key == key,
            _CORRECTION.undone.is_(None),
        )
        .order_by(_CORRECTION.number.desc())
        .limit(1)
    ).first()


def _require_closed(books: Connection, period: str) -> Any:
    run = require_period(books, period)
    if not is_period_closed(books, period):
        raise Refused(
            "period-open",
            f"Period {period} is not closed: correct its export in the billing system and close "
            "that; nothing was changed.",
        )
    if run.state is not RunState.FINISHED:
        raise Refused(
            "close-unfinished",
            f"The close of {period} has not ended; run `billclose close {period}` until it has, "
            "then correct the bill. Nothing was changed.",
        )
    return run


def _require_newest(books: Connection, period: str, key: str, owner: Any) -> None:
    if owner.status is AccountStatus.CLOSED:
        raise Refused(
            "account-closed",
            f"Account {owner.account} was closed in {period} and got no bill; nothing was changed.",
        )
    is_held = outsorted_accounts(period).where(outsorted_bill.c.account_key == key)
    if books.execute(is_held).first() is not None:
        raise Refused(
            "bill-outsorted",
            f"The bill of account {owner.account} in {period} is held back; release it first "
            f"(`billclose release {owner.account} --period {period}`), then correct it. Nothing "
            "was changed.",
        )
    stands = books.scalar(sa.select(balance_due.c.period).where(balance_due.c.account_key == key))
    if stands != period:
        raise Refused(
            "later-bill",
            f"The newest bill of account {owner.account} is of {stands}, which holds what was "
            f"owed for {period}; correct that one. Nothing was changed.",
        )


def _find_bill(books: Connection, period: str, key: str, number: str, form: str | None) -> Any:
    query = sa.select(bill).where(bill.c.period == period, bill.c.account_key == key)
    if form is not None:
        query = query.where(bill.c.form == form)
    found = books.execute(query.order_by(bill.c.form, bill.c.ordinal)).all()
    if form is not None and len(found) != 1:
        what = "no bill" if not found else f"{len(found)} bills"
        raise Refused(
            "no-such-bill",
            f"Account {number} has {what} of the form {form} in {period}: nothing to replace. "
            "Nothing was changed.",
        )
    if not found:
        raise Refused(
            "no-such-bill",
            f"Account {number} has no bill in {period}: nothing to replace. Nothing was changed.",
        )
    return found[0]
