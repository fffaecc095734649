"""Lists of people and what is theirs: staff, customers, autopay enrollments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from database.definitions.account_changes import column_in_force
from database.definitions.identity import staff
from database.definitions.wallet import method_in_force
from database.queries.balances import NOTHING, open_balance, stands_with
from database.queries.corrections import (
    amount_due_in_force,
    is_of_account,
    standing_corrections,
)
from database.queries.mandates import accounts_agreed, mandates_in_force
from database.tables import (
    account,
    account_search,
    balance_due,
    bill_run,
    enrollment,
    enrollment_end,
    mandate,
)

Select = sa.Select[Any]


def members_of_staff() -> Select:
    return sa.select(
        staff.c.number,
        staff.c.address,
        staff.c.role,
        staff.c.state,
        staff.c.made_at,
        staff.c.made_by,
        staff.c.seen_at,
    )


def autopay_enrolled(accounts: Sequence[str] | None = None) -> Select:
    """
    Select who is enrolled in autopay as the account's newest closed period sees it.

    Rules 60, 65, 82. Each account has a newest period of its own: that of its cycle, or of its
    final bill. Of these accounts by their keys, or of all.
    """
    agreed = mandates_in_force(None, accounts)
    listed = sa.select(
        account.c.account,
        _now("name"),
        agreed.c.portal_user,
        agreed.c.method_kind.label("method"),
        agreed.c.last4,
        agreed.c.days_prior,
        agreed.c.maximum,
        agreed.c.enrolled_on,
        sa.case((agreed.c.enrollment_id.is_(None), "export"), else_="office").label("source"),
        agreed.c.account_key.label("_account_key"),
    )
    of_account = account.c.account_key == agreed.c.account_key
    return listed.select_from(agreed).join(account, of_account).join(balance_due, _IS_NEWEST)


def bare_enrolled() -> Select:
    """Select the accounts of those who are enrolled."""
    return sa.select(accounts_agreed().subquery().c.account_key.label("_account_key"))


def enrollments(accounts: Sequence[str] | None = None) -> Select:
    """Select who is enrolled in autopay, and whose enrollment ended here and why (rules 60-66)."""
    enrolled = autopay_enrolled(accounts).subquery("in_force")
    never = enrollment.c.cancelled_on
    in_force = sa.select(
        *(column for column in enrolled.c if not column.name.startswith("_")),
        sa.literal("active").label("state"),
        sa.cast(sa.null(), never.type).label("ended_on"),
        sa.literal("").label("ended_by"),
        sa.literal("").label("end_reason"),
        enrolled.c._account_key,
    )
    parts = (
        in_force,
        _of(enrollment.c.account_key, accounts, _cancelled()),
        _of(enrollment_end.c.account_key, accounts, _ended()),
    )
    return sa.select(sa.union_all(*parts).subquery("enrollments"))


def bare_enrollments() -> Select:
    """Select the same by account; of those in force, one each, the day is left out."""
    agreed = accounts_agreed().subquery("agreed")
    never = enrollment.c.cancelled_on.type
    in_force = sa.select(
        agreed.c.account_key.label("_account_key"),
        sa.literal("active").label("state"),
        sa.cast(sa.null(), enrollment.c.enrolled_on.type).label("enrolled_on"),
        sa.cast(sa.null(), never).label("ended_on"),
    )
    names = [column.name for column in in_force.selected_columns]
    ended = (part.subquery() for part in (_cancelled(), _ended()))
    parts = (in_force, *(sa.select(*(one.c[name] for name in names)) for one in ended))
    return sa.select(sa.union_all(*parts).subquery("enrollments"))


def _of(key: sa.Column[str], accounts: Sequence[str] | None, rows: Select) -> Select:
    return rows if accounts is None else rows.where(key.in_(accounts))


def _cancelled() -> Select:
    """Select the enrollments that were given to the office and have ended."""
    rows = enrollment.c
    return (
        sa.select(
            rows.account,
            sa.func.coalesce(_now("name"), "").label("name"),
            rows.portal_user,
            rows.method_kind.label("method"),
            rows.last4,
            rows.days_prior,
            rows.maximum,
            rows.enrolled_on,
            sa.literal("office").label("source"),
            sa.literal("ended").label("state"),
            rows.cancelled_on.label("ended_on"),
            sa.func.coalesce(rows.cancelled_by, "").label("ended_by"),
            sa.func.coalesce(rows.cancel_reason, "").label("end_reason"),
            rows.account_key.label("_account_key"),
        )
        .select_from(enrollment)
        .outerjoin(balance_due, balance_due.c.account_key == rows.account_key)
        .outerjoin(account, _IS_NEWEST)
        .where(rows.cancelled_at.is_not(None))
    )


def _ended() -> Select:
    """Select the enrollments of exports that the office ended; the export has the rest of them."""
    rows = enrollment_end.c
    method = method_in_force(mandate.c.period, mandate.c.method_token)
    newest = (
        sa.select(
            mandate.c.period, mandate.c.account_key, sa.func.max(mandate.c.line).label("line")
        )
        .join(rows.account_key.table, rows.account_key == mandate.c.account_key)
        .where(mandate.c.enrolled_on <= rows.ended_on)
        .group_by(mandate.c.period, mandate.c.account_key)
        .subquery("ended_mandate")
    )
    ended = (
        sa.select(
            account.c.account,
            account.c.name,
            mandate.c.portal_user,
            method.kind.label("method"),
            sa.func.coalesce(method.last4, "").label("last4"),
            mandate.c.days_prior,
            mandate.c.maximum,
            mandate.c.enrolled_on,
            sa.literal("export").label("source"),
            sa.literal("ended").label("state"),
            rows.ended_on,
            rows.ended_by,
            rows.reason.label("end_reason"),
            rows.account_key.label("_account_key"),
        )
        .select_from(enrollment_end)
        .join(balance_due, balance_due.c.account_key == rows.account_key)
        .join(account, _IS_NEWEST)
        .join(
            newest,
            sa.and_(
                newest.c.account_key == rows.account_key, newest.c.period == balance_due.c.period
            ),
        )
        .join(
            mandate, sa.and_(mandate.c.period == newest.c.period, mandate.c.line == newest.c.line)
        )
    )
    return method.joined_to(ended)


def accounts() -> Select:
    """Select every account of its newest closed period, closed ones too, as is in force now."""
    corrected = standing_corrections()
    return (
        sa.select(
            account.c.account,
            *map(_now, _ABOUT),
            account.c.cosigner_id.label("cosigner"),
            account.c.equal_pay_amount.label("equal_pay"),
            amount_due_in_force(corrected).label("amount_due"),
            sa.func.coalesce(open_balance(), NOTHING).label("balance"),
            balance_due.c.due_on.label("due_date"),
            bill_run.c.cycle,
            account.c.period.label("period"),
            account.c.account_key.label("_account_key"),
        )
        .join(account_search, _IS_KNOWN_AS)
        .join(bill_run, bill_run.c.period == account.c.period)
        .outerjoin(balance_due, balance_due.c.account_key == account.c.account_key)
        .outerjoin(corrected, is_of_account(corrected))
    )


def customers() -> Select:
    """Select every account of its newest closed period, with what is in force and owed now."""
    corrected = standing_corrections()
    query = sa.select(
        account.c.account,
        *map(_now, ("name", "service_address", "city", "email", "phone", "status")),
        amount_due_in_force(corrected).label("amount_due"),
        open_balance().label("balance"),
        account.c.period.label("period"),
        account.c.account_key.label("_account_key"),
    ).join(balance_due, _IS_NEWEST)
    return query.outerjoin(corrected, is_of_account(corrected))


def _now(name: str) -> sa.ColumnElement[Any]:
    """Give a column of accounts as it is in force, under its name."""
    return column_in_force(account, name).label(name)


_ABOUT = (
    *("name", "service_address", "mailing_address", "city", "state", "zip", "phone", "email"),
    *("status", "ebill", "send_paper", "direct_pay", "block_ach", "block_card"),
)
_IS_KNOWN_AS = sa.and_(
    account_search.c.account_key == account.c.account_key,
    account_search.c.period == account.c.period,
)
_IS_NEWEST = stands_with(account)
