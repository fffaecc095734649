"""What customers chose with us and the billing system has to know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.feed.tables import customer_choice
from domain.accounts import account_key
from domain.feeds import NO, YES, ChangeField, ChoiceState

AUTOPAY = "autopay"  # beside the fields of accounts: whether the office draws by itself
_ROWS = customer_choice.c


def record_choice(
    books: Connection, account: str, values: Mapping[str, str], *, now: datetime, by: str
) -> None:
    """
    Record what a customer chose, in the transaction that carries it out with us.

    `values` are fields of an account (domain.feeds.ChangeField) or `autopay`; flags are `yes` and
    `no`. An earlier choice of the same field that was not told yet is not told any more.
    """
    key = account_key(account)
    for name, value in values.items():
        books.execute(
            customer_choice.delete().where(
                _ROWS.account_key == key,
                _ROWS.field == name,
                _ROWS.state == ChoiceState.WAITING,
                _ROWS.attempts == 0,
            )
        )
        books.execute(
            customer_choice.insert().values(
                account_key=key,
                account=account,
                field=name,
                value=value,
                at=now,
                by=by[:200],
                state=ChoiceState.WAITING,
                next_try_at=now,
            )
        )


def record_paperless(
    books: Connection, account: str, *, is_paperless: bool, now: datetime, by: str
) -> None:
    """Record a customer's choice of paperless: both flags at once (rules 31, 32; ruling 1)."""
    values = {
        ChangeField.EBILL.value: YES if is_paperless else NO,
        ChangeField.SEND_PAPER.value: NO if is_paperless else YES,
    }
    record_choice(books, account, values, now=now, by=by)


def list_choices() -> sa.Select[Any]:
    """Select what leaves toward the billing system, for `list changes`."""
    return sa.select(
        _ROWS.number.label("id"),
        _ROWS.account,
        _ROWS.field,
        _ROWS.value,
        _ROWS.at,
        _ROWS.by,
        _ROWS.state,
        _ROWS.attempts,
        _ROWS.told_at,
        _ROWS.answered_at,
        _ROWS.reason,
        _ROWS.account_key.label("_account_key"),
    )
