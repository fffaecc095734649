"""Accounts that owe money and that no reminder can reach: for the list of exceptions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.account_changes import account_in_force
from database.definitions.in_force import email_in_force, landlord_in_force, link_in_force
from database.queries.balances import is_owed, stands_with
from database.queries.outsorted import has_outsorted_bill
from database.tables import (
    account,
    audit,
    balance_due,
    bill_run,
    period_close,
    suppressed_address,
)
from domain.accounts import AccountStatus
from domain.feeds import ChangeField
from domain.reminders import REMINDERS, audit_action

CODE = "reminder-no-address"
MESSAGE = "it owes money, and there is no e-mail address to remind it at"


def unreachable_debtors(period: str | None = None) -> sa.Select[Any]:
    """
    Select them, of the periods whose reminders have begun, as `list exceptions` shows them.

    They are no error: whoever pays, or whose balance moves on with the next close, is gone from
    the list. An address that is suppressed is none.
    """
    begun = sa.select(audit.c.subject).where(audit.c.action.in_(map(audit_action, REMINDERS)))
    query = (
        sa.select(
            balance_due.c.account,
            sa.literal("mail").label("stage"),
            sa.literal(CODE).label("code"),
            sa.literal(MESSAGE).label("message"),
            balance_due.c.period.label("period"),
            balance_due.c.account_key.label("_account_key"),
            sa.literal(2).label("_position"),
        )
        .join(account, stands_with(account))
        .where(
            balance_due.c.period.in_(begun),
            is_owed(),
            ~has_outsorted_bill(balance_due.c.account_key),
            ~_is_closed(),
            account_in_force(account, ChangeField.STATUS) != AccountStatus.CLOSED,
            *(~found for found in _addresses()),
        )
    )
    return query if period is None else query.where(balance_due.c.period == period)


def _addresses() -> list[sa.Exists]:
    """Make the claims that somebody can be written to: the customer, a portal user, a landlord."""
    return [
        sa.exists().where(
            stands_with(email_in_force),
            email_in_force.c.fault.is_(None),
            _is_welcome(email_in_force.c.address),
        ),
        sa.exists().where(
            stands_with(link_in_force),
            link_in_force.c.fault.is_(None),
            _is_welcome(link_in_force.c.address),
        ),
        sa.exists().where(
            landlord_in_force.c.period == balance_due.c.period,
            landlord_in_force.c.cosigner_id == account.c.cosigner_id,
            landlord_in_force.c.fault.is_(None),
            _is_welcome(landlord_in_force.c.portal_user),
        ),
    ]


def _is_welcome(address: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.func.lower(address).not_in(sa.select(suppressed_address.c.mailbox))


def _is_closed() -> sa.ColumnElement[bool]:
    """
    Make the claim that the balance's own period or a later one calls the account closed.

    Read once, not for each balance: SQLite would look through all accounts every time.
    """
    own, later = bill_run.alias("own"), bill_run.alias("later")
    closed = (
        sa.select(own.c.period, account.c.account_key)
        .select_from(account)
        .join(period_close, period_close.c.period == account.c.period)
        .join(later, later.c.period == account.c.period)
        .join(own, own.c.ends_on <= later.c.ends_on)
        .where(account.c.status == AccountStatus.CLOSED)
        .correlate(None)
    )
    return sa.tuple_(balance_due.c.period, balance_due.c.account_key).in_(closed)
