"""What is in force of an account: its export's word, or what the feed told since."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from database.tables import account, bill_run, metadata
from domain.feeds import NO, STRICTER, YES, ChangeField

account_change = metadata.tables["account_change"]  # of the ledger, which needs definitions
FLAGS = (ChangeField.DIRECT_PAY, ChangeField.BLOCK_ACH, ChangeField.BLOCK_CARD)
WAYS = (ChangeField.EBILL, ChangeField.SEND_PAPER)  # by which a bill reaches its customer
IN_FORCE = (ChangeField.STATUS, *FLAGS)
_MAY_CHANGE = {field.value for field in ChangeField}


def account_in_force(of: sa.FromClause, name: ChangeField) -> sa.ColumnElement[Any]:
    """
    Give a field of a row of `account` (or an alias) as it is in force (rule 138).

    The newest of what its export says, as of when it was written, else imported, and of what the
    feed told. Of the same moment the stricter stands: nothing is drawn in doubt, as
    `rules.feed.value_in_force` says it of one account. Of the ways of a bill and of texts no word
    is the stricter: the feed says what changed, and a text that it empties is empty.
    """
    exported = of.c[name.value]
    if name not in FLAGS + WAYS:
        return sa.type_coerce(sa.func.coalesce(_told(of, name), exported), exported.type)
    return sa.func.coalesce(_told(of, name), sa.case((exported, YES), else_=NO)) == YES


def told_in_force(
    period: str | sa.BindParameter[str], fields: Sequence[ChangeField]
) -> sa.Subquery:
    """
    Select some fields as they are in force of those accounts of a period that the feed told of.

    They are few. Who asks for everybody joins them and takes the export's word for the others:
    to look for a change of each field of each account takes longer than all that it decides.
    """
    said_at = sa.select(sa.func.coalesce(bill_run.c.written_at, bill_run.c.imported_at)).where(
        bill_run.c.period == period
    )
    told = (
        sa.select(account_change.c.account_key)
        .distinct()
        .where(
            account_change.c.field.in_([name.value for name in fields]),
            account_change.c.told_at >= said_at.scalar_subquery(),
        )
        .subquery("told_account")
    )
    return (
        sa.select(
            account.c.account_key,
            *(account_in_force(account, name).label(name.value) for name in fields),
        )
        .join_from(told, account, account.c.account_key == told.c.account_key)
        .where(account.c.period == period)
        .subquery("told")
    )


def column_in_force(of: sa.FromClause, name: str) -> sa.ColumnElement[Any]:
    """Claim any column of accounts: as it is in force where it may change, else the export's."""
    return account_in_force(of, ChangeField(name)) if name in _MAY_CHANGE else of.c[name]


def accounts_in_force() -> sa.Select[Any]:
    """Select the accounts of every period, each field that may change as it is in force."""
    return sa.select(
        *(column_in_force(account, column.name).label(column.name) for column in account.c)
    )


@lru_cache(maxsize=64)  # the table itself and the names that queries give it
def _told(of: sa.FromClause, name: ChangeField) -> sa.ScalarSelect[Any]:
    """
    Select what the feed told last that the account's export cannot have known.

    Said once of each table: to make it anew takes longer than all else that a page asks.
    """
    change, export = account_change.alias("told_change"), bill_run.alias("told_after")
    said_at = sa.func.coalesce(export.c.written_at, export.c.imported_at)
    is_strict = change.c.value == STRICTER[name] if name in STRICTER else sa.true()
    exported = of.c[name.value]
    is_exported_strict = exported if name in FLAGS else exported == STRICTER.get(name, "")
    may_tell = sa.or_(is_strict, ~is_exported_strict) if name in STRICTER else sa.true()
    is_newer = sa.or_(change.c.told_at > said_at, sa.and_(change.c.told_at == said_at, may_tell))
    return (
        sa.select(change.c.value)
        .select_from(change.join(export, is_newer))
        .where(
            change.c.account_key == of.c.account_key,
            change.c.field == name.value,
            export.c.period == of.c.period,
        )
        .order_by(change.c.told_at.desc(), sa.case((is_strict, 0), else_=1), change.c.id.desc())
        .limit(1)
        .correlate(of)
        .scalar_subquery()
    )
